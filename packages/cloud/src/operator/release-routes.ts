/** Releases. */
import { OPERATOR_ROUTES } from '@immota/api';
import { sql } from '@immota/store';
import type { Selectable } from 'kysely';
import { parseRelease } from '../release/release-document.ts';
import type { ReleaseRow } from '../schema/tables.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import type { OperatorServices } from './services.ts';
import type { View } from './views.ts';

/** Adds the routes about releases. */
export function addReleaseRoutes(app: OperatorApp, { context, releases }: OperatorServices): void {
  const { kysely } = context.database;
  app.openapi(OPERATOR_ROUTES.createRelease.config, async (c) => {
    const document = new Uint8Array(await c.req.arrayBuffer());
    const { releaseId } = await releases.create(document, c.get('caller').name);
    const row = await kysely
      .selectFrom('release')
      .selectAll()
      .where('release_id', '=', releaseId)
      .executeTakeFirstOrThrow();
    return c.json(releaseView(row), 201);
  });
  app.openapi(OPERATOR_ROUTES.listReleases.config, async (c) => {
    const { after, limit } = c.req.valid('query');
    let select = kysely
      .selectFrom('release')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('release_id', 'desc')
      .limit(limit);
    if (after !== undefined) {
      const { createdAt, id } = parsePosition(after);
      select = select.where(sql<boolean>`(created_at, release_id) < (${createdAt}, ${id})`);
    }
    const rows = await select.execute();
    const items = rows.map(releaseView);
    const last = rows.length < limit ? undefined : rows.at(-1);
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.release_id });
    return c.json({ items, next }, 200);
  });
}

function releaseView(row: Selectable<ReleaseRow>): View<'releaseSchema'> {
  return {
    releaseId: row.release_id,
    name: row.name,
    version: row.version,
    createdBy: row.created_by,
    createdAt: row.created_at.toString(),
    goal: Object.fromEntries(parseRelease(row.body).goal),
  };
}
