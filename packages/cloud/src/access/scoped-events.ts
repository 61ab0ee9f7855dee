/** Which events a caller sees. */
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import { fleetStream } from '../event-log/event-sink.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { inScope } from './scope.ts';

/**
 * Says in SQL which events a caller sees: those of its tenant's fleet, and those of vehicles in its scope.
 *
 * @returns a condition on `event` and on `vehicle`, joined by the stream.
 */
export function isVisibleEvent(fleet: FleetScope): RawBuilder<boolean> {
  return sql<boolean>`(event.stream = ${fleetStream(fleet.tenant)}
    or (vehicle.vehicle_id is not null and ${inScope(fleet)}))`;
}

/**
 * Says in SQL which events are of a kind.
 *
 * @param pattern - a kind, or the beginning of kinds with `*` behind it.
 */
export function isOfKind(pattern: string): RawBuilder<boolean> {
  if (!pattern.endsWith('*')) return sql<boolean>`event.kind = ${pattern}`;
  return sql<boolean>`starts_with(event.kind, ${pattern.slice(0, -1)})`;
}
