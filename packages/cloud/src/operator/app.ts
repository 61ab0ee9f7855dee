/** The operator API as a Hono application: who may, what for, and every refusal as a problem. */
import {
  OPERATOR_ROUTES,
  type ApiRole,
  problem,
  PROBLEM_MEDIA_TYPE,
  type Problem,
} from '@immota/api';
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { committed } from '../context.ts';
import { FLEET_STREAM } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { addCampaignRoutes } from './campaign-routes.ts';
import { addImageRoutes } from './image-routes.ts';
import { findProblem } from './problems.ts';
import { addReleaseRoutes } from './release-routes.ts';
import type { OperatorServices } from './services.ts';
import { addTokenRoutes } from './token-routes.ts';
import { authenticate, type Caller } from './tokens.ts';
import { addVehicleRoutes } from './vehicle-routes.ts';

/** Bodies but uploads and metadata: forms that people fill in. */
const BODY_MAX_BYTES = 262_144;
/** Metadata of 10,000 targets in two dialects, in base64. */
const METADATA_BODY_MAX_BYTES = 64 * 1024 * 1024;

/** What the middleware leaves for the routes. */
export interface OperatorEnv {
  readonly Variables: { caller: Caller };
}

/** The application. */
export type OperatorApp = OpenAPIHono<OperatorEnv>;

/**
 * Makes the operator API.
 *
 * @param services - what it works on.
 */
export function createOperatorApp(services: OperatorServices): OperatorApp {
  const app = new OpenAPIHono<OperatorEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const [issue] = result.error.issues;
      const where = issue?.path.join('.') ?? '';
      const detail = `Cannot read request at "${where}": ${issue?.message ?? 'malformed'}`;
      return c.json(problem(400, 'REQUEST_MALFORMED', detail), 400, {
        'Content-Type': PROBLEM_MEDIA_TYPE,
      });
    },
  });
  addGuards(app, services);
  addVehicleRoutes(app, services);
  addImageRoutes(app, services);
  addReleaseRoutes(app, services);
  addCampaignRoutes(app, services);
  addTokenRoutes(app, services);
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
  });
  app.doc31('/openapi.json', OPENAPI_HEAD);
  app.notFound((c) => respond(c, problem(404, 'NOT_FOUND', 'There is no such route')));
  app.onError((error, c) => {
    const found = findProblem(error);
    if (found !== undefined) return respond(c, found);
    services.failed(error);
    return respond(c, problem(500, 'INTERNAL', 'Something broke here; it is on record'));
  });
  return app;
}

/** The head of the OpenAPI document. */
export const OPENAPI_HEAD = {
  openapi: '3.1.0',
  info: {
    title: 'Immota operator API',
    version: '1.0.0',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
};

/** Every route names its roles; a request that meets no route meets no handler either. */
function addGuards(app: OperatorApp, services: OperatorServices): void {
  for (const { config, roles } of Object.values(OPERATOR_ROUTES)) {
    const path = config.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(config.method, path, async (c, next) => {
      const caller = await authenticate(services.context, c.req.header('authorization'));
      await checkRole(services, caller, roles, `${config.method} ${path}`);
      c.set('caller', caller);
      await next();
    });
    if (config.path.endsWith('/bytes')) continue;
    const isMetadata = config.path.includes('/metadata/') || config.path.endsWith('/releases');
    const maxSize = isMetadata ? METADATA_BODY_MAX_BYTES : BODY_MAX_BYTES;
    const onError = (): never => {
      throw new CloudFault('REQUEST_TOO_LONG', `Cannot read body: over ${maxSize} bytes`);
    };
    app.on(config.method, path, bodyLimit({ maxSize, onError }));
  }
}

async function checkRole(
  services: OperatorServices,
  caller: Caller,
  roles: readonly ApiRole[],
  route: string,
): Promise<void> {
  if (roles.includes(caller.role)) return;
  const { database, events, clock } = services.context;
  const body = { name: caller.name, role: caller.role, route };
  await committed(database, async (tx) => {
    await events.append(tx, [
      { stream: FLEET_STREAM, kind: 'authorisation.denied', at: clock.now(), body },
    ]);
  });
  throw new CloudFault('FORBIDDEN', `Cannot let "${caller.name}" do this: role ${caller.role}`);
}

function respond(
  c: { body(text: string, status: never, headers: Record<string, string>): Response },
  body: Problem,
): Response {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Hono wants a literal status; the problem's is bounded by its schema
  return c.body(JSON.stringify(body), body.status as never, {
    'Content-Type': PROBLEM_MEDIA_TYPE,
  });
}
