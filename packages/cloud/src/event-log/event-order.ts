/**
 * All events in one order, in which a reader goes on where it was: by the transaction that appended them, and
 * within it by place. What is read ends before the oldest transaction that is still open, so that nothing
 * appears behind a reader (ADR 117).
 */
import { sql } from '@immota/store';
import type { RawBuilder, Selectable } from 'kysely';
import { committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { EventRow } from '../schema/event-tables.ts';

/** A place between two events. */
export interface EventPlace {
  /** Of the transaction, in decimal. */
  readonly tx: string;
  readonly position: number;
}

/** An event, and whose it is. */
export interface PlacedEvent extends Omit<Selectable<EventRow>, 'tx' | 'position'>, EventPlace {}

const FORM = /^(\d{1,20})-(\d{1,16})$/;
const TX_MAX = 18_446_744_073_709_551_615n;

/** Writes a place, as `Last-Event-ID` and pages carry it. */
export function encodePlace({ tx, position }: EventPlace): string {
  return `${tx}-${position}`;
}

/** Reads a place. @throws CloudFault REQUEST_MALFORMED. */
export function parsePlace(text: string): EventPlace {
  const [, tx, position] = FORM.exec(text) ?? [];
  const isPlace =
    tx !== undefined && BigInt(tx) <= TX_MAX && Number.isSafeInteger(Number(position));
  if (isPlace) return { tx, position: Number(position) };
  throw new CloudFault('REQUEST_MALFORMED', 'Cannot read request: no place in the event log');
}

/**
 * Finds where the log ends now: what comes later is behind it.
 *
 * @param withOpen - also what transactions appended beside which others are still open: for whoever reads once.
 */
export async function findLogEnd(
  database: CloudDatabase['kysely'] | CloudTransaction,
  withOpen = false,
): Promise<EventPlace> {
  const { rows } = await sql<EventPlace>`
    select tx::text as tx, position from event where ${withOpen ? sql`true` : isSettled()}
    order by event.tx desc, position desc limit 1`.execute(database);
  return rows[0] ?? { tx: '0', position: 0 };
}

/**
 * Reads events after a place.
 *
 * @param countMax - looked at; fewer come back where the condition leaves some out.
 * @param condition - on `event`, and on `vehicle`, which is null for streams of fleets.
 * @returns those that meet it, and the place after all that were looked at.
 */
export async function readEvents(
  database: CloudDatabase['kysely'] | CloudTransaction,
  { after, countMax }: { readonly after: EventPlace; readonly countMax: number },
  condition: RawBuilder<boolean>,
): Promise<{ readonly events: readonly PlacedEvent[]; readonly end: EventPlace; count: number }> {
  const { rows } = await sql<PlacedEvent & { readonly is_meant: boolean | null }>`
    select event.stream, event.sequence, event.at, event.kind, event.body, event.hash,
      event.tx::text as tx, event.position, ${condition} as is_meant
    from (
      select * from event where (tx, position) > (${after.tx}::xid8, ${after.position}::bigint)
        and ${isSettled()}
      order by tx, position limit ${countMax}
    ) as event left join vehicle on vehicle.vehicle_id = event.stream
    order by event.tx, event.position`.execute(database);
  const last = rows.at(-1);
  const end = last === undefined ? after : { tx: last.tx, position: last.position };
  return { events: rows.filter((row) => row.is_meant === true), end, count: rows.length };
}

/** Every transaction below this one has ended, one way or the other. */
function isSettled(): RawBuilder<boolean> {
  return sql<boolean>`event.tx < pg_snapshot_xmin(pg_current_snapshot())`;
}

/**
 * Puts events in order that came from another server: in a copy of its data they bear numbers of its own
 * transactions, which here are still to come.
 */
export async function settleCopiedEvents(database: CloudDatabase): Promise<void> {
  const { rows } = await sql`select from event
    where tx >= pg_snapshot_xmax(pg_current_snapshot()) limit 1`.execute(database.kysely);
  if (rows.length === 0) return;
  await committed(database, async (tx) => {
    await sql`update event set tx = '0' where tx <> '0'`.execute(tx);
    await sql`update webhook_cursor set tx = '0'`.execute(tx);
  });
}
