/** The event log in the database: append, never edit (ADR 7). */
import { sql } from '@immota/store';
import type { CloudTransaction } from '../schema/database.ts';
import { storableObject } from '../storable.ts';
import { withActor } from './actor.ts';
import { type ChainHead, eventInstant, GENESIS, linkHash } from './chain.ts';
import { type EventSink, FLEET_STREAM, isFleetStream, type NewEvent } from './event-sink.ts';

/** The advisory lock of the fleet's stream, which has no row of its own to lock: `fleet` in bytes. */
const FLEET_LOCK = 0x66_6c_65_65_74;

/** The channel that is told when the stream of a fleet grew; the payload is empty. */
export const EVENTS_CHANNEL = 'immota_events';

interface HeadRow extends ChainHead {
  readonly stream: string;
}

/** The event log. */
export const eventLog: EventSink = {
  async append(tx, events) {
    if (events.length === 0) return;
    const streams = [...new Set(events.map(({ stream }) => stream))].toSorted();
    await lockStreams(tx, streams);
    const heads = await loadHeads(tx, streams);
    const rows = events.map((event) => {
      const head = heads.get(event.stream) ?? GENESIS;
      const row = chain(head, event);
      heads.set(event.stream, row);
      return row;
    });
    await sql`
      insert into event (stream, sequence, at, kind, body, hash)
      select stream, sequence, at, kind, body::jsonb, hash from unnest(
        ${rows.map(({ stream }) => stream)}::text[],
        ${rows.map(({ sequence }) => sequence)}::bigint[],
        ${rows.map(({ at }) => at)}::timestamptz[],
        ${rows.map(({ kind }) => kind)}::text[],
        ${rows.map(({ body }) => JSON.stringify(body))}::text[],
        ${rows.map(({ hash }) => hash)}::bytea[]
      ) as fresh (stream, sequence, at, kind, body, hash)`.execute(tx);
    // Commits that notify wait for one another; those of fleets do so anyway. Of vehicles' events readers
    // hear when they look again (ADR 117).
    if (streams.some(isFleetStream)) {
      await sql`select pg_notify(${EVENTS_CHANNEL}, '')`.execute(tx);
    }
  },
};

function chain(head: ChainHead, event: NewEvent): NewEvent & ChainHead {
  const { stream, kind } = event;
  const body = storableObject(withActor(event.body));
  const sequence = head.sequence + 1;
  const at = eventInstant(event.at);
  const link = { stream, sequence, at, kind, body };
  return { ...link, hash: linkHash(head.hash, link) };
}

/** Two who append to one stream at once would both link to the same head. */
async function lockStreams(tx: CloudTransaction, streams: readonly string[]): Promise<void> {
  const vehicles = streams.filter((stream) => stream !== FLEET_STREAM);
  if (vehicles.length > 0) {
    const { rows } = await sql<{ readonly vehicle_id: string }>`
      select vehicle_id from vehicle where vehicle_id = any(${vehicles})
      order by vehicle_id for no key update`.execute(tx);
    const locked = new Set(rows.map(({ vehicle_id: id }) => id));
    const strangers = vehicles.filter((stream) => !locked.has(stream));
    if (strangers.length > 0) await lockStrangers(tx, strangers);
  }
  if (streams.includes(FLEET_STREAM)) {
    await sql`select pg_advisory_xact_lock(${FLEET_LOCK})`.execute(tx);
  }
}

/** Streams of vehicles that the inventory does not know (yet) have no row to lock. */
async function lockStrangers(tx: CloudTransaction, streams: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(stream, 1))
    from unnest(${streams}::text[]) as stream`.execute(tx);
}

async function loadHeads(
  tx: CloudTransaction,
  streams: readonly string[],
): Promise<Map<string, ChainHead>> {
  const { rows } = await sql<HeadRow>`
    select wanted.stream, head.sequence, head.hash
    from unnest(${streams}::text[]) as wanted (stream)
    cross join lateral (
      select sequence, hash from event where event.stream = wanted.stream
      order by sequence desc limit 1
    ) as head`.execute(tx);
  return new Map(rows.map(({ stream, sequence, hash }) => [stream, { sequence, hash }]));
}
