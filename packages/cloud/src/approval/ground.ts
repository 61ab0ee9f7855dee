/** What an approval rests on in a running cloud: the content of the row, and its last rehearsal. */
import { z } from 'zod';
import { contentOf, hashContent } from '../campaign/campaign-content.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { ApprovalGround, CampaignRecord } from './check-approved.ts';

const strandingSchema = z.array(
  z.object({ detail: z.string(), vehicles: z.int(), isBlocking: z.boolean() }),
);

/** See the head of the file. */
export const APPROVAL_GROUND: ApprovalGround = {
  contentSha256: (campaign) => hashContent(contentOf(campaign)),
  rehearsalProblem: findRehearsalProblem,
};

/** A rehearsal of another content says nothing of this one. */
async function findRehearsalProblem(
  tx: CloudTransaction,
  campaign: CampaignRecord,
): Promise<string | undefined> {
  const last = await tx
    .selectFrom('rehearsal')
    .select('result')
    .where('campaign_id', '=', campaign.campaign_id)
    .where('content_sha256', '=', hashContent(contentOf(campaign)))
    .where('state', '=', 'done')
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const parsed = strandingSchema.safeParse(last?.result?.['stranding'] ?? []);
  const blocking = parsed.data?.find(({ isBlocking }) => isBlocking);
  if (blocking === undefined) return undefined;
  const { detail, vehicles } = blocking;
  return `its rehearsal found what would strand ${vehicles} vehicles: ${detail}`;
}
