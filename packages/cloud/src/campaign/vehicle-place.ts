/**
 * What an observation makes of a vehicle's place in its campaign: a pure state machine. Only signed
 * reports end it: `updated` when every ECU runs its goal, `failed` when a signed result says so too
 * often or the vehicle refuses without a word. And what a later report takes back is taken back here.
 */
import {
  CAMPAIGN_STAGES,
  type CampaignStage,
  type ReasonCode,
  type VehicleState,
} from '@immota/api';
import { type JsonObject, unreachable } from '@immota/base';
import { findHarm, type HealthFacts } from '../director/health-facts.ts';
import type { Observation } from '../director/ports.ts';
import { findCampaign } from './correlation.ts';

/** Where a vehicle stands in one campaign. */
export interface Place {
  readonly state: VehicleState;
  /** Undefined for a vehicle that is updated, and for no other. */
  readonly reason: ReasonCode | undefined;
  readonly measured: JsonObject;
  /** Failed installations since the last step that succeeded. */
  readonly attempts: number;
  readonly since: Temporal.Instant;
  /** How far it ever came. */
  readonly stage: CampaignStage;
  readonly wave: number;
  /** Left untouched for now, to compare the others with. */
  readonly isControl: boolean;
  readonly health: 'unknown' | 'healthy' | 'unhealthy';
  /** The word that it gave in the guard's test; empty for none yet. */
  readonly outcome: '' | 'good' | 'bad';
  /** When its ECUs first attested the release; of a control, when its health was first heard of. */
  readonly bootedAt: Temporal.Instant | undefined;
  /** Not offered before. */
  readonly penaltyUntil: Temporal.Instant | undefined;
  /** Its health before the release; undefined when nothing is known of it. */
  readonly baseline: HealthFacts | undefined;
}

/** The rules of its campaign. */
export interface PlaceRules {
  readonly campaignId: string;
  readonly attemptsMax: number;
  readonly penaltyHours: number;
  readonly soakMinutes: number;
  /** Whether the campaign may still offer: it runs, is paused or holds. */
  readonly isLive: boolean;
}

/** What was found besides the observation. */
export interface Found {
  /**
   * Whether every ECU runs the release by now; undefined when nobody can tell. Asked for `completed` and
   * `installed` alone.
   */
  readonly runsRelease: boolean | undefined;
  /** Its health at this moment; asked for `offered` alone. */
  readonly health?: HealthFacts | undefined;
}

/** States in which a campaign still has something for a vehicle. */
export const ACTIVE_STATES: readonly VehicleState[] = [
  'targeted',
  'offered',
  'in-flight',
  'blocked',
];

/** What a Primary may say of its own waiting, and how far it came when it says so. */
const OWN_REASONS = {
  AWAITING_CONSENT: 'notified',
  CONSENT_DECLINED: 'notified',
  AWAITING_NETWORK: 'consented',
  AWAITING_WINDOW: 'downloaded',
  PRECONDITION: 'downloaded',
  AWAITING_TECHNICIAN: 'downloaded',
  DOWNLOAD_FAILED: 'consented',
  VERIFICATION_FAILED: 'notified',
  INSTALL_FAILED: 'ready',
  AWAITING_REPORT: 'notified',
} as const satisfies Readonly<Partial<Record<ReasonCode, CampaignStage>>>;

/** Failures that tell of the release, and not of the way to it. */
const HARMFUL: ReadonlySet<ReasonCode> = new Set(['INSTALL_FAILED', 'VERIFICATION_FAILED']);

/**
 * Finds the next place.
 *
 * @param place - where it stands.
 * @param observation - what became known.
 * @returns the same object when nothing changes.
 */
