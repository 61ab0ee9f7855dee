/** The audit log: who changed what, from where, and whether the record is as it was written. */
import { sql } from '@immota/store';
import { publicKeyFromDer } from '@immota/uptane';
import type { RawBuilder } from 'kysely';
import type { CloudContext } from '../context.ts';
import { type EventPlace, findLogEnd, type PlacedEvent } from '../event-log/event-order.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { verifyCheckpoints, verifyStream } from '../event-log/verify-stream.ts';
import { CloudFault } from '../fault.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { type Keystore, signersOf } from '../trust/keystore.ts';
import { isOfKind, isVisibleEvent } from './scoped-events.ts';

/** Vehicles whose records are checked at once; each by all of its events. */
const STREAMS_MAX = 5000;

/** Which entries are asked for. */
export interface AuditFilter {
  /** A kind, or the beginning of kinds with `*`. */
  readonly kind?: string | undefined;
  /** A person's address or a token's name. */
  readonly by?: string | undefined;
  readonly from?: Temporal.Instant | undefined;
  readonly to?: Temporal.Instant | undefined;
}

/** What the check found. */
export interface AuditVerdict {
  readonly isIntact: boolean;
  /** Events that were checked. */
  readonly checked: number;
  /** Of the chain of the tenant's fleet, hex. */
  readonly head: string;
  readonly problem?: string | undefined;
}

/** What people and tokens did, and what was refused them: as the index says. */
const IS_AUDITED = sql<boolean>`(event.body ? 'actor' or event.body ? 'by'
  or event.kind in ('authentication.refused', 'authorisation.denied'))`;

/** Lists entries that a caller sees, the newest first. */
export async function listAudit(
  { database }: Pick<CloudContext, 'database'>,
  fleet: FleetScope,
  {
    filter,
    before,
    limit,
  }: { readonly filter: AuditFilter; readonly before: EventPlace | undefined; limit: number },
): Promise<readonly PlacedEvent[]> {
  const isBefore =
    before === undefined
      ? sql`true`
      : sql`(event.tx, event.position) < (${before.tx}::xid8, ${before.position}::bigint)`;
  const { rows } = await sql<PlacedEvent>`${selectAudited(fleet)}
    and ${conditionOf(filter)} and ${isBefore}
    order by event.tx desc, event.position desc limit ${limit}`.execute(database.kysely);
  return rows;
}

/** Reads all entries that a caller sees and that are there now, the oldest first, page by page. */
export async function* readAudit(
  { database }: Pick<CloudContext, 'database'>,
  fleet: FleetScope,
  pageRows: number,
): AsyncGenerator<readonly PlacedEvent[]> {
  const end = await findLogEnd(database.kysely, true);
  let after: EventPlace = { tx: '0', position: 0 };
  for (;;) {
    const { rows } = await sql<PlacedEvent>`${selectAudited(fleet)}
      and (event.tx, event.position) > (${after.tx}::xid8, ${after.position}::bigint)
      and (event.tx, event.position) <= (${end.tx}::xid8, ${end.position}::bigint)
      order by event.tx, event.position limit ${pageRows}`.execute(database.kysely);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = { tx: last.tx, position: last.position };
  }
}

/**
 * Checks the chain of the tenant's fleet against its checkpoints, and the chains of the vehicles on whose record
 * somebody's change is.
 */
export async function verifyAudit(
  { context, keystore }: { readonly context: CloudContext; readonly keystore: Keystore },
  fleet: FleetScope,
): Promise<AuditVerdict> {
  const { database } = context;
  const stream = fleetStream(fleet.tenant);
  let checked = 0;
  let head = '';
  const count = (): void => {
    checked += 1;
  };
  try {
    head = (await verifyStream(database, stream, count)).hash.toHex();
    const [signer] = signersOf(keystore, 'events');
    if (signer !== undefined) {
      const key = publicKeyFromDer(signer.algorithm, signer.publicKeyDer);
      await verifyCheckpoints(database, stream, key);
    }
    for (const vehicle of await auditedVehicles(context, fleet)) {
      await verifyStream(database, vehicle, count);
    }
    return { isIntact: true, checked, head };
  } catch (error) {
    if (!(error instanceof CloudFault) || error.code !== 'EVENT_CHAIN') throw error;
    return { isIntact: false, checked, head, problem: error.message };
  }
}

async function auditedVehicles(
  { database }: Pick<CloudContext, 'database'>,
  fleet: FleetScope,
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly stream: string }>`
    select event.stream from event join vehicle on vehicle.vehicle_id = event.stream
    where ${IS_AUDITED} and ${isVisibleEvent(fleet)}
    group by event.stream order by max(event.position) desc limit ${STREAMS_MAX}`.execute(
    database.kysely,
  );
  return rows.map(({ stream }) => stream);
}

function selectAudited(fleet: FleetScope): RawBuilder<unknown> {
  return sql`select event.stream, event.sequence, event.at, event.kind, event.body, event.hash,
      event.tx::text as tx, event.position
    from event left join vehicle on vehicle.vehicle_id = event.stream
    where ${IS_AUDITED} and ${isVisibleEvent(fleet)}`;
}

function conditionOf({ kind, by, from, to }: AuditFilter): RawBuilder<unknown> {
  const parts: RawBuilder<unknown>[] = [sql`true`];
  if (kind !== undefined) parts.push(isOfKind(kind));
  if (by !== undefined) {
    parts.push(sql`(event.body ->> 'by' = ${by} or event.body #>> '{actor,name}' = ${by})`);
  }
  if (from !== undefined) parts.push(sql`event.at >= ${from}`);
  if (to !== undefined) parts.push(sql`event.at < ${to}`);
  return sql.join(parts, sql` and `);
}
