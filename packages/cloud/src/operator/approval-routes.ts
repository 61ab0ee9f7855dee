/** Four eyes: handing a campaign in, and what somebody else says of it. */
import { OPERATOR_ROUTES } from '@immota/api';
import { Approvals, type Decider } from '../approval/approvals.ts';
import { APPROVAL_GROUND } from '../approval/ground.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';
import type { Caller } from './tokens.ts';
import { campaignDetailView } from './views.ts';

/** Adds the routes about approvals. */
export function addApprovalRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context, campaigns } = services;
  const { database, events, clock } = context;
  const approvals = new Approvals({ database, events, clock, ...APPROVAL_GROUND });
  app.openapi(OPERATOR_ROUTES.submitCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    const { contentSha256, signature } = c.req.valid('json');
    const offered = { decision: 'submit', contentSha256, note: '', signature } as const;
    await approvals.take(campaignId, deciderOf(c.get('caller')), offered);
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.decideCampaign.config, async (c) => {
    const { campaignId } = c.req.valid('param');
    await approvals.take(campaignId, deciderOf(c.get('caller')), c.req.valid('json'));
    return c.json(campaignDetailView(await campaigns.detail(campaignId)), 200);
  });
}

function deciderOf({ name, personId, madeBy, fleet }: Caller): Decider {
  return { name, userId: personId, madeBy, tenant: fleet.tenant };
}
