/** Rows into what the operator API gives. */
import type { campaignSchemas, operatorSchemas } from '@immota/api';
import { isJsonObject, type JsonObject } from '@immota/base';
import { type CampaignWave, contentOf, hashContent } from '../campaign/campaign-content.ts';
import type { CampaignDetail, CampaignStatus } from '../campaign/campaigns.ts';
import { sumCounts } from '../campaign/counts.ts';
import type { LiveCampaign } from '../campaign/live.ts';
import { findMissing, outcomesOf, type WaveOutcomes } from '../campaign/wave-progress.ts';
import { reasonNow, type WhyNot } from '../campaign/why-not.ts';
import type { EcuInventory, VehicleInventory } from '../director/ports.ts';

type Schemas = typeof operatorSchemas;
/** What a schema of the API describes. */
export type View<Name extends keyof Schemas> = Schemas[Name] extends { readonly _output: infer Out }
  ? Out
  : never;

/** A vehicle. */
export function vehicleView(vehicle: VehicleInventory): View<'vehicleSchema'> {
  return {
    vehicleId: vehicle.vehicleId,
    vin: vehicle.vin,
    model: vehicle.model,
    market: vehicle.market,
    tags: { ...vehicle.tags },
    isQuarantined: vehicle.isQuarantined,
    lastSeenAt: vehicle.lastSeenAt?.toString(),
    lastManifestAt: vehicle.lastManifestAt?.toString(),
    offer:
      vehicle.offer === undefined
        ? undefined
        : {
            correlationId: vehicle.offer.correlationId,
            images: Object.fromEntries(vehicle.offer.images),
          },
    ecus: vehicle.ecus.map(ecuView),
  };
}

function ecuView(ecu: EcuInventory): View<'ecuSchema'> {
  return {
    ecuId: ecu.ecuIdentifier,
    hardwareId: ecu.hardwareIdentifier,
    isPrimary: ecu.isPrimary,
    installed:
      ecu.installed === undefined
        ? undefined
        : {
            name: ecu.installed.name,
            sha256: ecu.installed.sha256,
            lengthBytes: ecu.installed.lengthBytes,
            since: ecu.installed.at?.toString(),
          },
    attacksDetected: ecu.attacksDetected,
    hasEncryptionKey: ecu.hasEncryptionKey,
    missingSince: ecu.missingSince?.toString(),
    isReplacementPending: ecu.isReplacementPending,
  };
}

/** A campaign. */
export function campaignView({ campaign, counts }: CampaignStatus): View<'campaignSchema'> {
  return {
    campaignId: campaign.campaign_id,
    releaseId: campaign.release_id,
    name: campaign.name,
    query: campaign.query,
    state: campaign.state,
    createdBy: campaign.created_by,
    createdAt: campaign.created_at.toString(),
    startedAt: campaign.started_at?.toString(),
    counts: { ...counts },
  };
}

/** A campaign with everything that is known of it. */
export function campaignDetailView(detail: CampaignDetail): CampaignDetailView {
  const { campaign, standing, counts, releaseName } = detail;
  const content = contentOf(campaign);
  return {
    campaignId: campaign.campaign_id,
    releaseId: campaign.release_id,
    releaseName,
    name: campaign.name,
    query: campaign.query,
    state: campaign.state,
    createdBy: campaign.created_by,
    createdAt: campaign.created_at.toString(),
    startedAt: campaign.started_at?.toString(),
    policy: content.policy,
    guard: content.guard,
    filingNumber: content.filingNumber,
    waves: content.waves.map((wave, index) => waveView(detail, wave, index + 1)),
    counts: { ...counts },
    reasons: sumCounts(standing, (count) => reasonNow(campaign, count)),
    contentSha256: campaign.content_sha256 === '' ? hashContent(content) : campaign.content_sha256,
    approval: approvalView(campaign),
    hold: campaign.hold === null ? undefined : holdView(campaign.hold),
    rehearsalId: detail.rehearsalId,
  };
}

type CampaignSchemas = typeof campaignSchemas;
type CampaignDetailView = CampaignSchemas['campaignDetailSchema']['_output'];