export function advancePlace(
  place: Place,
  observation: Observation,
  found: Found,
  rules: PlaceRules,
): Place {
  const { at } = observation;
  switch (observation.kind) {
    case 'completed':
      // Truth comes from the car: it may turn out to run a release that was given up or taken back.
      if (found.runsRelease === true) return settle(place, at, { isOurs: true });
      return isActive(place) ? nextStep(place, at) : place;
    case 'installed':
      if (found.runsRelease === undefined) return place;
      return found.runsRelease
        ? settle(place, at, { isOurs: wasBegun(place) })
        : takeBack(place, observation, rules);
    case 'health':
      return place.isControl
        ? watchControl(place, observation, rules)
        : watchTreated(place, observation, rules);
    case 'offered':
    case 'fetched':
    case 'blocked':
    case 'consent':
    case 'progress':
    case 'refused-silently':
    case 'result':
      return isActive(place) ? advanceActive(place, observation, { found, rules }) : place;
    default:
      return unreachable(observation);
  }
}

type ActiveObservation = Exclude<
  Observation,
  { readonly kind: 'completed' | 'installed' | 'health' }
>;

function advanceActive(
  place: Place,
  observation: ActiveObservation,
  { found, rules }: { readonly found: Found; readonly rules: PlaceRules },
): Place {
  const { at } = observation;
  switch (observation.kind) {
    case 'offered':
      return offer(place, at, found.health);
    case 'fetched':
      return move(place, at, { state: 'in-flight', reason: 'AWAITING_REPORT', stage: 'notified' });
    case 'blocked':
      return move(place, at, { state: 'blocked', reason: observation.reason });
    case 'consent': {
      const { decision } = observation;
      const reached = decision === 'accepted' ? reach(place, 'consented') : place;
      return wait(reached, at, CONSENT_REASONS[decision], {});
    }
    case 'progress':
      return progress(place, observation);
    case 'refused-silently':
      return observation.isFinal
        ? bad(
            move(place, at, {
              state: 'failed',
              reason: 'REFUSED_SILENTLY',
              measured: { times: observation.count },
            }),
          )
        : place;
    case 'result':
      return observation.isSuccess ? reach(place, 'installed') : fail(place, observation, rules);
    default:
      return unreachable(observation);
  }
}

/** Tells whether a campaign still has something for a vehicle. */
export function isActive({ state }: Pick<Place, 'state'>): boolean {
  return ACTIVE_STATES.includes(state);
}

/** Tells whether an offer for it is in force. */
export function isUnderWay({ state }: Pick<Place, 'state'>): boolean {
  return state === 'offered' || state === 'in-flight';
}

/**
 * Finds when a vehicle's health is wanted next.
 *
 * @returns `change` when only a change of it is news; undefined when nobody watches it.
 */
export function healthDue(
  place: Place,
  at: Temporal.Instant,
  rules: PlaceRules,
): Temporal.Instant | 'change' | undefined {
  const isWatched = place.isControl ? rules.isLive : place.state === 'updated';
  if (!isWatched) return undefined;
  if (place.outcome === '') return (place.bootedAt ?? at).add({ minutes: rules.soakMinutes });
  return rules.isLive ? 'change' : undefined;
}

const CONSENT_REASONS = {
  accepted: 'AWAITING_REPORT',
  postponed: 'AWAITING_CONSENT',
  declined: 'CONSENT_DECLINED',
} as const satisfies Readonly<Record<string, ReasonCode>>;

interface Step {
  readonly state: VehicleState;
  readonly reason: ReasonCode | undefined;
  readonly measured?: JsonObject;
  readonly stage?: CampaignStage;
}

function move(place: Place, at: Temporal.Instant, step: Step): Place {
  const { state, reason, measured = {}, stage = 'targeted' } = step;
  const isSame = state === place.state && reason === place.reason;
  const since = isSame ? place.since : at;
  return { ...reach(place, stage), state, reason, measured, since };
}

/** A stage is reached once and for all. */
function reach(place: Place, stage: CampaignStage): Place {
  const isFurther = CAMPAIGN_STAGES.indexOf(stage) > CAMPAIGN_STAGES.indexOf(place.stage);
  return isFurther ? { ...place, stage } : place;
}

