/** What the event log holds, for tests that ask what was put on record. */
import type { JsonObject } from '@immota/base';
import type { TestPlatform } from './running-platform.ts';

/** Reads what was recorded of a kind, in order, without who did it. */
export async function eventsOf(world: TestPlatform, kind: string): Promise<readonly JsonObject[]> {
  const { kysely } = world.platform.cloud.context.database;
  const rows = await kysely
    .selectFrom('event')
    .select('body')
    .where('kind', '=', kind)
    .orderBy('sequence')
    .execute();
  return rows.map(({ body }) =>
    Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'actor')),
  );
}
