/** Sends a test message at once, so that whoever made a webhook sees what their receiver says. */
import { committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { newId } from '../access/people.ts';
import { attempt } from './webhook-worker.ts';
import type { Delivery, WebhookParts } from './webhooks.ts';

/** The kind that a test message bears; no event has it. */
const TEST_KIND = 'webhook.test';
/** Held for as long as a try takes; what fails is tried again like every other. */
const HOLD: Temporal.DurationLike = { seconds: 60 };

/** Sends it. @throws CloudFault NOT_FOUND. */
export async function testWebhook(
  parts: WebhookParts,
  { tenant, webhookId }: { readonly tenant: string; readonly webhookId: string },
): Promise<Delivery> {
  const { context } = parts;
  const at = context.clock.now();
  const message = JSON.stringify({
    type: TEST_KIND,
    timestamp: at.toString(),
    data: { webhookId },
  });
  const held = await committed(context.database, async (tx) => {
    const webhook = await tx
      .selectFrom('webhook')
      .selectAll()
      .where('webhook_id', '=', webhookId)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    if (webhook === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find webhook "${webhookId}"`);
    }
    const row = await tx
      .insertInto('webhook_delivery')
      .values({
        delivery_id: newId(context, 'msg'),
        webhook_id: webhookId,
        event_kind: TEST_KIND,
        message,
        state: 'waiting',
        attempts: 1,
        status: null,
        problem: null,
        created_at: at,
        at,
        next_at: at.add(HOLD),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { ...row, url: webhook.url, sealed_secret: webhook.sealed_secret, tenant };
  });
  return await attempt(parts, held);
}
