/** Campaigns. */
import { OPERATOR_ROUTES } from '@immota/api';
import { explainCampaign } from '../campaign/why-not.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import type { OperatorServices } from './services.ts';
import { campaignDetailView, campaignVehicleView, campaignView } from './views.ts';

/** Adds the routes about campaigns. */
export function addCampaignRoutes(
  app: OperatorApp,
  { context, campaigns }: OperatorServices,
): void {
  app.openapi(OPERATOR_ROUTES.createCampaign.config, async (c) => {
    const description = { ...c.req.valid('json'), createdBy: c.get('caller').name };
    const campaignId = await campaigns.create(description);
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 201);
  });
  app.openapi(OPERATOR_ROUTES.listCampaigns.config, async (c) => {
    const { after, limit } = c.req.valid('query');
    const before = after === undefined ? undefined : parsePosition(after);
    const found = await campaigns.list(
      limit,
      before && { createdAt: before.createdAt, campaignId: before.id },
    );
    const items = found.map(campaignView);
    const last = found.length < limit ? undefined : found.at(-1)?.campaign;
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.campaign_id });
    return c.json({ items, next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.getCampaign.config, async (c) =>
    c.json(campaignDetailView(await campaigns.detail(c.req.valid('param').campaignId)), 200),
  );
  app.openapi(OPERATOR_ROUTES.startCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    await campaigns.start(campaignId, c.get('caller').name);
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.pauseCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    await campaigns.pause(campaignId, c.get('caller').name);
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.cancelCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    await campaigns.cancel(campaignId, c.get('caller').name);
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.listCampaignVehicles.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { after = '', limit, state } = c.req.valid('query');
    const page = { after, countMax: limit, state };
    const found = await explainCampaign(context.database, campaignId, page);
    const items = found.map(campaignVehicleView);
    const last = found.length < limit ? undefined : found.at(-1)?.vehicleId;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
}
