/** Wakes the connected vehicles for which plans changed: a campaign began, or an offer is taken back. */
import { sql } from '@immota/store';
import { ACTIVE_STATES } from '../campaign/vehicle-place.ts';
import { PLANS_CHANNEL } from '../director/ports.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { WakeBroker } from './wake-broker.ts';

/** Vehicles asked about in one statement. */
const PAGE_VEHICLES = 1000;

/** What listens until it is closed. */
export interface Listening {
  close(): Promise<void>;
}

/**
 * Listens for changed plans, in whichever process they were changed.
 *
 * @param failed - told when vehicles could not be woken; they poll anyway.
 */
export async function wakeOnPlans(
  database: CloudDatabase,
  broker: WakeBroker,
  failed: (error: unknown) => void,
): Promise<Listening> {
  let running: Promise<void> = Promise.resolve();
  let isWaiting = false;
  const subscription = await database.listen(PLANS_CHANNEL, (payload) => {
    if (payload !== undefined && payload !== '') {
      running = running.then(() => wake(broker, payload.split(' '))).catch(failed);
      return;
    }
    // A round that has not begun yet will see this change as well.
    if (isWaiting) return;
    isWaiting = true;
    running = running
      .then(() => {
        isWaiting = false;
        return wakeConcerned(database, broker);
      })
      .catch(failed);
  });
  return {
    async close() {
      await subscription.close();
      await running;
    },
  };
}

async function wake(broker: WakeBroker, vehicleIds: readonly string[]): Promise<void> {
  await broker.wakeAll(vehicleIds);
}

/** Those who wait in a running campaign, and those to whom something is offered. */
async function wakeConcerned(database: CloudDatabase, broker: WakeBroker): Promise<void> {
  const connected = broker.connected();
  for (let index = 0; index < connected.length; index += PAGE_VEHICLES) {
    const asked = connected.slice(index, index + PAGE_VEHICLES);
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that the database serves others too
    const { rows } = await sql<{ readonly vehicle_id: string }>`
      select asked.vehicle_id from unnest(${asked}::text[]) as asked (vehicle_id)
      where exists (select from campaign_vehicle cv join campaign c using (campaign_id)
          where cv.vehicle_id = asked.vehicle_id and c.state = 'running'
            and cv.state = any(${[...ACTIVE_STATES]}))
        or exists (select from vehicle_director d
          where d.vehicle_id = asked.vehicle_id and d.correlation_id is not null)`.execute(
      database.kysely,
    );
    // oxlint-disable-next-line no-await-in-loop -- see above
    await broker.wakeAll(rows.map(({ vehicle_id: id }) => id));
  }
}
