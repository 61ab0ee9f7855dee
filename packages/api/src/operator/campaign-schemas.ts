/**
 * Campaigns as the operator API speaks of them: plan, approval, rehearsal, and what truly happens.
 * Shares are whole permille, so that what people sign has no fractions in it.
 */
import { z } from '@hono/zod-openapi';
import { CAMPAIGN_STAGES, VEHICLE_STATES } from '../campaign/states.ts';
import { text } from './text.ts';

const instant = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const permille = z.int().min(0).max(1000);
const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);

/** Waves of one campaign. */
export const WAVES_MAX = 16;

/** When and how a vehicle may carry an update out; what the vehicle must heed is signed with its plan. */
export const campaignPolicySchema = z
  .object({
    /** The higher goes first where two campaigns want one vehicle. */
    priority: z.int().min(0).max(1000).default(500),
    /** Whether vehicles that come to match the query while it runs take part. */
    joins: z.boolean().default(false),
    /** CEL over VSS signals; empty for the vehicle's standing conditions alone. */
    precondition: text(2000).default(''),
    /** Vehicle-local hours in which it may install; `to` before `from` ends on the next day. */
    window: z
      .object({
        from: timeOfDay,
        to: timeOfDay,
        /** 1 Monday … 7 Sunday; every day when left out. */
        days: z.array(z.int().min(1).max(7)).min(1).max(7).optional(),
      })
      .optional(),
    network: z.enum(['any', 'unmetered', 'wifi']).default('any'),
    retries: z
      .object({
        attemptsMax: z.int().min(1).max(10),
        /** How long a vehicle that failed is left alone before it is tried again. */
        penaltyHours: z.int().min(0).max(720),
      })
      .default({ attemptsMax: 3, penaltyHours: 0 }),
    /** Over how long the first offers of a wave are spread, against herds. */
    spreadMinutes: z.int().min(0).max(10_080).default(0),
    /** New offers an hour, in vehicles and in bytes; no cap when left out. */
    rate: z
      .object({
        vehiclesPerHour: z.int().min(1).optional(),
        bytesPerHour: z.int().min(1).optional(),
      })
      .default({}),
    /** After it nothing new is offered. */
    endsAt: instant.optional(),
  })
  .openapi('CampaignPolicy');

/** One wave: how much of every stratum, and what must hold before the next one opens. */
export const campaignWaveSchema = z
  .object({
    name: text(60, 1),
    /** Of all vehicles of the campaign, this wave and all before it; the last wave has 1000. */
    upToPermille: permille.min(1),
    /** Healthy vehicles, of those with an outcome, before the next wave opens. */
    successPermille: permille.default(950),
    /** Outcomes that must be known before the next wave opens. */
    outcomesMin: count.default(1),
    /** How long a vehicle must stay healthy after its boot to count. */
    soakMinutes: z.int().min(0).max(43_200).default(0),
    /** Whether an operator opens the next wave by hand. */
    isManual: z.boolean().default(false),
  })
  .openapi('CampaignWave');

/** When a campaign holds by itself. */
export const campaignGuardSchema = z
  .object({
    /** The failure rate that must not be exceeded. */
    failurePermilleMax: permille.min(1).default(20),
    /** How often a campaign that is within its limit may be held all the same. */
    falseHoldPermille: permille.min(1).max(200).default(50),
    /** Of each stratum, left untouched until the last wave to compare with. */
    controlPermille: permille.max(500).default(0),
    /** How much more often treated vehicles may be unhealthy than untouched ones. */
    harmPermilleMax: permille.min(1).default(20),
  })
  .openapi('CampaignGuard');

/** A campaign to be created, or changed while it is a draft. */
export const campaignPlanSchema = z.object({
  name: text(200, 1),
  releaseId: text(64, 1),
  /** CEL over `vehicle`. */
  query: text(4000, 1),
  policy: campaignPolicySchema.optional(),
  /** One wave with all vehicles when left out. */
  waves: z.array(campaignWaveSchema).min(1).max(WAVES_MAX).optional(),
  guard: campaignGuardSchema.optional(),
  /** Of the filing with the authority, where one is due (MIIT 2025/45). */
  filingNumber: text(100).optional(),
});

