/** Takes signed decisions on campaigns: handing in, approving, rejecting. Each refusal is on record. */
import { decisionText, type EventId } from '@immota/api';
import { type Clock, findFaultCode, type JsonObject } from '@immota/base';
import { StoreFault } from '@immota/store';
import { committed } from '../context.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import { type ApprovalGround, type CampaignRecord, checkDecidable } from './check-approved.ts';
import {
  bringerOf,
  checkOwner,
  ownerOf,
  parseStoredDecision,
  type Person,
  type StoredDecision,
  verifyDecision,
} from './decision.ts';
import { checkOtherHands, selfApproval } from './other-person.ts';
import { checkDecisionSignature, loadSigningKey } from './signing-keys.ts';

/** How old a signature may be when it arrives: people sign on a machine that may be off the net. */
const SIGNED_BEFORE_MINUTES_MAX = 60;
/** How far a person's clock may be ahead. */
const SIGNED_AHEAD_MINUTES_MAX = 5;

/** What approvals work with. */
export interface ApprovalsOptions extends ApprovalGround {
  readonly database: CloudDatabase;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** Who decides. */
export interface Decider extends Person {
  readonly tenant: string;
}

/** A decision as it arrives. */
export interface OfferedDecision {
  readonly decision: StoredDecision['decision'];
  readonly contentSha256: string;
  readonly note: string;
  readonly signature: {
    readonly keyId: string;
    readonly signature: string;
    readonly signedAt: string;
  };
}

/** See the head of the file. */
export class Approvals {
  readonly #options: ApprovalsOptions;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /**
   * Takes a decision of a person.
   *
   * @throws CloudFault NOT_FOUND, CAMPAIGN_STATE, APPROVAL_STALE when the content is not the one there is,
   * APPROVAL_MISSING when nobody handed it in, SELF_APPROVAL, SIGNATURE_TIME, SIGNATURE_INVALID,
   * SIGNATURE_KEY_UNKNOWN, SIGNATURE_KEY_REVOKED, SIGNATURE_KEY_FOREIGN, DOSSIER_INCOMPLETE, RELEASE_BLOCKED.
   */
  async take(campaignId: string, decider: Decider, offered: OfferedDecision): Promise<void> {
    try {
      await committed(this.#options.database, (tx) =>
        this.#take(tx, { campaignId, decider, offered }),
      );
    } catch (error) {
      await this.refuse(error, { campaignId, decider, decision: offered.decision });
      throw error;
    }
  }

  async #take(
    tx: CloudTransaction,
    asked: {
      readonly campaignId: string;
      readonly decider: Decider;
      readonly offered: OfferedDecision;
    },
  ): Promise<void> {
    const { campaignId, decider, offered } = asked;
    const campaign = await lockCampaign(tx, campaignId, decider.tenant);
    const { decision } = offered;
    checkState(campaign, decision);
    const content = this.#options.contentSha256(campaign);
    const isAsStored = campaign.content_sha256 === '' || campaign.content_sha256 === content;
    if (!isAsStored || content !== offered.contentSha256) {
      throw new CloudFault('APPROVAL_STALE', `Cannot ${decision} campaign: its content changed`);
    }
    // Whoever rejects need not wait until everything is there.
    const dossier =
      decision === 'reject'
        ? { contentSha256: parseStoredDecision(campaign.submission).dossierSha256 }
        : await checkDecidable(tx, campaign, this.#options);
    const stored = await this.#verify(tx, {
      campaign,
      decider,
      offered,
      dossierSha256: dossier.contentSha256,
    });
    if (decision !== 'submit') await checkFourEyes(tx, campaign, stored);
    const approval = STATES[decision];
    await tx
      .updateTable('campaign')
      .set(
        decision === 'submit'
          ? { approval, content_sha256: content, submission: asJson(stored), decision: null }
          : { approval, decision: asJson(stored) },
      )
      .where('campaign_id', '=', campaignId)
      .execute();
    const body = {
      campaignId,
      by: stored.by,
      owner: stored.owner,
      keyId: stored.keyId,
      contentSha256: stored.contentSha256,
      dossierSha256: stored.dossierSha256,
      note: stored.note,
      signature: stored.signature,
      signedAt: stored.signedAt,
    };
    await this.#record(tx, campaign.tenant, { kind: EVENTS[decision], body });
  }

  /** Checks key, owner, time and signature. @returns the decision as it is kept. */
  async #verify(
    tx: CloudTransaction,
    asked: {
      readonly campaign: CampaignRecord;
      readonly decider: Decider;
      readonly offered: OfferedDecision;
      readonly dossierSha256: string;
    },
  ): Promise<StoredDecision> {
    const { campaign, decider, offered, dossierSha256 } = asked;
    const { keyId, signature, signedAt } = offered.signature;
    const now = this.#options.clock.now();
    checkTime(signedAt, now);
    const key = await loadSigningKey(tx, keyId, campaign.tenant);
    checkOwner(key, decider);
    const stored: StoredDecision = {
      decision: offered.decision,
      campaignId: campaign.campaign_id,
      contentSha256: offered.contentSha256,
      dossierSha256,
      note: offered.note,
      signedAt,
      keyId,
      signature,
      by: decider.name,
      ...(decider.userId === undefined ? {} : { userId: decider.userId }),
      ...(decider.madeBy === undefined ? {} : { madeBy: decider.madeBy }),
      at: now.toString(),
      owner: key.owner,
      algorithm: key.algorithm,
      publicKey: Buffer.from(key.public_key).toString('base64'),
    };
    const own = { algorithm: key.algorithm, publicKey: key.public_key };
    checkDecisionSignature(own, decisionText(stored), signature);
    return stored;
  }

  async #record(
    tx: CloudTransaction,
    tenant: string,
    event: { readonly kind: EventId; readonly body: JsonObject },
  ): Promise<void> {
    const { events, clock } = this.#options;
    await events.append(tx, [{ stream: fleetStream(tenant), at: clock.now(), ...event }]);
  }

  /** Puts a refusal on record; what is no refusal is left to whoever called. */
  async refuse(
    error: unknown,
    refusal: {
      readonly campaignId: string;
      readonly decider: Pick<Decider, 'name' | 'tenant'>;
      readonly decision: string;
    },
  ): Promise<void> {
    const code = findFaultCode(error);
    if (code === undefined || error instanceof StoreFault) return;
    const { campaignId, decider, decision } = refusal;
    const body = { campaignId, by: decider.name, decision, code };
    await committed(this.#options.database, (tx) =>
      this.#record(tx, decider.tenant, { kind: 'approval.refused', body }),
    );
  }
}

