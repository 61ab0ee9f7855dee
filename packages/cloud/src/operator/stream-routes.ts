/** What happens, as server-sent events: each reader goes on where it was, and sees what its scope lets it. */
import { OPERATOR_ROUTES } from '@immota/api';
import { sql } from '@immota/store';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { RawBuilder } from 'kysely';
import { type AccessRoom, identifyAgain } from '../access/access-room.ts';
import { isOfKind, isVisibleEvent } from '../access/scoped-events.ts';
import type { EventFeed } from '../event-log/event-feed.ts';
import {
  encodePlace,
  type EventPlace,
  findLogEnd,
  parsePlace,
  readEvents,
} from '../event-log/event-order.ts';
import { CloudFault } from '../fault.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import type { OperatorApp, OperatorEnv } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import { eventView } from './views.ts';

/** Events looked at in one statement. */
const PAGE_EVENTS = 500;
/** Pages after which a reader that is behind is told to load anew: minutes of a busy fleet. */
const BEHIND_PAGES_MAX = 50;
/** A reader that takes nothing for so long has gone, or will never catch up. */
const WRITE_MS = 30_000;
/** What a browser waits before it comes again. */
const RETRY_MS = 3000;
/** Streams of one person or token: a screen or two for each of their tabs. */
const OF_ONE_MAX = 10;
const OF_ALL_MAX = 500;

interface Filter {
  readonly kinds?: string | undefined;
  readonly campaignId?: string | undefined;
  readonly vehicleId?: string | undefined;
}

/** Adds the route of live events. */
export function addStreamRoutes(
  app: OperatorApp,
  { context }: OperatorServices,
  { room, feed }: { readonly room: AccessRoom; readonly feed: EventFeed },
): void {
  const seats = new Seats();
  app.openapi(OPERATOR_ROUTES.streamEvents.config, async (c) => {
    const { name, fleet } = c.get('caller');
    const leave = seats.take(`${fleet.tenant} ${name}`);
    try {
      const last = c.req.header('last-event-id');
      const { kysely } = context.database;
      const start = last === undefined ? await findLogEnd(kysely) : parsePlace(last);
      const filter = c.req.valid('query');
      const unjoin = feed.join();
      return streamSSE(c, async (stream) => {
        try {
          await follow(c, stream, { room, feed, filter, start });
        } finally {
          unjoin();
          leave();
        }
      });
    } catch (error) {
      leave();
      throw error;
    }
  });
}

/** How many streams are open, by whom. */
class Seats {
  readonly #taken = new Map<string, number>();
  #all = 0;

  /** Takes one. @returns what gives it back. @throws CloudFault QUOTA when there are too many. */
  take(who: string): () => void {
    const own = this.#taken.get(who) ?? 0;
    if (own >= OF_ONE_MAX || this.#all >= OF_ALL_MAX) {
      throw new CloudFault('QUOTA', 'Cannot open another stream: close one of those that are open');
    }
    this.#taken.set(who, own + 1);
    this.#all += 1;
    return () => {
      this.#all -= 1;
      const left = (this.#taken.get(who) ?? 1) - 1;
      if (left === 0) this.#taken.delete(who);
      else this.#taken.set(who, left);
    };
  }
}

async function follow(
  c: Context<OperatorEnv>,
  stream: SSEStreamingApi,
  parts: {
    readonly room: AccessRoom;
    readonly feed: EventFeed;
    readonly filter: Filter;
    readonly start: EventPlace;
  },
): Promise<void> {
  const { room, feed, filter } = parts;
  const { kysely } = room.context.database;
  let place = parts.start;
  let pagesBehind = 0;
  await inTime(stream, stream.write(`retry: ${RETRY_MS}\nid: ${encodePlace(place)}\n\n`));
  while (!stream.aborted && !stream.closed && !feed.isClosed) {
    const woken = feed.next();
    // Whoever is barred, or may see less now, hears nothing more of it.
    const caller = await identifyAgain(room, c);
    if (caller === undefined) return;
    const page = { after: place, countMax: PAGE_EVENTS };
    const { events, end, count } = await readEvents(
      kysely,
      page,
      conditionOf(caller.fleet, filter),
    );
    for (const event of events) {
      const data = JSON.stringify(eventView(event));
      // Without a name: a browser hands named events to whoever listens for that very name, and kinds grow.
      await inTime(stream, stream.writeSSE({ id: encodePlace(event), data }));
    }
    place = end;
    pagesBehind = count < PAGE_EVENTS ? 0 : pagesBehind + 1;
    if (pagesBehind > BEHIND_PAGES_MAX) {
      place = await findLogEnd(kysely);
      pagesBehind = 0;
      const data = JSON.stringify({ hint: 'Too much happened meanwhile: load what you show anew' });
      await inTime(stream, stream.writeSSE({ id: encodePlace(place), event: 'reset', data }));
    }
    if (count === PAGE_EVENTS) continue;
    await woken;
    // The place goes along, so that a reader of rare events does not come back to one long ago.
    await inTime(stream, stream.write(`: here\nid: ${encodePlace(place)}\n\n`));
  }
}

function conditionOf(fleet: FleetScope, filter: Filter): RawBuilder<boolean> {
  const { kinds, campaignId, vehicleId } = filter;
  const patterns = (kinds ?? '').split(',').filter((kind) => kind !== '');
  const parts = [isVisibleEvent(fleet)];
  if (patterns.length > 0) {
    const either = sql.join(
      patterns.map((pattern) => isOfKind(`${pattern.replace(/\*$/, '')}*`)),
      sql` or `,
    );
    parts.push(sql<boolean>`(${either})`);
  }
  if (vehicleId !== undefined) parts.push(sql<boolean>`event.stream = ${vehicleId}`);
  if (campaignId !== undefined) {
    parts.push(sql<boolean>`(event.body ->> 'campaignId' = ${campaignId}
      or exists (select from campaign_vehicle place
        where place.vehicle_id = event.stream and place.campaign_id = ${campaignId}))`);
  }
  return sql<boolean>`(${sql.join(parts, sql` and `)})`;
}

/** Writes wait for the reader: what waits too long is let go, and may come again where it was. */
async function inTime(stream: SSEStreamingApi, writing: Promise<unknown>): Promise<void> {
  const { promise: tooLate, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => {
    resolve('late');
  }, WRITE_MS);
  try {
    if ((await Promise.race([writing, tooLate])) === 'late') stream.abort();
  } finally {
    clearTimeout(timer);
  }
}
