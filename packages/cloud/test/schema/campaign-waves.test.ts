import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { migrate, sql } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { contentOf } from '../../src/campaign/campaign-content.ts';
import { loadCounts } from '../../src/campaign/counts.ts';
import { type CloudSchema, MIGRATIONS } from '../../src/index.ts';

let test: TestDatabase<CloudSchema>;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS.filter(({ number }) => number < 6));
});
after(() => test.drop());

describe('CAMPAIGN_WAVES', () => {
  it('makes one open wave without a limit of what runs already, and counts it', async () => {
    const { kysely } = test.database;
    await sql`insert into release (release_id, name, version, document, body, created_by)
      values ('r', 'line', '1', '', '{}', 'ann')`.execute(kysely);
    for (const [id, state] of [
      ['run', 'running'],
      ['plan', 'planned'],
    ]) {
      await sql`insert into campaign (campaign_id, release_id, name, query, state, created_by)
        values (${id}, 'r', 'c', 'true', ${state}, 'ann')`.execute(kysely);
    }
    await sql`insert into vehicle (vehicle_id) values ('v1'), ('v2')`.execute(kysely);
    await sql`insert into campaign_vehicle (vehicle_id, campaign_id, state, reason)
      values ('v1', 'run', 'updated', null), ('v2', 'run', 'targeted', 'NOT_SEEN')`.execute(kysely);
    await migrate(test.database, MIGRATIONS);
    const rows = await kysely.selectFrom('campaign').selectAll().orderBy('campaign_id').execute();
    assert.deepEqual(
      rows.map((row) => [row.campaign_id, row.open_wave, contentOf(row).waves.length]),
      [
        ['plan', 0, 1],
        ['run', 1, 1],
      ],
    );
    assert.ok(rows.every((row) => contentOf(row).guard.failurePermilleMax === 1000));
    const waves = await kysely.selectFrom('campaign_wave').selectAll().execute();
    assert.deepEqual(
      waves.map((wave) => [wave.campaign_id, wave.number, wave.state]),
      [['run', 1, 'open']],
    );
    const counts = (await loadCounts(kysely, ['run'])).get('run') ?? [];
    const standing = counts.map(({ state, stage, vehicles }) => `${state} ${stage} ${vehicles}`);
    assert.deepEqual(new Set(standing), new Set(['targeted targeted 1', 'updated booted 1']));
  });
});
