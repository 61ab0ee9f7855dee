import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { migrate, sql } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { type CloudSchema, MIGRATIONS } from '../../src/index.ts';

let test: TestDatabase<CloudSchema>;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS.slice(0, 2));
});
after(() => test.drop());

const insert = (vehicle: string | null, revoked: string | null, serial: string): Promise<unknown> =>
  sql`insert into device_certificate (serial, authority, vehicle_id, not_after, revoked_at)
    values (${serial}, 'a', ${vehicle}, ${vehicle === null ? null : '2030-01-01'}::timestamptz,
      ${revoked}::timestamptz)`.execute(test.database.kysely);

describe('UNRECORDED_CERTIFICATES', () => {
  it('keeps what is there, and takes revoked serial numbers of which nothing else is known', async () => {
    await insert('v1', null, '01');
    await insert('v2', '2026-01-01', '02');
    await assert.rejects(insert(null, '2026-01-01', '03'), { code: '23502' });
    await migrate(test.database, MIGRATIONS);
    await insert(null, '2026-01-01', '03');
    await assert.rejects(insert(null, null, '04'), { code: '23514' });
    const rows = await test.database.kysely
      .selectFrom('device_certificate')
      .select(['serial', 'vehicle_id'])
      .orderBy('serial')
      .execute();
    assert.deepEqual(
      rows.map((row) => [row.serial, row.vehicle_id]),
      [
        ['01', 'v1'],
        ['02', 'v2'],
        ['03', null],
      ],
    );
  });
});
