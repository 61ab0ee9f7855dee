/** The operator API as a Hono application: who may, what for, and every refusal as a problem. */
import {
  type ApiRole,
  describeOperatorApi,
  OPERATOR_ROUTES,
  problem,
  PROBLEM_MEDIA_TYPE,
  type Problem,
} from '@immota/api';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { matchedRoutes } from 'hono/route';
import { CloudFault } from '../fault.ts';
import { RELEASE_MAX_BYTES } from '../release/release-document.ts';
import { addCampaignRoutes } from './campaign-routes.ts';
import { addImageRoutes } from './image-routes.ts';
import type { OperatorApp, OperatorEnv } from './operator-app.ts';
import { findProblem } from './problems.ts';
import type { OperatorRefusal, RefusalLog } from './refusals.ts';
import { addReleaseRoutes } from './release-routes.ts';
import type { OperatorServices } from './services.ts';
import { addTokenRoutes } from './token-routes.ts';
import { authenticate, type Caller, StaleToken } from './tokens.ts';
import { addVehicleRoutes } from './vehicle-routes.ts';

/** Bodies but uploads and metadata: forms that people fill in. */
const BODY_MAX_BYTES = 262_144;
/** Metadata of 10,000 targets in two dialects, in base64. */
const METADATA_BODY_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Makes the operator API.
 *
 * @param services - what it works on.
 * @param refusals - hears of whatever is refused.
 */
export function createOperatorApp(services: OperatorServices, refusals: RefusalLog): OperatorApp {
  const app = new OpenAPIHono<OperatorEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const where = issue?.path.join('.') ?? '';
      throw new CloudFault(
        'REQUEST_MALFORMED',
        `Cannot read request at "${where}": ${issue?.message ?? 'malformed'}`,
      );
    },
  });
  addGuards(app, services);
  addVehicleRoutes(app, services);
  addImageRoutes(app, services);
  addReleaseRoutes(app, services);
  addCampaignRoutes(app, services);
  addTokenRoutes(app, services);
  const document = JSON.stringify(describeOperatorApi());
  app.get('/openapi.json', (c) => c.body(document, 200, { 'Content-Type': 'application/json' }));
  app.notFound((c) => respond(c, problem(404, 'NOT_FOUND', 'There is no such route')));
  app.onError((error, c) => {
    const found = findProblem(error);
    if (found === undefined) {
      services.failed(error);
      return respond(c, problem(500, 'INTERNAL', 'Something broke here; it is on record'));
    }
    refusals.note(describeRefusal(c, error, found.code));
    return respond(c, found);
  });
  return app;
}

/** Every route names its roles; a request that meets no route meets no handler either. */
function addGuards(app: OperatorApp, services: OperatorServices): void {
  for (const { config, roles } of Object.values(OPERATOR_ROUTES)) {
    const path = config.getRoutingPath();
    app.on(config.method, path, async (c, next) => {
      const caller = await authenticate(services.context, c.req.header('authorization'));
      c.set('caller', caller);
      checkRole(caller, roles);
      await next();
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

function bodyMaxBytes(path: string): number {
  if (path.includes('/metadata/')) return METADATA_BODY_MAX_BYTES;
  return path.endsWith('/releases') ? RELEASE_MAX_BYTES : BODY_MAX_BYTES;
}

function checkRole({ name, role }: Caller, roles: readonly ApiRole[]): void {
  if (roles.includes(role)) return;
  throw new CloudFault('FORBIDDEN', `Cannot let "${name}" do this: role ${role}`);
}

const KINDS: Readonly<Partial<Record<string, OperatorRefusal['kind']>>> = {
  UNAUTHENTICATED: 'authentication.refused',
  FORBIDDEN: 'authorisation.denied',
};

function describeRefusal(c: Context<OperatorEnv>, error: Error, code: string): OperatorRefusal {
  const path = matchedRoutes(c).find((matched) => matched.path !== '/*')?.path ?? 'none';
  // Where the guard itself refuses there is no caller yet, whatever the types say.
  const caller = c.get('caller') as Caller | undefined;
  return {
    kind: KINDS[code] ?? 'request.refused',
    code,
    route: `${c.req.method} ${path}`,
    by: error instanceof StaleToken ? error.tokenName : caller?.name,
  };
}

function respond(
  c: { body(text: string, status: never, headers: Record<string, string>): Response },
  body: Problem,
): Response {
  const challenge: Record<string, string> =
    body.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Hono wants a literal status; the problem's is bounded by its schema
  return c.body(JSON.stringify(body), body.status as never, {
    'Content-Type': PROBLEM_MEDIA_TYPE,
    ...challenge,
  });
}
