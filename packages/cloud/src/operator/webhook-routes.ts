/** Webhooks. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { AccessView } from '../access/access-view.ts';
import { testWebhook } from '../webhook/test-webhook.ts';
import { webhookParts } from '../webhook/webhook-worker.ts';
import {
  createWebhook,
  deleteWebhook,
  type Delivery,
  listDeliveries,
  listWebhooks,
  type Webhook,
} from '../webhook/webhooks.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import type { OperatorServices } from './services.ts';

/** Adds the routes about webhooks. */
export function addWebhookRoutes(app: OperatorApp, services: OperatorServices): void {
  const parts = webhookParts(services);
  app.openapi(OPERATOR_ROUTES.listWebhooks.config, async (c) => {
    const { after = '', limit } = c.req.valid('query');
    const webhooks = await listWebhooks(parts, c.get('caller').fleet.tenant, { after, limit });
    const items = webhooks.map(webhookView);
    const last = webhooks.length < limit ? undefined : webhooks.at(-1)?.webhook_id;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  app.openapi(OPERATOR_ROUTES.createWebhook.config, async (c) => {
    const { name: by, fleet } = c.get('caller');
    const owner = { tenant: fleet.tenant, by };
    const { webhook, secret } = await createWebhook(parts, owner, c.req.valid('json'));
    return c.json({ ...webhookView(webhook), secret }, 201);
  });
  app.openapi(OPERATOR_ROUTES.deleteWebhook.config, async (c) => {
    const { name: by, fleet } = c.get('caller');
    const { webhookId } = c.req.valid('param');
    await deleteWebhook(parts, { tenant: fleet.tenant, by }, webhookId);
    return c.json({ isDeleted: true }, 200);
  });
  app.openapi(OPERATOR_ROUTES.testWebhook.config, async (c) => {
    const { webhookId } = c.req.valid('param');
    const { tenant } = c.get('caller').fleet;
    return c.json(deliveryView(await testWebhook(parts, { tenant, webhookId })), 200);
  });
  app.openapi(OPERATOR_ROUTES.listDeliveries.config, async (c) => {
    const { webhookId } = c.req.valid('param');
    const { after, limit } = c.req.valid('query');
    const { tenant } = c.get('caller').fleet;
    const page = { before: after === undefined ? undefined : parsePosition(after), limit };
    const deliveries = await listDeliveries(parts, { tenant, webhookId }, page);
    const items = deliveries.map(deliveryView);
    const last = deliveries.length < limit ? undefined : deliveries.at(-1);
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.delivery_id });
    return c.json({ items, next }, 200);
  });
}

function webhookView(webhook: Webhook): AccessView<'webhookSchema'> {
  return {
    webhookId: webhook.webhook_id,
    url: webhook.url,
    events: [...webhook.events],
    isEnabled: webhook.is_enabled,
    createdBy: webhook.created_by,
    createdAt: webhook.created_at.toString(),
    lastDeliveryAt: webhook.last_delivery_at?.toString(),
    lastStatus: webhook.last_status ?? undefined,
    waiting: webhook.waiting,
  };
}

function deliveryView(delivery: Delivery): AccessView<'webhookDeliverySchema'> {
  return {
    deliveryId: delivery.delivery_id,
    eventKind: delivery.event_kind,
    state: delivery.state,
    attempts: delivery.attempts,
    status: delivery.status ?? undefined,
    problem: delivery.problem ?? undefined,
    at: delivery.at.toString(),
    nextAt: delivery.next_at?.toString(),
  };
}
