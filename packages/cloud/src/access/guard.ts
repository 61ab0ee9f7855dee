/** The guard before every route of the operator API: who asks, whether their role may, and on whose record it goes. */
import { type ApiRole, OPERATOR_ROUTES } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { committed, type CloudContext } from '../context.ts';
import { actAs, type Actor } from '../event-log/actor.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { OperatorApp, OperatorEnv } from '../operator/operator-app.ts';
import type { Caller } from '../operator/tokens.ts';
import { RELEASE_MAX_BYTES } from '../release/release-document.ts';
import { type AccessRoom, identify } from './access-room.ts';
import { addressOf } from './address.ts';

/** Bodies but uploads and metadata: forms that people fill in. */
const BODY_MAX_BYTES = 262_144;
/** Metadata of 10,000 targets in two dialects, in base64. */
const METADATA_BODY_MAX_BYTES = 64 * 1024 * 1024;

/** Routes that may well change nothing: they ask by a body, or are on record by what they end in. */
const NO_CHANGES: ReadonlySet<string> = new Set([
  'appendUpload',
  'countFleet',
  'revokeToken',
  'solveRelease',
  'verifyAudit',
] satisfies (keyof typeof OPERATOR_ROUTES)[]);

/**
 * Puts the guard before every route of the contract. A request that meets no route meets no handler either, for
 * handlers are added for routes of the contract alone.
 */
export function addGuards(app: OperatorApp, room: AccessRoom): void {
  for (const [operation, { config, roles }] of Object.entries(OPERATOR_ROUTES)) {
    const path = config.getRoutingPath();
    const isChange = config.method !== 'get';
    app.on(config.method, path, async (c, next) => {
      const { caller, sessionId } = await identify(room, c);
      c.set('caller', caller);
      c.set('sessionId', sessionId);
      c.header('Cache-Control', 'no-store');
      checkRole(caller, roles);
      if (isChange) await record(room.context, c, { caller, operation, next });
      else await next();
    });
    // How long an upload may be is known to whoever takes it.
    if (path.endsWith('/bytes')) continue;
    const maxSize = bodyMaxBytes(path);
    const onError = (): never => {
      throw new CloudFault('REQUEST_TOO_LONG', `Cannot read body: over ${maxSize} bytes`);
    };
    app.on(config.method, path, bodyLimit({ maxSize, onError }));
  }
}

/** Every change is on record: by the events that it appends, or else by one that says that it was made. */
async function record(
  context: CloudContext,
  c: Context<OperatorEnv>,
  work: {
    readonly caller: Caller;
    readonly operation: string;
    readonly next: () => Promise<void>;
  },
): Promise<void> {
  const { caller, operation, next } = work;
  const actor: Actor = {
    kind: caller.kind,
    name: caller.name,
    id: caller.personId,
    from: addressOf(c),
    operation,
  };
  const recorded = await actAs(actor, next);
  const isRefused = c.error !== undefined || c.res.status >= 400;
  if (recorded > 0 || isRefused || NO_CHANGES.has(operation)) return;
  const params: JsonObject = { ...c.req.param() };
  const event = {
    stream: fleetStream(caller.fleet.tenant),
    kind: 'change.made',
    at: context.clock.now(),
    body: { operation, params },
  } as const;
  await actAs(actor, () => committed(context.database, (tx) => context.events.append(tx, [event])));
}

function bodyMaxBytes(path: string): number {
  if (path.includes('/metadata/')) return METADATA_BODY_MAX_BYTES;
  return path.endsWith('/releases') ? RELEASE_MAX_BYTES : BODY_MAX_BYTES;
}

function checkRole({ name, role }: Caller, roles: readonly ApiRole[]): void {
  if (roles.includes(role)) return;
  throw new CloudFault('FORBIDDEN', `Cannot let "${name}" do this: role ${role}`);
}
