/** The fleet scope in SQL: every statement of the operator API that touches vehicles carries it. */
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import { parseFleetQuery } from '../campaign/fleet-query.ts';
import { CloudFault } from '../fault.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';

/**
 * Says in SQL which vehicles a caller sees. What the caller's query cannot decide for a vehicle counts as no.
 *
 * @param fleet - of the caller.
 * @param alias - of the table `vehicle` in the statement.
 * @returns a condition for `where`.
 * @throws CloudFault QUERY_MALFORMED when the scope is no query any more: nothing is shown then.
 */
export function inScope({ tenant, query }: FleetScope, alias = 'vehicle'): RawBuilder<boolean> {
  const own = sql<boolean>`${sql.ref(`${alias}.tenant`)} = ${tenant}`;
  if (query === undefined) return own;
  return sql<boolean>`(${own} and ${parseFleetQuery(query).sql(alias)})`;
}

/**
 * Checks that a caller sees a vehicle; one that they do not see is as if it were not there.
 *
 * @throws CloudFault NOT_FOUND.
 */
export async function checkVisible(
  database: CloudDatabase['kysely'] | CloudTransaction,
  fleet: FleetScope,
  vehicleId: string,
): Promise<void> {
  const { rows } = await sql`select from vehicle
    where vehicle_id = ${vehicleId} and ${inScope(fleet)}`.execute(database);
  if (rows.length > 0) return;
  throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
}
