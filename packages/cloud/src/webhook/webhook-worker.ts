/**
 * Hands events to webhooks, at least once: a durable cursor goes over the event log, each message is a row before
 * it is sent, and who sends one holds it for a minute only. Killed at any instant, it is taken up again.
 */
import { createHash } from 'node:crypto';
import { type Scheduled, sql, systemTimer, type Timer } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { encodePlace, type EventPlace, findLogEnd } from '../event-log/event-order.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { eventView } from '../operator/views.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { EventRow } from '../schema/event-tables.ts';
import { createSealer, type DeploymentSecret } from '../seal.ts';
import type { Selectable } from 'kysely';
import { sendMessage, type SendResult } from './send-message.ts';
import { signMessage } from './signature.ts';
import type { Delivery, WebhookParts } from './webhooks.ts';

/** Events handed out in one transaction. */
const PAGE_EVENTS = 500;
/** Messages on their way at once, and to one receiver: a slow one holds up itself alone. */
const AT_ONCE = 32;
const AT_ONCE_EACH = 4;
/** How often the log is looked at. */
const LOOK_MS = 1000;
/** How long a message is held by whoever sends it: some times the longest try. */
const HOLD: Temporal.DurationLike = { seconds: 60 };
/** Tries over some 26 hours: a receiver may be down for a day. */
const ATTEMPTS_MAX = 10;
const FIRST_WAIT_SECONDS = 5;
const LAST_WAIT_SECONDS = 6 * 3600;
/** Messages that are longer come without the event's body. */
const MESSAGE_MAX_LENGTH = 65_536;
/** What was sent is shown for so long. */
const KEPT: Temporal.DurationLike = { hours: 30 * 24 };
const SWEEP_ROWS = 5000;

/** What the worker needs. */
export interface WebhookWorkerOptions {
  readonly context: CloudContext;
  readonly secret: DeploymentSecret;
  readonly webhookAllow?: readonly string[] | undefined;
  readonly failed: (error: unknown) => void;
  readonly timer?: Timer | undefined;
}

/** The worker, until it is closed. */
export interface WebhookWorker {
  /** Hands out and sends what is due now. @returns how many messages were tried. */
  run(): Promise<number>;
  close(): Promise<void>;
}

/** What webhooks are kept with, in one way everywhere. */
export function webhookParts(
  options: Pick<WebhookWorkerOptions, 'context' | 'secret' | 'webhookAllow'>,
): WebhookParts {
  const { context, secret, webhookAllow: allow = [] } = options;
  return { context, allow, sealer: createSealer(secret, 'webhook secrets', context.entropy) };
}

/** Begins to work. */
export function openWebhookWorker(options: WebhookWorkerOptions): WebhookWorker {
  const { failed, timer = systemTimer } = options;
  const parts = webhookParts(options);
  let running: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  let scheduled: Scheduled | undefined;
  const run = async (): Promise<number> => {
    for (;;) {
      if (isClosed || (await handOut(parts)) < PAGE_EVENTS) break;
    }
    let tried = 0;
    for (;;) {
      const held = isClosed ? [] : await hold(parts);
      if (held.length === 0) break;
      await Promise.all(held.map((message) => attempt(parts, message)));
      tried += held.length;
    }
    await sweep(parts);
    return tried;
  };
  const schedule = (): void => {
    if (isClosed) return;
    scheduled = timer.schedule(LOOK_MS, () => {
      running = run().catch(failed).then(schedule);
    });
  };
  schedule();
  return {
    run,
    async close() {
      isClosed = true;
      scheduled?.cancel();
      await running;
    },
  };
}

interface LogEvent extends Selectable<EventRow> {
  readonly tenant: string | null;
}

/** Moves the cursor over a page of the log, and makes a message of each event for each webhook that wants it. */
async function handOut({ context }: WebhookParts): Promise<number> {
  return await committed(context.database, async (tx) => {
    const cursor = await takeCursor(tx);
    if (cursor === undefined) return 0;
    const { rows: events } = await sql<LogEvent>`
      select event.stream, event.sequence, event.at, event.kind, event.body, event.hash,
        event.tx::text as tx, event.position, coalesce(vehicle.tenant,
          case when event.stream = 'fleet' then 'main'
            when starts_with(event.stream, 'fleet:') then substr(event.stream, 7) end) as tenant
      from (
        select * from event where (tx, position) > (${cursor.tx}::xid8, ${cursor.position}::bigint)
          and tx < pg_snapshot_xmin(pg_current_snapshot())
        order by tx, position limit ${PAGE_EVENTS}
      ) as event left join vehicle on vehicle.vehicle_id = event.stream
      order by event.tx, event.position`.execute(tx);
    const last = events.at(-1);
    if (last === undefined) return 0;
    await makeMessages(context, tx, events);
    await sql`update webhook_cursor set tx = ${last.tx}::xid8, position = ${last.position}`.execute(
      tx,
    );
    return events.length;
  });
}

/** Of several processes one hands out; the others find nothing to do. */
async function takeCursor(tx: CloudTransaction): Promise<EventPlace | undefined> {
  const { rows } = await sql<EventPlace>`
    select tx::text as tx, position from webhook_cursor for update skip locked`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  // What was before the first webhook concerns none.
  const { tx: first, position } = await findLogEnd(tx);
  await sql`insert into webhook_cursor (tx, position) values (${first}::xid8, ${position})
    on conflict do nothing`.execute(tx);
  return undefined;
}

