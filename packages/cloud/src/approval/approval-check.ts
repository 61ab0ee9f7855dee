/** The check of four eyes as a campaign's start calls it: a refusal is on record before it is heard. */
import type { CloudTransaction } from '../schema/database.ts';
import { Approvals } from './approvals.ts';
import { type CampaignRecord, checkApproved } from './check-approved.ts';
import { APPROVAL_GROUND } from './ground.ts';
import type { CloudContext } from '../context.ts';

/**
 * Makes the check.
 *
 * @returns a function that throws as {@link checkApproved} does. The refusal is written in a transaction of
 * its own: that of the start is undone.
 */
export function createApprovalCheck({
  database,
  events,
  clock,
}: Pick<CloudContext, 'database' | 'events' | 'clock'>): (
  tx: CloudTransaction,
  campaign: CampaignRecord,
) => Promise<void> {
  const approvals = new Approvals({ database, events, clock, ...APPROVAL_GROUND });
  return async (tx, campaign) => {
    try {
      await checkApproved(tx, campaign, APPROVAL_GROUND);
    } catch (error) {
      const { campaign_id: campaignId, tenant } = campaign;
      const decider = { name: 'the start of the campaign', tenant };
      await approvals.refuse(error, { campaignId, decider, decision: 'start' });
      throw error;
    }
  };
}
