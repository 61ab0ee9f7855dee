/** The operator API as an OpenAPI document, made of the routes: server, guide and clients show this one. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { OPERATOR_ROUTES } from './routes.ts';

/** What can be written as JSON; its shape is OpenAPI 3.1's. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** Describes every route, with the roles that it lets in. */
export function describeOperatorApi(): OpenApiDocument {
  const hono = new OpenAPIHono();
  const { openAPIRegistry: registry } = hono;
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const [operationId, { config, roles }] of Object.entries(OPERATOR_ROUTES)) {
    const description = `For the roles ${roles.join(', ')}.`;
    registry.registerPath({ ...config, operationId, description });
  }
  const document = hono.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Immota operator API',
      version: '1.0.0',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
  });
  return { ...document };
}
