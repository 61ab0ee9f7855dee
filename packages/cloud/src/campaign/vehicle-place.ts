/**
 * What an observation makes of a vehicle's place in its campaign: a pure state machine. Only signed
 * reports end it: `updated` when every ECU runs its goal, `failed` when a signed result says so too
 * often or the vehicle refuses without a word.
 */
import type { ReasonCode, VehicleState } from '@immota/api';
import { type JsonObject, unreachable } from '@immota/base';
import type { Observation } from '../director/ports.ts';

/** How often a failed installation is offered again before somebody must look. */
const ATTEMPTS_MAX = 3;

/** Where a vehicle stands in one campaign. */
export interface Place {
  readonly state: VehicleState;
  /** Undefined for a vehicle that is updated, and for no other. */
  readonly reason: ReasonCode | undefined;
  readonly measured: JsonObject;
  /** Failed installations since the last step that succeeded. */
  readonly attempts: number;
  readonly since: Temporal.Instant;
}

/** What a campaign hears of; installations of single ECUs move nothing. */
export type CampaignObservation = Exclude<Observation, { readonly kind: 'installed' }>;

/** States in which a campaign still has something for a vehicle. */
export const ACTIVE_STATES: readonly VehicleState[] = [
  'targeted',
  'offered',
  'in-flight',
  'blocked',
];

/** What a Primary may say of its own waiting; every other reason is not its to give. */
const OWN_REASONS = [
  'AWAITING_CONSENT',
  'CONSENT_DECLINED',
  'PRECONDITION',
  'AWAITING_TECHNICIAN',
  'DOWNLOAD_FAILED',
  'VERIFICATION_FAILED',
  'INSTALL_FAILED',
  'AWAITING_REPORT',
] as const satisfies readonly ReasonCode[];

/**
 * Finds the next place.
 *
 * @param place - where it stands.
 * @param observation - what became known.
 * @param runsRelease - whether every ECU runs the release by now; asked for `completed` alone.
 * @returns the same object when nothing changes.
 */
export function advancePlace(
  place: Place,
  observation: CampaignObservation,
  runsRelease: boolean,
): Place {
  // Truth comes from the car: it may turn out to run a release that was given up or taken back.
  if (observation.kind === 'completed' && runsRelease) {
    const isSettled = place.state === 'updated' || place.state === 'not-needed';
    return isSettled ? place : move(place, observation.at, { state: 'updated', reason: undefined });
  }
  if (!isActive(place)) return place;
  const { at } = observation;
  switch (observation.kind) {
    case 'completed':
      return { ...move(place, at, { state: 'targeted', reason: 'NEXT_STEP' }), attempts: 0 };
    case 'offered':
      return move(place, at, { state: 'offered', reason: 'OFFERED' });
    case 'fetched':
      return move(place, at, { state: 'in-flight', reason: 'AWAITING_REPORT' });
    case 'blocked':
      return move(place, at, { state: 'blocked', reason: observation.reason });
    case 'consent':
      return wait(place, at, CONSENT_REASONS[observation.decision], {});
    case 'progress': {
      const reason = OWN_REASONS.find((own) => own === observation.state);
      return reason === undefined ? place : wait(place, at, reason, observation.measured);
    }
    case 'refused-silently':
      return observation.isFinal
        ? move(place, at, {
            state: 'failed',
            reason: 'REFUSED_SILENTLY',
            measured: { times: observation.count },
          })
        : place;
    case 'result':
      return observation.isSuccess ? place : fail(place, observation);
    default:
      return unreachable(observation);
  }
}

/** Tells whether a campaign still has something for a vehicle. */
export function isActive({ state }: Pick<Place, 'state'>): boolean {
  return ACTIVE_STATES.includes(state);
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
}

function move(place: Place, at: Temporal.Instant, { state, reason, measured = {} }: Step): Place {
  const isSame = state === place.state && reason === place.reason;
  return { ...place, state, reason, measured, since: isSame ? place.since : at };
}

/** What it waits for is told of an offer; before one there is nothing to wait for. */
function wait(place: Place, at: Temporal.Instant, reason: ReasonCode, measured: JsonObject): Place {
  const { state } = place;
  return isUnderWay(place) ? move(place, at, { state, reason, measured }) : place;
}

/** A failed installation is offered again until the last; a refusal of the owner is no failure. */
function fail(
  place: Place,
  { at, code, description }: Extract<CampaignObservation, { readonly kind: 'result' }>,
): Place {
  const reason = reasonOf(code);
  if (reason === 'CONSENT_DECLINED') return wait(place, at, reason, { code, description });
  const attempts = place.attempts + 1;
  // The offer stays in force, so a vehicle that failed stands where it stood.
  const again = isUnderWay(place) ? place.state : 'targeted';
  const state = attempts >= ATTEMPTS_MAX ? 'failed' : again;
  const measured = { code, description, attempts };
  return { ...move(place, at, { state, reason, measured }), attempts };
}

/** Tells whether an offer for it is in force. */
export function isUnderWay({ state }: Pick<Place, 'state'>): boolean {
  return state === 'offered' || state === 'in-flight';
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
