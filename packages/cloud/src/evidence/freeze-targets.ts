/**
 * Puts the target list of a campaign on record {R156 7.1.2.4}: how many vehicles, and one hash over which
 * they are, what they ran, and whether the release fits that.
 */
import { createHash, type Hash } from 'node:crypto';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import { eventInstant } from '../event-log/chain.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import type { CloudDatabase } from '../schema/database.ts';

/** Targets read at once. */
const PAGE_ROWS = 5000;

/** What of a target is hashed. */
export interface FrozenTarget {
  readonly vehicleId: string;
  readonly configurationSha256: string;
  readonly compatibility: string;
}

/** A hash over targets in the order of their ids. */
export class TargetListHash {
  readonly #hash: Hash = createHash('sha256');
  vehicles = 0;

  add({ vehicleId, configurationSha256, compatibility }: FrozenTarget): void {
    this.vehicles += 1;
    this.#hash.update(`${JSON.stringify([vehicleId, configurationSha256, compatibility])}\n`);
  }

  /** In hex; nothing can be added afterwards. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/**
 * Appends the event `campaign.targets-frozen` over all who have a place by now. To be called when a start has
 * given the places, and again when another start added some.
 */
export async function freezeTargets(
  context: {
    readonly database: CloudDatabase;
    readonly events: EventSink;
  },
  campaign: {
    readonly campaignId: string;
    readonly tenant: string;
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  const { database, events } = context;
  const { campaignId, tenant, at } = campaign;
  // To the millisecond on both sides: whoever verifies the list has no more.
  const until = eventInstant(at);
  const list = new TargetListHash();
  let after = '';
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const rows = await database.kysely
      .selectFrom('campaign_target')
      .select(['vehicle_id', 'configuration_sha256', 'compatibility'])
      .where('campaign_id', '=', campaignId)
      .where('vehicle_id', '>', after)
      .where(sql<boolean>`date_trunc('milliseconds', confirmed_at) <= ${until}`)
      .orderBy('vehicle_id')
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) {
      list.add({
        vehicleId: row.vehicle_id,
        configurationSha256: row.configuration_sha256,
        compatibility: row.compatibility,
      });
    }
    if (rows.length < PAGE_ROWS) break;
    // A list that was just written has no statistics, and each page would sort what is left of it.
    // oxlint-disable-next-line no-await-in-loop -- once, after the first page
    if (after === '') await sql`analyze campaign_target`.execute(database.kysely);
    after = rows.at(-1)?.vehicle_id ?? after;
  }
  const body = {
    campaignId,
    vehicles: list.vehicles,
    sha256: list.digest(),
    until: until.toString({ smallestUnit: 'millisecond' }),
  };
  await committed(database, (tx) =>
    events.append(tx, [{ stream: fleetStream(tenant), kind: 'campaign.targets-frozen', at, body }]),
  );
}
