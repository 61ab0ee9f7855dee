/** The operator API as a Hono application: who may, what for, and every refusal as a problem. */
import { describeOperatorApi, problem, PROBLEM_MEDIA_TYPE, type Problem } from '@immota/api';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AccessRoom } from '../access/access-room.ts';
import { serveConsole } from '../access/console-files.ts';
import { addGuards } from '../access/guard.ts';
import { messagePage } from '../access/pages.ts';
import { addSecurityHeaders } from '../access/security-headers.ts';
import { addSignInRoutes } from '../access/sign-in-routes.ts';
import type { EventFeed } from '../event-log/event-feed.ts';
import { CloudFault } from '../fault.ts';
import { addAccessRoutes } from './access-routes.ts';
import { addAuditRoutes } from './audit-routes.ts';
import { addApprovalRoutes } from './approval-routes.ts';
import { addCampaignRoutes } from './campaign-routes.ts';
import { addEvidenceRoutes } from './evidence-routes.ts';
import { addFleetRoutes } from './fleet-routes.ts';
import { addRehearsalRoutes } from './rehearsal-routes.ts';
import { addImageRoutes } from './image-routes.ts';
import type { OperatorApp, OperatorEnv } from './operator-app.ts';
import { findProblem } from './problems.ts';
import type { OperatorRefusal, RefusalLog } from './refusals.ts';
import { addReleaseRoutes } from './release-routes.ts';
import type { OperatorServices } from './services.ts';
import { addStreamRoutes } from './stream-routes.ts';
import { addTokenRoutes } from './token-routes.ts';
import { type Caller, StaleToken } from './tokens.ts';
import { addVehicleRoutes } from './vehicle-routes.ts';
import { addWebhookRoutes } from './webhook-routes.ts';

/**
 * Makes the operator API.
 *
 * @param services - what it works on.
 * @param refusals - hears of whatever is refused.
 * @param room - lets people and tokens in.
 * @param feed - wakes who reads live.
 */
export function createOperatorApp(
  services: OperatorServices,
  refusals: RefusalLog,
  room: AccessRoom,
  feed: EventFeed,
): OperatorApp {
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
  addSecurityHeaders(app, room);
  addGuards(app, room);
  addSignInRoutes(app, room);
  addVehicleRoutes(app, services);
  addFleetRoutes(app, services);
  addRehearsalRoutes(app, services);
  addImageRoutes(app, services);
  addReleaseRoutes(app, services);
  addCampaignRoutes(app, services);
  addApprovalRoutes(app, services);
  addEvidenceRoutes(app, services);
  addTokenRoutes(app, services);
  addAccessRoutes(app, services, room);
  addAuditRoutes(app, services);
  addStreamRoutes(app, services, { room, feed });
  addWebhookRoutes(app, services);
  const document = JSON.stringify(describeOperatorApi());
  app.get('/openapi.json', (c) => c.body(document, 200, { 'Content-Type': 'application/json' }));
  if (services.consoleFiles !== undefined) serveConsole(app, services.consoleFiles);
  app.notFound((c) => respond(c, problem(404, 'NOT_FOUND', 'There is no such route')));
  app.onError((error, c) => {
    const found = findProblem(error);
    if (found === undefined) {
      services.failed(error);
      return respond(c, problem(500, 'INTERNAL', 'Something broke here; it is on record'));
    }
    refusals.note(describeRefusal(c, error, found.code));
    return c.req.path.startsWith('/auth/') ? page(c, found) : respond(c, found);
  });
  return app;
}

const KINDS: Readonly<Partial<Record<string, OperatorRefusal['kind']>>> = {
  UNAUTHENTICATED: 'authentication.refused',
  SIGN_IN_REFUSED: 'authentication.refused',
  CSRF: 'authorisation.denied',
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
    tenant: error instanceof StaleToken ? error.tenant : caller?.fleet.tenant,
  };
}

/** Whom a browser shows it to is a person. */
function page(c: Context<OperatorEnv>, { status, detail = '' }: Problem): Response {
  const next = { href: '/auth/login', text: 'Sign in' };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see respond()
  return c.html(messagePage('This did not work', detail, next), status as never);
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
