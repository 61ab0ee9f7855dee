/** What is decided of a campaign before it starts, and the hash that approvals are bound to. */
import { createHash } from 'node:crypto';
import { campaignSchemas } from '@immota/api';
import { assert, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';
import type { Selectable } from 'kysely';
import { CloudFault } from '../fault.ts';
import type { CampaignRow } from '../schema/campaign-tables.ts';
import { checkPrecondition } from './precondition.ts';
import type { GuardDesign } from './statistics/campaign-guard.ts';
import type { Cut } from './statistics/stratified-sample.ts';

type Plan = ReturnType<typeof campaignSchemas.campaignPlanSchema.parse>;
/** When and how vehicles may carry it out, with every default filled in. */
export type CampaignPolicy = NonNullable<Plan['policy']>;
/** One wave. */
export type CampaignWave = NonNullable<Plan['waves']>[number];
/** When it holds by itself. */
export type CampaignGuard = NonNullable<Plan['guard']>;

/** A campaign as people decide it; what is left out is by the schema's defaults. */
export type CampaignPlan = (typeof campaignSchemas.campaignPlanSchema)['_input'];

/** All that is decided, with every default filled in. */
export interface CampaignContent {
  readonly name: string;
  readonly releaseId: string;
  readonly query: string;
  readonly policy: CampaignPolicy;
  readonly waves: readonly CampaignWave[];
  readonly guard: CampaignGuard;
  readonly filingNumber: string | undefined;
}

const { campaignPlanSchema, campaignPolicySchema, campaignGuardSchema, campaignWaveSchema } =
  campaignSchemas;

/**
 * Reads a plan.
 *
 * @throws CloudFault CAMPAIGN_MALFORMED when its parts contradict each other.
 */
export function parseContent(plan: CampaignPlan): CampaignContent {
  const parsed = campaignPlanSchema.safeParse(plan);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, parsed.error);
  }
  const { name, releaseId, query, filingNumber, policy, guard, waves } = parsed.data;
  const content = {
    name,
    releaseId,
    query,
    policy: policy ?? campaignPolicySchema.parse({}),
    guard: guard ?? campaignGuardSchema.parse({}),
    waves: waves ?? [campaignWaveSchema.parse({ name: 'All', upToPermille: 1000 })],
    filingNumber,
  };
  checkWaves(content);
  checkPrecondition(content.policy.precondition);
  return content;
}

/** Reads what is stored; it was parsed before it was. */
export function contentOf(row: Selectable<CampaignRow>): CampaignContent {
  const waves = row.waves.map((wave) => campaignWaveSchema.parse(wave));
  return {
    name: row.name,
    releaseId: row.release_id,
    query: row.query,
    policy: campaignPolicySchema.parse(row.policy),
    // Campaigns from before there were waves have one with everybody in it.
    waves: waves.length > 0 ? waves : [campaignWaveSchema.parse(ALL)],
    guard: campaignGuardSchema.parse(row.guard),
    filingNumber: row.filing_number ?? undefined,
  };
}

const ALL = { name: 'All', upToPermille: 1000 };

/** Computes what an approval is bound to: SHA-256 over the canonical JSON of all that is decided. */
export function hashContent(content: CampaignContent): string {
  const { name, releaseId, query, policy, waves, guard, filingNumber } = content;
  const document = {
    name,
    releaseId,
    query,
    policy: plain(policy),
    waves: plain(waves),
    guard: plain(guard),
    ...(filingNumber === undefined ? {} : { filingNumber }),
  };
  return createHash('sha256').update(encodeCanonical(document, 'escaped')).digest('hex');
}

/** As long as a plan ever is: its texts are bounded, and so are its waves. */
const CONTENT_MAX_BYTES = 262_144;

/** Reads what the schemas let pass as JSON: members that are left out are not there. */
export function plain(value: unknown): JsonValue {
  return parseJson(new TextEncoder().encode(JSON.stringify(value)), CONTENT_MAX_BYTES);
}

/** An object of a plan as a row keeps it. */
export function objectOf(value: object): JsonObject {
  const object = plain(value);
  assert(isJsonObject(object), 'a part of a plan is an object');
  return object;
}

/** How the guard judges one wave: what may be missed in all is shared by the waves. */
export function designOf({ guard, waves }: Pick<CampaignContent, 'guard' | 'waves'>): GuardDesign {
  return {
    failureMax: guard.failurePermilleMax / 1000,
    harmMax: guard.harmPermilleMax / 1000,
    falseHolds: guard.falseHoldPermille / 1000 / waves.length,
  };
}

/** How the campaign is cut into waves. */
export function cutOf({ guard, waves }: Pick<CampaignContent, 'guard' | 'waves'>): Cut {
  return {
    upToPermille: waves.map(({ upToPermille }) => upToPermille),
    controlPermille: guard.controlPermille,
  };
}

function checkWaves({ waves, guard }: CampaignContent): void {
  for (const [index, { upToPermille }] of waves.entries()) {
    const before = waves[index - 1]?.upToPermille ?? 0;
    if (upToPermille <= before) {
      throw malformed(`wave ${index + 1} reaches ${upToPermille} permille, no further than before`);
    }
  }
  if (waves.at(-1)?.upToPermille !== 1000) throw malformed('the last wave reaches 1000 permille');
  if (guard.controlPermille > 0 && waves.length === 1) {
    throw malformed('vehicles are left untouched until the last wave, and there is one wave alone');
  }
}

function malformed(why: string, cause?: unknown): CloudFault {
  return new CloudFault('CAMPAIGN_MALFORMED', `Cannot take campaign: ${why}`, { cause });
}
