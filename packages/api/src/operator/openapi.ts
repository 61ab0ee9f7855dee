/** The operator API as an OpenAPI document, made of the routes: server, guide and clients show this one. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { OPERATOR_PREFIX } from './route.ts';
import { OPERATOR_ROUTES } from './routes.ts';

/** What can be written as JSON; its shape is OpenAPI 3.1's. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** Describes every route, with the roles that it lets in. */
export function describeOperatorApi(): OpenApiDocument {
  const hono = new OpenAPIHono();
  const { openAPIRegistry: registry } = hono;
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-immota-session',
    description: 'Of a browser; changes bear X-CSRF-Token, as GET /session tells it, too.',
  });
  for (const [operationId, { config, roles }] of Object.entries(OPERATOR_ROUTES)) {
    const description = `For the roles ${roles.join(', ')}.`;
    registry.registerPath({
      ...config,
      operationId,
      description,
      tags: [tagOf(config.path)],
      security: [{ token: [] }, { session: [] }],
      'x-roles': [...roles],
    });
  }
  const document = hono.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Immota operator API',
      version: '1.0.0',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/', description: 'Where the console is.' }],
    tags: [...new Set(Object.values(OPERATOR_ROUTES).map(({ config }) => tagOf(config.path)))]
      .toSorted()
      .map((name) => ({ name })),
  });
  return withPlainPatterns({ ...document });
}

/** Expressions come with their flags behind them; a pattern of JSON Schema has none, and is Unicode's always. */
function withPlainPatterns(document: OpenApiDocument): OpenApiDocument {
  const rest: unknown[] = [document];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    if ('pattern' in node && typeof node.pattern === 'string') {
      node.pattern = node.pattern.replace(/\/[a-z]+$/, '');
    }
    rest.push(...Object.values(node).filter((value) => value !== undefined));
  }
  return document;
}

/** Operations are grouped by what their path begins with. */
function tagOf(path: string): string {
  return path.slice(OPERATOR_PREFIX.length).split('/')[1] ?? '';
}