/** A signature of a person over a decision; see the guide on approvals for the signed text. */
export const decisionSignatureSchema = z
  .object({
    keyId: text(64, 1),
    /** Base64, over the canonical JSON of the decision. */
    signature: z.base64().max(1024),
    /** When the person signed. */
    signedAt: instant,
  })
  .openapi('DecisionSignature');

/** Hands a draft in: from here on its content is frozen by its hash. */
export const submissionSchema = z.object({
  contentSha256: sha256,
  signature: decisionSignatureSchema,
});

/** What somebody who is not the author says of it. */
export const approvalSchema = z.object({
  contentSha256: sha256,
  decision: z.enum(['approve', 'reject']),
  note: text(2000).default(''),
  signature: decisionSignatureSchema,
});

/** Who decided what. */
const decidedSchema = z.object({ by: z.string(), at: instant, keyId: z.string() });

/** A wave as it stands. */
export const waveStatusSchema = campaignWaveSchema
  .extend({
    number: z.int(),
    state: z.enum(['waiting', 'open', 'done']),
    vehicles: count,
    openedAt: instant.optional(),
    counts: z.record(z.string(), count),
    /** In words: what is missing before the next wave opens. */
    waitsFor: z.string().optional(),
  })
  .openapi('WaveStatus');

/** A campaign, how far it is, and why it holds. */
export const campaignDetailSchema = z
  .object({
    campaignId: z.string(),
    releaseId: z.string(),
    releaseName: z.string(),
    name: z.string(),
    query: z.string(),
    state: z.enum(['planned', 'running', 'paused', 'held', 'finished', 'cancelled']),
    createdBy: z.string(),
    createdAt: instant,
    startedAt: instant.optional(),
    policy: campaignPolicySchema,
    guard: campaignGuardSchema,
    filingNumber: z.string().optional(),
    waves: z.array(waveStatusSchema),
    /** Vehicles by state, and by reason. */
    counts: z.record(z.string(), count),
    reasons: z.record(z.string(), count),
    /** Of all that is decided: name, release, query, policy, waves, guard. */
    contentSha256: sha256,
    approval: z.object({
      state: z.enum(['draft', 'submitted', 'approved', 'rejected']),
      submitted: decidedSchema.optional(),
      decided: decidedSchema.extend({ note: z.string() }).optional(),
    }),
    hold: z
      .object({
        since: instant,
        wave: z.int(),
        rule: z.enum(['failures', 'harm', 'operator']),
        explanation: z.string(),
        measured: z.record(z.string(), z.unknown()),
      })
      .optional(),
    /** Of its last rehearsal, if there is one. */
    rehearsalId: z.string().optional(),
  })
  .openapi('CampaignDetail');

/** Another campaign that wants some of the same vehicles. */
export const campaignConflictSchema = z
  .object({
    campaignId: z.string(),
    name: z.string(),
    state: z.string(),
    priority: z.int(),
    vehicles: count,
    /** Which of the two goes first, and why. */
    explanation: z.string(),
  })
  .openapi('CampaignConflict');

/** A point of a curve with its band. */
const forecastPointSchema = z.object({
  hours: z.number(),
  low: z.number(),
  middle: z.number(),
  high: z.number(),
});

