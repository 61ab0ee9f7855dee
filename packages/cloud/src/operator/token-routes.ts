/** API tokens. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import { createToken, revokeToken } from './tokens.ts';

/** Adds the routes about tokens. */
export function addTokenRoutes(app: OperatorApp, { context }: OperatorServices): void {
  app.openapi(OPERATOR_ROUTES.createToken.config, async (c) => {
    const { name, role, uploadsFor = [], ttlDays } = c.req.valid('json');
    const description = { name, role, uploadsFor, ttlDays, by: c.get('caller').name };
    const { token, expiresAt } = await createToken(context, description);
    return c.json({ token, name, role, expiresAt: expiresAt.toString() }, 201);
  });
  app.openapi(OPERATOR_ROUTES.revokeToken.config, async (c) => {
    const { name } = c.req.valid('param');
    return c.json({ isRevoked: await revokeToken(context, name, c.get('caller').name) }, 200);
  });
}
