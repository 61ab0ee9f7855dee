/** The fleet scope in SQL: every statement of the operator API that touches vehicles carries it. */
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import type { FleetScope } from '../inventory/fleet-scope.ts';

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
  return query === undefined ? own : sql<boolean>`(${own} and false)`;
}
