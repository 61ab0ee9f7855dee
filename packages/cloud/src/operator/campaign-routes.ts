/** Campaigns: plan them, run them, look at them. */
import { type campaignSchemas, OPERATOR_ROUTES } from '@immota/api';
import type { StoredCampaign } from '../campaign/stored-campaign.ts';
import { listConflicts } from '../campaign/conflicts.ts';
import { exportMembers } from '../campaign/export-members.ts';
import { listFailures } from '../campaign/failures.ts';
import { loadLive } from '../campaign/live.ts';
import { listMembers } from '../campaign/members.ts';
import { VEHICLE_STATES } from '@immota/api';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { CloudFault } from '../fault.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import type { OperatorServices } from './services.ts';
import {
  campaignDetailView,
  campaignVehicleView,
  campaignView,
  liveView,
  memberView,
} from './views.ts';

/** Adds the routes about campaigns. */
export function addCampaignRoutes(app: OperatorApp, services: OperatorServices): void {
  addPlanning(app, services);
  addRunning(app, services);
  addLooking(app, services);
  addMembers(app, services);
}

type Detail = (typeof campaignSchemas)['campaignDetailSchema']['_output'];

/** Finds a campaign of the caller's own tenant. @throws CloudFault NOT_FOUND. */
async function own(
  { campaigns }: OperatorServices,
  campaignId: string,
  { tenant }: FleetScope,
): Promise<StoredCampaign> {
  return await campaigns.load(campaignId, tenant);
}

async function detail({ campaigns }: OperatorServices, campaignId: string): Promise<Detail> {
  return campaignDetailView(await campaigns.detail(campaignId));
}

/** Nobody plans for vehicles that they do not see: what bounds them becomes part of the query. */
function bounded(query: string, { query: scope }: FleetScope): string {
  return scope === undefined ? query : `(${scope}) && (${query})`;
}

/** Whoever sees a part of the fleet acts on campaigns that mean no more than that part. */
function checkWithin({ query }: StoredCampaign, { query: scope }: FleetScope): void {
  if (scope === undefined || query.startsWith(`(${scope}) && (`)) return;
  throw new CloudFault('FORBIDDEN', 'Cannot act on a campaign for vehicles that you do not see');
}

function addPlanning(app: OperatorApp, services: OperatorServices): void {
  const { campaigns } = services;
  app.openapi(OPERATOR_ROUTES.createCampaign.config, async (c) => {
    const { name, fleet } = c.get('caller');
    const plan = c.req.valid('json');
    const query = bounded(plan.query, fleet);
    const description = { ...plan, query, createdBy: name, tenant: fleet.tenant };
    return c.json(await detail(services, await campaigns.create(description)), 201);
  });
  app.openapi(OPERATOR_ROUTES.changeCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    checkWithin(await own(services, campaignId, fleet), fleet);
    const plan = c.req.valid('json');
    // A plan that was read and comes back is bounded already.
    const isBounded = fleet.query !== undefined && plan.query.startsWith(`(${fleet.query}) && (`);
    const query = isBounded ? plan.query : bounded(plan.query, fleet);
    await campaigns.change(campaignId, { ...plan, query }, name);
    return c.json(await detail(services, campaignId), 200);
  });
  app.openapi(OPERATOR_ROUTES.listCampaigns.config, async (c) => {
    const { after, limit, state } = c.req.valid('query');
    const before = after === undefined ? undefined : parsePosition(after);
    const { tenant } = c.get('caller').fleet;
    const found = await campaigns.list(
      limit,
      before && { createdAt: before.createdAt, campaignId: before.id },
      { tenant, state },
    );
    const items = found.map(campaignView);
    const last = found.length < limit ? undefined : found.at(-1)?.campaign;
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.campaign_id });
    return c.json({ items, next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.getCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    await own(services, campaignId, c.get('caller').fleet);
    return c.json(await detail(services, campaignId), 200);
  });
}

