/**
 * Four eyes, checked when it counts: at the start of a campaign everything is verified again from what the
 * database holds, so that a row that somebody edited by hand does not pass.
 */
import type { Selectable } from 'kysely';
import { CloudFault } from '../fault.ts';
import { type Dossier, loadDossier } from '../release/dossier.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { CampaignRow } from '../schema/campaign-tables.ts';
import {
  bringerOf,
  ownerOf,
  parseStoredDecision,
  type StoredDecision,
  verifyDecision,
} from './decision.ts';
import { checkOtherHands, selfApproval } from './other-person.ts';

/** A campaign as its row has it. */
export type CampaignRecord = Selectable<CampaignRow>;

/** What the approval rests on besides the row. */
export interface ApprovalGround {
  /** SHA-256 over everything that is decided, computed anew from the row, hex. */
  readonly contentSha256: (campaign: CampaignRecord) => string;
  /** Says in words what the last rehearsal forbids; undefined when nothing. */
  readonly rehearsalProblem?:
    | ((tx: CloudTransaction, campaign: CampaignRecord) => Promise<string | undefined>)
    | undefined;
}

/** Both decisions, verified. */
export interface VerifiedApproval {
  readonly submission: StoredDecision;
  readonly approval: StoredDecision;
}

/**
 * Checks that a campaign is approved as it stands {R156 7.1.2.5}: by another person than its author, with
 * another key, over this content, this release and this dossier.
 *
 * @param tx - in which the campaign is started.
 * @throws CloudFault APPROVAL_MISSING, APPROVAL_REJECTED, APPROVAL_STALE, SELF_APPROVAL, SIGNATURE_INVALID,
 * SIGNATURE_KEY_UNKNOWN, SIGNATURE_KEY_REVOKED, SIGNATURE_KEY_FOREIGN, DOSSIER_INCOMPLETE, RELEASE_BLOCKED.
 */
export async function checkApproved(
  tx: CloudTransaction,
  campaign: CampaignRecord,
  ground: ApprovalGround,
): Promise<VerifiedApproval> {
  if (campaign.approval === 'rejected') {
    throw new CloudFault('APPROVAL_REJECTED', 'Cannot start campaign: it was rejected');
  }
  if (campaign.approval !== 'approved') {
    throw new CloudFault('APPROVAL_MISSING', `Cannot start campaign: it is ${campaign.approval}`);
  }
  const submission = parseStoredDecision(campaign.submission);
  const approval = parseStoredDecision(campaign.decision);
  if (submission.decision !== 'submit' || approval.decision !== 'approve') {
    throw new CloudFault('APPROVAL_MISSING', 'Cannot start campaign: nobody approved it');
  }
  const dossier = await checkDecidable(tx, campaign, ground);
  for (const decision of [submission, approval]) {
    checkBound(decision, { campaign, dossier, content: ground.contentSha256(campaign) });
  }
  const authorKey = await verifyDecision(tx, submission, campaign.tenant);
  const approverKey = await verifyDecision(tx, approval, campaign.tenant);
  if (submission.keyId === approval.keyId) throw selfApproval('it is signed with the author’s key');
  const { tenant, created_by: createdBy } = campaign;
  const [approver, author] = [bringerOf(approval), bringerOf(submission)];
  await checkOtherHands(tx, { tenant, approver, author, createdBy });
  const owners = { approver: ownerOf(approverKey), author: ownerOf(authorKey) };
  await checkOtherHands(tx, { tenant, ...owners, createdBy });
  return { submission, approval };
}

/**
 * Checks that there is something that people can decide on: a release that is not blocked, a whole dossier,
 * and no rehearsal that forbids it.
 */
export async function checkDecidable(
  tx: CloudTransaction,
  campaign: CampaignRecord,
  ground: ApprovalGround,
): Promise<Dossier> {
  const dossier = await loadDossier(tx, campaign.release_id);
  if (dossier.blockedBecause !== undefined) {
    throw new CloudFault(
      'RELEASE_BLOCKED',
      `Cannot go on with campaign: its release is blocked, ${dossier.blockedBecause}`,
    );
  }
  const open = dossier.items.filter(({ missing }) => missing !== undefined);
  if (open.length > 0) {
    const list = open.map(({ item, missing }) => `${item} (${missing ?? ''})`).join('; ');
    throw new CloudFault('DOSSIER_INCOMPLETE', `Cannot go on with campaign: dossier lacks ${list}`);
  }
  const problem = await ground.rehearsalProblem?.(tx, campaign);
  if (problem !== undefined) {
    throw new CloudFault('APPROVAL_STALE', `Cannot go on with campaign: ${problem}`);
  }
  return dossier;
}

/** What was signed is what is there: content, dossier and with it the release, and this campaign. */
function checkBound(
  decision: StoredDecision,
  now: {
    readonly campaign: CampaignRecord;
    readonly dossier: Dossier;
    readonly content: string;
  },
): void {
  const { campaign, dossier, content } = now;
  const changed = [
    ...(decision.campaignId === campaign.campaign_id ? [] : ['another campaign']),
    ...(decision.contentSha256 === content && campaign.content_sha256 === content
      ? []
      : ['another content']),
    ...(decision.dossierSha256 === dossier.contentSha256 ? [] : ['another release or dossier']),
  ];
  if (changed.length === 0) return;
  throw new CloudFault(
    'APPROVAL_STALE',
    `Cannot start campaign: its ${decision.decision} is for ${changed.join(' and ')}`,
  );
}