const STATES = { submit: 'submitted', approve: 'approved', reject: 'rejected' } as const;
const EVENTS = {
  submit: 'campaign.submitted',
  approve: 'campaign.approved',
  reject: 'campaign.rejected',
} as const;

async function lockCampaign(
  tx: CloudTransaction,
  campaignId: string,
  tenant: string,
): Promise<CampaignRecord> {
  const campaign = await tx
    .selectFrom('campaign')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .where('tenant', '=', tenant)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (campaign !== undefined) return campaign;
  throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
}

/** A draft or what was rejected is handed in; what was handed in is decided, once. */
function checkState(
  { approval, state }: CampaignRecord,
  decision: OfferedDecision['decision'],
): void {
  if (state === 'cancelled') {
    throw new CloudFault('CAMPAIGN_STATE', `Cannot ${decision} a campaign that is ${state}`);
  }
  if (decision === 'submit') return;
  if (approval === 'submitted') return;
  if (approval === 'draft') {
    throw new CloudFault('APPROVAL_MISSING', `Cannot ${decision} campaign: nobody handed it in`);
  }
  throw new CloudFault('CAMPAIGN_STATE', `Cannot ${decision} a campaign that is ${approval}`);
}

/** The author’s own signature is checked again, for the approval rests on it. */
async function checkFourEyes(
  tx: CloudTransaction,
  campaign: CampaignRecord,
  stored: StoredDecision,
): Promise<void> {
  const submission = parseStoredDecision(campaign.submission);
  const { contentSha256, dossierSha256 } = submission;
  if (contentSha256 !== stored.contentSha256 || dossierSha256 !== stored.dossierSha256) {
    throw new CloudFault('APPROVAL_STALE', 'Cannot decide: what was handed in has changed since');
  }
  const authorKey = await verifyDecision(tx, submission, campaign.tenant);
  if (submission.keyId === stored.keyId) throw selfApproval('it is signed with the author’s key');
  const { tenant, created_by: createdBy } = campaign;
  const [approver, author] = [bringerOf(stored), bringerOf(submission)];
  await checkOtherHands(tx, { tenant, approver, author, createdBy });
  const owners = { approver: { name: stored.owner }, author: ownerOf(authorKey) };
  await checkOtherHands(tx, { tenant, ...owners, createdBy });
}

function checkTime(signedAt: string, now: Temporal.Instant): void {
  const at = Temporal.Instant.from(signedAt);
  const earliest = now.subtract({ minutes: SIGNED_BEFORE_MINUTES_MAX });
  const latest = now.add({ minutes: SIGNED_AHEAD_MINUTES_MAX });
  const isGood =
    Temporal.Instant.compare(earliest, at) <= 0 && Temporal.Instant.compare(at, latest) <= 0;
  if (isGood) return;
  throw new CloudFault(
    'SIGNATURE_TIME',
    `Cannot use signature: signed ${signedAt}, it is ${now.toString()}`,
  );
}

/** Without the members that are not there. */
function asJson({ userId, madeBy, ...rest }: StoredDecision): JsonObject {
  return {
    ...rest,
    ...(userId === undefined ? {} : { userId }),
    ...(madeBy === undefined ? {} : { madeBy }),
  };
}
