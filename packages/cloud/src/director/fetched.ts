/** Notes that vehicles fetched what they are offered: silence afterwards is a refusal. */
import { sql } from '@immota/store';
import { parseVehicleIdentifier } from '@immota/uptane';
import { type CloudContext, committed } from '../context.ts';
import type { ReportObserver } from './ports.ts';

/** What a vehicle fetched. */
export interface FetchedFiles {
  readonly vehicleId: string;
  readonly version: number;
}

/**
 * Notes it for many vehicles. The first fetch of an offer is an event; later ones are no news.
 *
 * @returns nothing for each.
 */
export async function markFetched(
  context: CloudContext,
  observer: ReportObserver,
  fetched: readonly FetchedFiles[],
): Promise<readonly undefined[]> {
  const at = context.clock.now();
  const distinct = [...new Map(fetched.map((one) => [one.vehicleId, one])).values()].toSorted(
    (left, right) => (left.vehicleId < right.vehicleId ? -1 : 1),
  );
  await committed(context.database, async (tx) => {
    const { rows } = await sql<{
      readonly vehicle_id: string;
      readonly correlation_id: string;
      readonly is_first: boolean;
    }>`
      update vehicle_director as known set fetched_at = ${at},
        first_fetched_at = coalesce(known.first_fetched_at, ${at})
      from vehicle_director as before, unnest(
        ${distinct.map(({ vehicleId }) => vehicleId)}::text[],
        ${distinct.map(({ version }) => version)}::bigint[]
      ) as fresh (vehicle_id, version)
      where known.vehicle_id = fresh.vehicle_id and known.version = fresh.version
        and before.vehicle_id = known.vehicle_id and known.correlation_id is not null
      returning known.vehicle_id, known.correlation_id,
        before.first_fetched_at is null as is_first`.execute(tx);
    const first = rows.filter((row) => row.is_first);
    const observations = first.map((row) => ({
      kind: 'fetched' as const,
      vehicleId: parseVehicleIdentifier(row.vehicle_id),
      at,
      correlationId: row.correlation_id,
    }));
    if (observations.length > 0) await observer.observe(tx, observations);
    await context.events.append(
      tx,
      observations.map(({ vehicleId, correlationId }) => ({
        stream: vehicleId,
        kind: 'update.fetched',
        at,
        body: { correlationId },
      })),
    );
  });
  return fetched.map(() => undefined);
}
