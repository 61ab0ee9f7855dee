/** Rehearsals of campaigns. */
import { campaignSchemas, OPERATOR_ROUTES } from '@immota/api';
import { CloudFault } from '../fault.ts';
import { Rehearsals, type StoredRehearsal } from '../rehearsal/rehearsals.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';

type RehearsalView = ReturnType<typeof campaignSchemas.rehearsalSchema.parse>;

/** Adds the routes about rehearsals. */
export function addRehearsalRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context, campaigns, releases, trust, failed } = services;
  const rehearsals = new Rehearsals({ context, releases, trust, failed });
  app.openapi(OPERATOR_ROUTES.rehearseCampaign.config, async (c) => {
    const { name, fleet } = c.get('caller');
    const campaign = await campaigns.load(c.req.valid('param').campaignId, fleet.tenant);
    return c.json(viewOf(await rehearsals.begin(campaign, name)), 201);
  });
  app.openapi(OPERATOR_ROUTES.getRehearsal.config, async (c) => {
    const { fleet } = c.get('caller');
    const campaign = await campaigns.load(c.req.valid('param').campaignId, fleet.tenant);
    const found = await rehearsals.find(campaign);
    if (found === undefined) {
      throw new CloudFault('NOT_FOUND', 'Cannot find a rehearsal of this campaign: begin one');
    }
    return c.json(viewOf(found), 200);
  });
}

function viewOf(row: StoredRehearsal): RehearsalView {
  return campaignSchemas.rehearsalSchema.parse({
    rehearsalId: row.rehearsal_id,
    campaignId: row.campaign_id,
    contentSha256: row.content_sha256,
    state: row.state,
    seen: row.seen,
    total: row.total,
    startedAt: row.started_at.toString(),
    endedAt: row.ended_at?.toString(),
    problem: row.problem ?? undefined,
    result: row.result ?? undefined,
  });
}