/** What a campaign would do to the fleet as it was last seen. */
export const rehearsalSchema = z
  .object({
    rehearsalId: z.string(),
    campaignId: z.string(),
    contentSha256: sha256,
    state: z.enum(['running', 'done', 'failed']),
    seen: count,
    total: count,
    startedAt: instant,
    endedAt: instant.optional(),
    problem: z.string().optional(),
    result: z
      .object({
        matched: count,
        plannable: count,
        alreadyThere: count,
        blocked: z.array(
          z.object({
            reason: z.string(),
            meaning: z.string(),
            nextStep: z.string(),
            vehicles: count,
            sample: z.array(z.string()),
          }),
        ),
        /** By model, market and what they run now; the largest first. */
        variants: z.array(
          z.object({
            model: z.string(),
            market: z.string(),
            source: z.string(),
            vehicles: count,
            plannable: count,
            steps: count,
            fullBytes: count,
            deltaBytes: count,
          }),
        ),
        waves: z.array(z.object({ name: z.string(), vehicles: count, strata: count })),
        controls: count,
        /** `estimated` is the part of `delta` for which no delta was made yet. */
        bytes: z.object({ full: count, delta: count, estimated: count.optional() }),
        /** Minutes that a vehicle cannot be used. */
        minutes: z.object({ low: z.number(), middle: z.number(), high: z.number() }),
        forecast: z.array(forecastPointSchema),
        hoursTo95: z.number().optional(),
        conflicts: z.array(campaignConflictSchema),
        /** Keys, roots or floors that would leave vehicles behind. */
        stranding: z.array(
          z.object({
            check: z.string(),
            detail: z.string(),
            vehicles: count,
            isBlocking: z.boolean(),
          }),
        ),
        /** The smallest harm that the guard finds with this many vehicles, four times in five. */
        detectablePermille: z.number().optional(),
      })
      .optional(),
  })
  .openapi('Rehearsal');

/** A rate with what is known of it. */
const rateSchema = z.object({
  outcomes: count,
  bad: count,
  estimate: z.number(),
  low: z.number(),
  high: z.number(),
});

/** What happens in a campaign, for its live screen. */
export const campaignLiveSchema = z
  .object({
    campaignId: z.string(),
    at: instant,
    funnel: z.array(
      z.object({
        stage: z.enum(CAMPAIGN_STAGES),
        vehicles: count,
        /** Vehicles that came this far and no further, by reason. */
        stopped: z.array(z.object({ reason: z.string(), meaning: z.string(), vehicles: count })),
      }),
    ),
    adoption: z.array(z.object({ hours: z.number(), vehicles: count })),
    forecast: z.array(forecastPointSchema),
    /** Failures of the open wave against the limit. */
    failures: rateSchema.extend({
      limit: z.number(),
      /** Over time, for the plot. */
      history: z.array(
        z.object({ hours: z.number(), estimate: z.number(), low: z.number(), high: z.number() }),
      ),
      verdict: z.enum(['unknown', 'within', 'exceeded']),
    }),
    health: z
      .object({
        treated: rateSchema,
        control: rateSchema,
        difference: z.object({ low: z.number(), high: z.number() }),
        limit: z.number(),
        verdict: z.enum(['unknown', 'within', 'exceeded']),
      })
      .optional(),
  })
  .openapi('CampaignLive');

/** Where failures gather. */
export const failureCellSchema = z
  .object({
    hardwareId: z.string(),
    /** The image that ran before. */
    source: z.string(),
    outcomes: count,
    failures: count,
    codes: z.record(z.string(), count),
    sample: z.array(z.string()),
  })
  .openapi('FailureCell');

/** One vehicle of a campaign, with the way it came. */
export const campaignMemberSchema = z
  .object({
    vehicleId: z.string(),
    vin: z.string().optional(),
    model: z.string(),
    market: z.string(),
    state: z.enum(VEHICLE_STATES),
    stage: z.enum(CAMPAIGN_STAGES),
    wave: z.int(),
    isControl: z.boolean(),
    health: z.enum(['unknown', 'healthy', 'unhealthy']),
    reason: z.string().optional(),
    meaning: z.string(),
    nextStep: z.string(),
    actor: z.string(),
    measured: z.record(z.string(), z.unknown()),
    attempts: z.int(),
    /** Until then it is left alone. */
    penaltyUntil: instant.optional(),
    since: instant,
  })
  .openapi('CampaignMember');