async function makeMessages(
  { clock }: CloudContext,
  tx: CloudTransaction,
  events: readonly LogEvent[],
): Promise<void> {
  const webhooks = await tx
    .selectFrom('webhook')
    .select(['webhook_id', 'tenant', 'events', 'created_at'])
    .where('is_enabled', '=', true)
    .execute();
  const now = clock.now();
  const rows = events.flatMap((event) =>
    webhooks
      .filter((webhook) => isFor(webhook, event))
      .map((webhook) => ({
        delivery_id: deliveryIdOf(webhook.webhook_id, event),
        webhook_id: webhook.webhook_id,
        event_kind: event.kind,
        message: messageOf(event),
        state: 'waiting' as const,
        status: null,
        problem: null,
        created_at: now,
        at: now,
        next_at: now,
      })),
  );
  if (rows.length === 0) return;
  await tx
    .insertInto('webhook_delivery')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function isFor(
  webhook: {
    readonly webhook_id: string;
    readonly tenant: string;
    readonly events: readonly string[];
    readonly created_at: Temporal.Instant;
  },
  event: LogEvent,
): boolean {
  if (event.tenant !== webhook.tenant) return false;
  if (Temporal.Instant.compare(event.at, webhook.created_at) < 0) return false;
  // That it cannot be reached is nothing to send to it.
  if (event.kind === 'webhook.given-up' && event.body['webhookId'] === webhook.webhook_id) {
    return false;
  }
  return webhook.events.some((pattern) =>
    pattern.endsWith('*') ? event.kind.startsWith(pattern.slice(0, -1)) : event.kind === pattern,
  );
}

/** The same event has the same id for a webhook, however often it is handed out. */
function deliveryIdOf(webhookId: string, event: LogEvent): string {
  const digest = createHash('sha256')
    .update(`${webhookId} ${encodePlace(event)}`)
    .digest();
  return `msg_${digest.subarray(0, 18).toString('base64url')}`;
}

function messageOf(event: LogEvent): string {
  const data = eventView(event);
  const whole = { type: event.kind, timestamp: event.at.toString(), data };
  const text = JSON.stringify(whole);
  if (text.length <= MESSAGE_MAX_LENGTH) return text;
  return JSON.stringify({ ...whole, data: { ...data, body: { isCut: true } } });
}

/** A message that this process holds. */
export interface HeldMessage extends Delivery {
  readonly url: string;
  readonly sealed_secret: Uint8Array;
  readonly tenant: string;
}

/** Holds what is due: some of each receiver. */
async function hold({ context }: WebhookParts): Promise<readonly HeldMessage[]> {
  const now = context.clock.now();
  const { rows } = await sql<HeldMessage>`
    with due as (
      select one.delivery_id from webhook
      cross join lateral (
        select delivery_id, next_at from webhook_delivery
        where webhook_id = webhook.webhook_id and state = 'waiting' and next_at <= ${now}
        order by next_at limit ${AT_ONCE_EACH} for update skip locked
      ) as one
      where webhook.is_enabled limit ${AT_ONCE}
    )
    update webhook_delivery set attempts = attempts + 1, next_at = ${now.add(HOLD)}
    from webhook
    where webhook_delivery.delivery_id in (select delivery_id from due)
      and webhook.webhook_id = webhook_delivery.webhook_id
    returning webhook_delivery.*, webhook.url, webhook.sealed_secret, webhook.tenant`.execute(
    context.database.kysely,
  );
  return rows;
}

/** Tries a message that is held, and writes down what became of it. */
export async function attempt(parts: WebhookParts, held: HeldMessage): Promise<Delivery> {
  const { context, sealer, allow } = parts;
  const timestamp = Math.floor(context.clock.now().epochMilliseconds / 1000);
  const secret = sealer.open(held.webhook_id, held.sealed_secret);
  const message = { id: held.delivery_id, timestamp, body: held.message };
  const headers = {
    'webhook-id': held.delivery_id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signMessage(secret, message),
  };
  const result = await sendMessage({ url: held.url, headers, body: held.message }, allow);
  return await settle(context, held, result);
}

async function settle(
  context: CloudContext,
  held: HeldMessage,
  { status, problem }: SendResult,
): Promise<Delivery> {
  const at = context.clock.now();
  // {Standard Webhooks}: a receiver that is gone wants nothing more.
  const isGone = status === 410;
  const isOver = isGone || held.attempts >= ATTEMPTS_MAX;
  const isDone = problem === undefined;
  const state = isDone ? 'delivered' : isOver ? 'given-up' : 'waiting';
  return await committed(context.database, async (tx) => {
    const row = await tx
      .updateTable('webhook_delivery')
      .set({
        state,
        status: status ?? null,
        problem: problem ?? null,
        at,
        next_at: state === 'waiting' ? at.add({ seconds: waitSeconds(held.attempts) }) : null,
      })
      .where('delivery_id', '=', held.delivery_id)
      .returningAll()
      .executeTakeFirst();
    await tx
      .updateTable('webhook')
      .set({
        last_delivery_at: at,
        last_status: problem ?? `${status ?? ''}`,
        ...(isGone ? { is_enabled: false } : {}),
      })
      .where('webhook_id', '=', held.webhook_id)
      .execute();
    if (state === 'given-up') {
      const { webhook_id: webhookId, event_kind: event, attempts } = held;
      const body = { webhookId, event, attempts, problem: problem ?? '' };
      const stream = fleetStream(held.tenant);
      await context.events.append(tx, [{ stream, kind: 'webhook.given-up', at, body }]);
    }
    // It was deleted together with its webhook meanwhile.
    return row ?? held;
  });
}

function waitSeconds(attempts: number): number {
  return Math.min(LAST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 4 ** (attempts - 1));
}

async function sweep({ context }: WebhookParts): Promise<void> {
  const before = context.clock.now().subtract(KEPT);
  await sql`delete from webhook_delivery where delivery_id in (
    select delivery_id from webhook_delivery
    where state <> 'waiting' and created_at < ${before} limit ${SWEEP_ROWS})`.execute(
    context.database.kysely,
  );
}
