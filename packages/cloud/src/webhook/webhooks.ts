/** Webhooks of a tenant: made, listed, deleted. */
import { EVENTS } from '@immota/api';
import { sql } from '@immota/store';
import type { Selectable } from 'kysely';
import { newId } from '../access/people.ts';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { Position } from '../operator/position.ts';
import type { WebhookDeliveryRow, WebhookRow } from '../schema/access-tables.ts';
import type { Sealer } from '../seal.ts';
import { checkReachable } from './reachable.ts';
import { encodeSecret } from './signature.ts';

/** Webhooks of a tenant: one for each system that listens. */
const WEBHOOKS_MAX = 50;
const SECRET_LENGTH_BYTES = 32;

/** What webhooks are kept with. */
export interface WebhookParts {
  readonly context: CloudContext;
  /** Of their secrets. */
  readonly sealer: Sealer;
  /** Hosts that may be reached though they are not public. */
  readonly allow: readonly string[];
}

/** Whose webhooks, and who asks. */
export interface WebhookOwner {
  readonly tenant: string;
  readonly by: string;
}

/** A webhook, and how many messages wait for it. */
export type Webhook = Selectable<WebhookRow> & { readonly waiting: number };
/** What became of a message. */
export type Delivery = Selectable<WebhookDeliveryRow>;

/**
 * Makes a webhook.
 *
 * @returns it, and its secret, this once.
 * @throws CloudFault WEBHOOK_ADDRESS, QUOTA; REQUEST_MALFORMED for events that there are not.
 */
export async function createWebhook(
  { context, sealer, allow }: WebhookParts,
  { tenant, by }: WebhookOwner,
  asked: { readonly url: string; readonly events: readonly string[] },
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  const { url, events } = asked;
  checkReachable(url, allow);
  for (const pattern of events) checkPattern(pattern);
  const secret = context.entropy.bytes(SECRET_LENGTH_BYTES);
  const webhookId = newId(context, 'webhook');
  const at = context.clock.now();
  const row = await committed(context.database, async (tx) => {
    const { count } = await tx
      .selectFrom('webhook')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('tenant', '=', tenant)
      .executeTakeFirstOrThrow();
    if (count >= WEBHOOKS_MAX) {
      throw new CloudFault('QUOTA', `Cannot create webhook: there are ${WEBHOOKS_MAX} already`);
    }
    const body = { webhookId, url: withoutQuery(url), events: [...events], by };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'webhook.created', at, body }]);
    return await tx
      .insertInto('webhook')
      .values({
        webhook_id: webhookId,
        tenant,
        url,
        events,
        sealed_secret: sealer.seal(webhookId, secret),
        created_by: by,
        created_at: at,
        last_delivery_at: null,
        last_status: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  return { webhook: { ...row, waiting: 0 }, secret: encodeSecret(secret) };
}

/** Deletes a webhook and what waits for it. @throws CloudFault NOT_FOUND. */
export async function deleteWebhook(
  { context }: WebhookParts,
  { tenant, by }: WebhookOwner,
  webhookId: string,
): Promise<void> {
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const row = await tx
      .deleteFrom('webhook')
      .where('webhook_id', '=', webhookId)
      .where('tenant', '=', tenant)
      .returning('url')
      .executeTakeFirst();
    if (row === undefined) throw missing(webhookId);
    const body = { webhookId, url: withoutQuery(row.url), by };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'webhook.deleted', at, body }]);
  });
}

/** Lists webhooks by id. */
export async function listWebhooks(
  { context }: WebhookParts,
  tenant: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly Webhook[]> {
  const { rows } = await sql<Webhook>`
    select *, (select count(*) from webhook_delivery delivery
      where delivery.webhook_id = webhook.webhook_id and state = 'waiting') as waiting
    from webhook where tenant = ${tenant} and webhook_id > ${after}
    order by webhook_id limit ${limit}`.execute(context.database.kysely);
  return rows;
}

/** Checks that a webhook is there and the tenant's own. @throws CloudFault NOT_FOUND. */
async function checkWebhook(
  { context }: WebhookParts,
  tenant: string,
  webhookId: string,
): Promise<void> {
  const row = await context.database.kysely
    .selectFrom('webhook')
    .select('webhook_id')
    .where('webhook_id', '=', webhookId)
    .where('tenant', '=', tenant)
    .executeTakeFirst();
  if (row === undefined) throw missing(webhookId);
}

/** Lists what a webhook sent, the newest first. @throws CloudFault NOT_FOUND. */
export async function listDeliveries(
  parts: WebhookParts,
  { tenant, webhookId }: { readonly tenant: string; readonly webhookId: string },
  { before, limit }: { readonly before: Position | undefined; readonly limit: number },
): Promise<readonly Delivery[]> {
  await checkWebhook(parts, tenant, webhookId);
  let select = parts.context.database.kysely
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('webhook_id', '=', webhookId)
    .orderBy('created_at', 'desc')
    .orderBy('delivery_id', 'desc')
    .limit(limit);
  if (before !== undefined) {
    const { createdAt, id } = before;
    select = select.where(sql<boolean>`(created_at, delivery_id) < (${createdAt}, ${id})`);
  }
  return await select.execute();
}

/** A kind that there is, or the beginning of some with `*`; `*` alone is all. */
function checkPattern(pattern: string): void {
  const start = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
  const kinds = Object.keys(EVENTS);
  const isKnown = kinds.some((kind) =>
    start === undefined ? kind === pattern : kind.startsWith(start),
  );
  if (isKnown) return;
  throw new CloudFault(
    'REQUEST_MALFORMED',
    `Cannot listen to "${pattern}": there is no such event`,
  );
}

/** Receivers keep secrets in their addresses; the record is for many eyes. */
function withoutQuery(text: string): string {
  const url = new URL(text);
  return url.origin + url.pathname;
}

function missing(webhookId: string): CloudFault {
  return new CloudFault('NOT_FOUND', `Cannot find webhook "${webhookId}"`);
}
