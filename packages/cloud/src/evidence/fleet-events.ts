/** The events of the fleet's stream that concern a campaign, its release and its dossier. */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import type { CampaignRecord } from '../approval/check-approved.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type ChainedRow, eventLine } from './event-line.ts';

/** Events read at once. */
const PAGE_ROWS = 500;

/**
 * Reads them in their order. Events of other campaigns are left out: an authority sees what concerns this
 * one, each link with the hash it is chained to, and the signed head of the whole.
 */
export async function* readFleetEvents(
  database: CloudDatabase,
  { campaign_id: campaignId, release_id: releaseId, tenant }: CampaignRecord,
): AsyncGenerator<JsonObject> {
  const stream = fleetStream(tenant);
  let after = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const { rows } = await sql<ChainedRow>`
      select e.stream, e.sequence, e.at, e.kind, e.body, e.hash, before.hash as previous_hash
      from event e left join event before
        on before.stream = e.stream and before.sequence = e.sequence - 1
      where e.stream = ${stream} and e.sequence > ${after}
        and (e.body ->> 'campaignId' = ${campaignId} or e.body ->> 'releaseId' = ${releaseId})
      order by e.sequence limit ${PAGE_ROWS}`.execute(database.kysely);
    for (const row of rows) yield eventLine(row);
    after = rows.at(-1)?.sequence ?? after;
    if (rows.length < PAGE_ROWS) return;
  }
}