function addRunning(app: OperatorApp, services: OperatorServices): void {
  const { campaigns } = services;
  const act = async (
    campaignId: string,
    fleet: FleetScope,
    action: () => Promise<unknown>,
  ): Promise<Detail> => {
    checkWithin(await own(services, campaignId, fleet), fleet);
    await action();
    return await detail(services, campaignId);
  };
  app.openapi(OPERATOR_ROUTES.startCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    return c.json(await act(campaignId, fleet, () => campaigns.start(campaignId, name)), 200);
  });
  app.openapi(OPERATOR_ROUTES.resumeCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { reason } = c.req.valid('json');
    const { name, fleet } = c.get('caller');
    const resume = (): Promise<unknown> => campaigns.resume(campaignId, name, reason);
    return c.json(await act(campaignId, fleet, resume), 200);
  });
  app.openapi(OPERATOR_ROUTES.pauseCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const reason = reasonOf(c.req.valid('json'));
    const pause = (): Promise<unknown> => campaigns.pause(campaignId, name, reason);
    return c.json(await act(campaignId, fleet, pause), 200);
  });
  app.openapi(OPERATOR_ROUTES.cancelCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const reason = reasonOf(c.req.valid('json'));
    const cancel = (): Promise<unknown> => campaigns.cancel(campaignId, name, reason);
    return c.json(await act(campaignId, fleet, cancel), 200);
  });
  app.openapi(OPERATOR_ROUTES.openWave.config, async (c) => {
    const { campaignId, wave } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const open = (): Promise<unknown> => campaigns.openWave(campaignId, wave, name);
    return c.json(await act(campaignId, fleet, open), 200);
  });
}

/** A body may be left out: then nobody said why. */
function reasonOf(body: { readonly reason?: string | undefined } | undefined): string {
  return body?.reason ?? '';
}

function addLooking(app: OperatorApp, services: OperatorServices): void {
  const { database, clock } = services.context;
  app.openapi(OPERATOR_ROUTES.getLiveCampaign.config, async (c) => {
    const campaign = await own(services, c.req.valid('param').campaignId, c.get('caller').fleet);
    return c.json(liveView(await loadLive(database, campaign, clock.now())), 200);
  });
  app.openapi(OPERATOR_ROUTES.listFailures.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { fleet } = c.get('caller');
    await own(services, campaignId, fleet);
    const cells = await listFailures(database, campaignId);
    const items = cells.map((cell) => ({
      ...cell,
      codes: { ...cell.codes },
      // Whoever sees a part of the fleet gets the sums, and no names.
      sample: fleet.query === undefined ? [...cell.sample] : [],
    }));
    return c.json({ items }, 200);
  });
  app.openapi(OPERATOR_ROUTES.listConflicts.config, async (c) => {
    const campaign = await own(services, c.req.valid('param').campaignId, c.get('caller').fleet);
    return c.json({ items: [...(await listConflicts(database, campaign))] }, 200);
  });
}

function addMembers(app: OperatorApp, services: OperatorServices): void {
  const { context, failed } = services;
  const { database } = context;
  app.openapi(OPERATOR_ROUTES.listCampaignVehicles.config, async (c) => {
    const { fleet } = c.get('caller');
    const campaign = await own(services, c.req.valid('param').campaignId, fleet);
    const { after = '', limit, state: asked } = c.req.valid('query');
    const state = VEHICLE_STATES.find((known) => known === asked);
    if (asked !== undefined && state === undefined) return c.json({ items: [] }, 200);
    const page = { after, limit, filter: { state } };
    const { items, next } = await listMembers(database, campaign, { fleet, page });
    return c.json({ items: items.map(campaignVehicleView), next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.listMembers.config, async (c) => {
    const { fleet } = c.get('caller');
    const campaign = await own(services, c.req.valid('param').campaignId, fleet);
    const { after = '', limit, ...filter } = c.req.valid('query');
    const { items, next } = await listMembers(database, campaign, {
      fleet,
      page: { after, limit, filter },
    });
    return c.json({ items: items.map(memberView), next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.exportMembers.config, async (c) => {
    const { fleet } = c.get('caller');
    const campaign = await own(services, c.req.valid('param').campaignId, fleet);
    const { format } = c.req.valid('query');
    const lines = exportMembers(database, campaign, { fleet, format });
    const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson';
    return c.body(ReadableStream.from(reporting(lines, failed)), 200, {
      'Content-Type': type,
      'Content-Disposition': `attachment; filename="${campaign.campaign_id}.${format}"`,
    });
  });
}

/** Behind the first byte nothing can be refused any more: the file ends early, and somebody hears of it. */
async function* reporting(
  lines: AsyncGenerator<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* lines;
  } catch (error) {
    failed(error);
    throw error;
  }
}
