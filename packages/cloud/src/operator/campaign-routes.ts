/** Campaigns. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { OperatorApp } from './app.ts';
import type { OperatorServices } from './services.ts';
import { campaignVehicleView, campaignView } from './views.ts';

/** Adds the routes about campaigns. */
export function addCampaignRoutes(
  app: OperatorApp,
  { context, campaigns }: OperatorServices,
): void {
  app.openapi(OPERATOR_ROUTES.createCampaign.config, async (c) => {
    const description = { ...c.req.valid('json'), createdBy: c.get('caller').name };
    const campaignId = await campaigns.create(description);
    return c.json(campaignView(await campaigns.status(campaignId)), 201);
  });
  app.openapi(OPERATOR_ROUTES.listCampaigns.config, async (c) => {
    const { limit } = c.req.valid('query');
    const rows = await campaigns.list(limit);
    const items = await Promise.all(rows.map((row) => campaigns.status(row.campaign_id)));
    return c.json({ items: items.map(campaignView) }, 200);
  });
  app.openapi(OPERATOR_ROUTES.getCampaign.config, async (c) =>
    c.json(campaignView(await campaigns.status(c.req.valid('param').campaignId)), 200),
  );
  app.openapi(OPERATOR_ROUTES.startCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    return c.json(campaignView(await campaigns.start(campaignId, c.get('caller').name)), 200);
  });
  app.openapi(OPERATOR_ROUTES.pauseCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    return c.json(campaignView(await campaigns.pause(campaignId, c.get('caller').name)), 200);
  });
  app.openapi(OPERATOR_ROUTES.cancelCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    return c.json(campaignView(await campaigns.cancel(campaignId, c.get('caller').name)), 200);
  });
  app.openapi(OPERATOR_ROUTES.listCampaignVehicles.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { after = '', limit, state } = c.req.valid('query');
    let select = context.database.kysely
      .selectFrom('campaign_vehicle')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .where('vehicle_id', '>', after)
      .orderBy('vehicle_id')
      .limit(limit);
    if (state !== undefined) select = select.where('state', '=', state);
    const rows = await select.execute();
    const items = rows.map(campaignVehicleView);
    const last = rows.length < limit ? undefined : rows.at(-1)?.vehicle_id;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
}
