/** API tokens. */
import { API_ROLES, OPERATOR_ROUTES } from '@immota/api';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import { createToken, listTokens, revokeToken } from './tokens.ts';

/** Adds the routes about tokens. */
export function addTokenRoutes(app: OperatorApp, { context }: OperatorServices): void {
  app.openapi(OPERATOR_ROUTES.listTokens.config, async (c) => {
    const { after = '', limit } = c.req.valid('query');
    const tokens = await listTokens(context, c.get('caller').fleet.tenant, { after, limit });
    const items = tokens.map((token) => ({
      name: token.name,
      role: API_ROLES.find((role) => role === token.role) ?? 'viewer',
      scope: token.scope ?? undefined,
      createdBy: token.created_by,
      createdAt: token.created_at.toString(),
      expiresAt: token.expires_at?.toString(),
      revokedAt: token.revoked_at?.toString(),
    }));
    const last = tokens.length < limit ? undefined : tokens.at(-1)?.name;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  app.openapi(OPERATOR_ROUTES.createToken.config, async (c) => {
    const { name, role, uploadsFor = [], ttlDays, scope } = c.req.valid('json');
    const { name: by, fleet } = c.get('caller');
    const description = { name, role, uploadsFor, ttlDays, by };
    const { token, expiresAt } = await createToken(context, {
      ...description,
      fleet: { tenant: fleet.tenant, query: scope },
    });
    return c.json({ token, name, role, expiresAt: expiresAt.toString() }, 201);
  });
  app.openapi(OPERATOR_ROUTES.revokeToken.config, async (c) => {
    const { name } = c.req.valid('param');
    const { name: by, fleet } = c.get('caller');
    const isRevoked = await revokeToken(context, name, by, fleet.tenant);
    return c.json({ isRevoked }, 200);
  });
}
