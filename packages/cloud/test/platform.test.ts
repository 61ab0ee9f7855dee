import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql, type Timer } from '@immota/store';
import { startTestPlatform, type TestPlatform } from './support/running-platform.ts';

const HOUR_MS = 60 * 60 * 1000;

/** A timer whose hours come when the test says so; what is due sooner never comes. */
class Hours implements Timer {
  #due: (() => void) | undefined;
  #isBack = Promise.withResolvers<void>();

  schedule(delayMs: number, callback: () => void): { readonly cancel: () => void } {
    if (delayMs !== HOUR_MS) return { cancel: () => undefined };
    this.#due = callback;
    this.#isBack.resolve();
    return {
      cancel: () => {
        this.#due = undefined;
      },
    };
  }

  /** Lets an hour pass, and waits until the work of that hour is done. */
  async pass(): Promise<void> {
    assert.ok(this.#due);
    this.#isBack = Promise.withResolvers<void>();
    this.#due();
    await this.#isBack.promise;
  }
}

describe('startPlatform()', () => {
  const hours = new Hours();
  let world: TestPlatform;
  before(async () => {
    world = await startTestPlatform({ timer: hours });
  });
  after(() => world.close());

  /** Rows of the counts, and what they come to. */
  async function counts(): Promise<unknown> {
    const { rows } = await sql`select count(*)::int as "rows", sum(vehicles)::int as vehicles
      from fleet_count where kind = 'vehicle'`.execute(
      world.platform.cloud.context.database.kysely,
    );
    return rows[0];
  }

  it('folds the counts of the fleet each hour, also while nobody looks at it', async () => {
    const { kysely } = world.platform.cloud.context.database;
    for (const turn of [1, 2]) {
      for (const id of ['a', 'b', 'c']) {
        const vehicleId = `${id}${String(turn)}`;
        await sql`insert into vehicle (vehicle_id, model, market) values (${vehicleId}, 'X1', 'DE')`.execute(
          kysely,
        );
      }
      assert.deepEqual(await counts(), { rows: turn === 1 ? 3 : 4, vehicles: 3 * turn });
      await hours.pass();
      assert.deepEqual(await counts(), { rows: 1, vehicles: 3 * turn });
    }
  });
});