/** What it waits for is told of an offer; before one there is nothing to wait for. */
function wait(place: Place, at: Temporal.Instant, reason: ReasonCode, measured: JsonObject): Place {
  const { state } = place;
  return isUnderWay(place) ? move(place, at, { state, reason, measured }) : place;
}

/** From its first offer on a control is treated like everybody else. */
function offer(place: Place, at: Temporal.Instant, health: HealthFacts | undefined): Place {
  const step = { state: 'offered', reason: 'OFFERED', stage: 'reachable' } as const;
  const offered = { ...move(place, at, step), penaltyUntil: undefined };
  if (!place.isControl) return { ...offered, baseline: place.baseline ?? health };
  return {
    ...offered,
    isControl: false,
    baseline: health,
    outcome: '',
    health: 'unknown',
    bootedAt: undefined,
  };
}

function nextStep(place: Place, at: Temporal.Instant): Place {
  return { ...move(place, at, { state: 'targeted', reason: 'NEXT_STEP' }), attempts: 0 };
}

/** It has begun by this campaign's doing, whatever became of it since. */
function wasBegun(place: Place): boolean {
  return isUnderWay(place) || place.reason === 'NEXT_STEP' || !isActive(place);
}

/** Every ECU runs the release: by this campaign, or by somebody else's doing. */
function settle(
  place: Place,
  at: Temporal.Instant,
  { isOurs }: { readonly isOurs: boolean },
): Place {
  if (place.state === 'updated' || place.state === 'not-needed') return place;
  if (!isOurs) return move(place, at, { state: 'not-needed', reason: 'ALREADY_RUNS_IT' });
  const updated = move(place, at, { state: 'updated', reason: undefined, stage: 'booted' });
  return { ...updated, bootedAt: at, penaltyUntil: undefined, health: 'unknown' };
}

/** It ran the release, and an ECU attests another image: nobody may be told that it is updated. */
function takeBack(
  place: Place,
  { at, ecuIdentifier, image, offeredBy }: Extract<Observation, { readonly kind: 'installed' }>,
  rules: PlaceRules,
): Place {
  if (place.state !== 'updated' && place.state !== 'not-needed') return place;
  // What a later campaign brings does not take back what this one brought.
  const isOthers = offeredBy !== undefined && findCampaign(offeredBy) !== rules.campaignId;
  if (isOthers) return place;
  const wasUpdated = place.state === 'updated';
  const attempts = place.attempts + (wasUpdated ? 1 : 0);
  const measured = { ecu: ecuIdentifier, image: image.name, attempts };
  const isAgain = rules.isLive && attempts < rules.attemptsMax;
  const taken = {
    ...move(place, at, { state: isAgain ? 'targeted' : 'failed', reason: 'TAKEN_BACK', measured }),
    attempts,
    bootedAt: undefined,
  };
  return wasUpdated ? bad(box(taken, at, rules)) : taken;
}

function progress(
  place: Place,
  { at, state, measured }: Extract<Observation, { readonly kind: 'progress' }>,
): Place {
  const reason = findOwnReason(state);
  if (reason === undefined || !isUnderWay(place)) return place;
  // Whose transaction is open has downloaded, and was let install.
  const isOpen = reason === 'AWAITING_REPORT' && typeof measured['phase'] === 'string';
  return wait(reach(place, isOpen ? 'ready' : OWN_REASONS[reason]), at, reason, measured);
}

function findOwnReason(text: string): keyof typeof OWN_REASONS | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked here
  return Object.hasOwn(OWN_REASONS, text) ? (text as keyof typeof OWN_REASONS) : undefined;
}

/** A failed installation is offered again until the last; a refusal of the owner is no failure. */
function fail(
  place: Place,
  { at, code, description }: Extract<Observation, { readonly kind: 'result' }>,
  rules: PlaceRules,
): Place {
  const reason = reasonOf(code);
  if (reason === 'CONSENT_DECLINED') return wait(place, at, reason, { code, description });
  const attempts = place.attempts + 1;
  const measured = { code, description, attempts };
  const isLast = attempts >= rules.attemptsMax;
  // The offer stays in force, so a vehicle that failed stands where it stood.
  const again = isUnderWay(place) ? place.state : 'targeted';
  const stage = reason === 'INSTALL_FAILED' ? 'ready' : 'notified';
  const failed = {
    ...move(place, at, { state: isLast ? 'failed' : again, reason, measured, stage }),
    attempts,
  };
  const isHarmful = isLast || HARMFUL.has(reason);
  return isHarmful ? bad(box(failed, at, rules)) : box(failed, at, rules);
}