function waveView(
  { campaign, standing, waves }: CampaignDetail,
  wave: CampaignWave,
  number: number,
): CampaignDetailView['waves'][number] {
  const stored = waves.find((one) => one.number === number);
  const outcomes = outcomesOf(standing, number);
  const state = stored?.state ?? 'waiting';
  const isLast = number === campaign.waves.length;
  return {
    ...wave,
    number,
    state,
    vehicles: outcomes.vehicles,
    openedAt: stored?.opened_at?.toString(),
    counts: sumCounts(
      standing.filter((count) => count.wave === number),
      (count) => count.state,
    ),
    waitsFor: state === 'open' && !isLast ? waitsFor(wave, outcomes) : undefined,
  };
}

function waitsFor(wave: CampaignWave, outcomes: WaveOutcomes): string {
  const missing = findMissing(wave, outcomes);
  if (missing !== undefined) return missing;
  return wave.isManual ? 'an operator opens the next wave' : 'nothing: the next wave opens';
}

function approvalView({
  approval,
  submission,
  decision,
}: CampaignDetail['campaign']): CampaignDetailView['approval'] {
  const submitted = submission === null ? undefined : decidedView(submission);
  const decided = decision === null ? undefined : decidedView(decision);
  return {
    state: approval,
    submitted,
    decided: decided && { ...decided, note: textOf(decision?.['note']) },
  };
}

function decidedView(decided: JsonObject): { by: string; at: string; keyId: string } {
  const { by, at, keyId } = decided;
  return { by: textOf(by), at: textOf(at), keyId: textOf(keyId) };
}

function holdView(hold: JsonObject): NonNullable<CampaignDetailView['hold']> {
  const rule = (['failures', 'harm', 'operator'] as const).find((one) => one === hold['rule']);
  return {
    since: textOf(hold['since']),
    wave: typeof hold['wave'] === 'number' ? hold['wave'] : 0,
    rule: rule ?? 'operator',
    explanation: textOf(hold['explanation']),
    measured: isJsonObject(hold['measured']) ? { ...hold['measured'] } : {},
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** One vehicle of a campaign, with the meaning of its reason. */
export function campaignVehicleView(why: WhyNot): View<'campaignVehicleSchema'> {
  const { vehicleId, state, reason, text, measured, attempts, since } = why;
  return {
    vehicleId,
    state,
    reason,
    ...text,
    measured: { ...measured },
    attempts,
    since: since.toString(),
  };
}

/** One vehicle of a campaign, with the way it came. */
export function memberView(why: WhyNot): CampaignSchemas['campaignMemberSchema']['_output'] {
  const { vehicleId, vin, model, market, state, stage, wave, isControl, health } = why;
  return {
    vehicleId,
    vin,
    model,
    market,
    state,
    stage,
    wave,
    isControl,
    health,
    reason: why.reason,
    ...why.text,
    measured: { ...why.measured },
    attempts: why.attempts,
    penaltyUntil: why.penaltyUntil?.toString(),
    since: why.since.toString(),
  };
}

/** What happens in a campaign. */
export function liveView(live: LiveCampaign): CampaignSchemas['campaignLiveSchema']['_output'] {
  const { campaignId, at, funnel, adoption, forecast, failures, health } = live;
  return {
    campaignId,
    at: at.toString(),
    funnel: funnel.map((stage) => ({ ...stage, stopped: [...stage.stopped] })),
    adoption: [...adoption],
    forecast: [...forecast],
    failures: { ...failures, history: [...failures.history] },
    health,
  };
}

/** Why a vehicle is not updated in one campaign. */
export function whyNotView(why: WhyNot): View<'whyNotSchema'> {
  const { campaignId, campaignName, release, state, reason, text, measured, since } = why;
  return {
    campaignId,
    campaignName,
    release,
    state,
    reason,
    ...text,
    measured: { ...measured },
    since: since.toString(),
  };
}

/** One event. */
export function eventView(row: {
  readonly stream: string;
  readonly sequence: number;
  readonly at: Temporal.Instant;
  readonly kind: string;
  readonly body: JsonObject;
  readonly hash: Uint8Array;
}): View<'eventSchema'> {
  return {
    stream: row.stream,
    sequence: row.sequence,
    at: row.at.toString(),
    kind: row.kind,
    body: { ...row.body },
    hash: Buffer.from(row.hash).toString('hex'),
  };
}