/** Leaves it alone for some time, and says until when and why. */
function box(place: Place, at: Temporal.Instant, { penaltyHours }: PlaceRules): Place {
  if (penaltyHours === 0 || !isActive(place)) return place;
  const penaltyUntil = at.add({ hours: penaltyHours });
  const measured = {
    ...place.measured,
    because: place.reason ?? '',
    until: penaltyUntil.toString(),
  };
  return {
    ...place,
    state: 'targeted',
    reason: 'PENALTY_BOX',
    measured,
    since: at,
    penaltyUntil,
  };
}

/** A vehicle whose word was good and turns bad was harmed later; it never turns good again. */
function bad(place: Place): Place {
  return place.isControl ? place : { ...place, outcome: 'bad' };
}

/** An untouched vehicle: its first report is what later ones are held against. */
function watchControl(
  place: Place,
  { at, facts }: Extract<Observation, { readonly kind: 'health' }>,
  rules: PlaceRules,
): Place {
  if (!rules.isLive || !isActive(place)) return place;
  if (place.baseline === undefined || place.bootedAt === undefined) {
    const first = { ...place, baseline: facts, bootedAt: at };
    return rules.soakMinutes === 0 ? { ...first, health: 'healthy', outcome: 'good' } : first;
  }
  if (findHarm(facts, place.baseline) !== undefined) {
    return place.outcome === 'bad' ? place : { ...place, health: 'unhealthy', outcome: 'bad' };
  }
  if (place.outcome !== '' || !hasSoaked(place.bootedAt, at, rules)) return place;
  return { ...place, health: 'healthy', outcome: 'good' };
}

/** A vehicle that runs the release: healthy when it stayed so for as long as its wave says. */
function watchTreated(
  place: Place,
  { at, facts }: Extract<Observation, { readonly kind: 'health' }>,
  rules: PlaceRules,
): Place {
  if (place.state !== 'updated' || place.bootedAt === undefined) return place;
  const harm = findHarm(facts, place.baseline);
  if (harm !== undefined) {
    return place.health === 'unhealthy'
      ? place
      : bad({ ...place, health: 'unhealthy', measured: harm });
  }
  // What was harmed once is not healthy by itself: somebody looks, or it is updated again.
  if (place.health !== 'unknown' || !hasSoaked(place.bootedAt, at, rules)) return place;
  const healthy = { ...reach(place, 'healthy'), health: 'healthy', measured: {} } as const;
  return place.outcome === '' ? { ...healthy, outcome: 'good' } : healthy;
}

function hasSoaked(
  from: Temporal.Instant,
  at: Temporal.Instant,
  { soakMinutes }: PlaceRules,
): boolean {
  return Temporal.Instant.compare(at, from.add({ minutes: soakMinutes })) >= 0;
}

/** The client's result codes are free text, `hardware:CODE|hardware:CODE` for several ECUs. */
function reasonOf(code: string): ReasonCode {
  if (code.includes('VERIFICATION_FAILED')) return 'VERIFICATION_FAILED';
  if (code.includes('DOWNLOAD_FAILED')) return 'DOWNLOAD_FAILED';
  // Of several ECUs those that were not begun are cancelled, whatever stopped the one that matters.
  if (/INSTALL_FAILED|ROLLED_BACK|WORKSHOP_REQUIRED|INTERNAL_ERROR/.test(code)) {
    return 'INSTALL_FAILED';
  }
  if (code.includes('OPERATION_CANCELLED')) return 'CONSENT_DECLINED';
  return 'INSTALL_FAILED';
}
