/** Why a vehicle that could be offered a release is not offered it now: pure. */
import { createHash } from 'node:crypto';
import type { ReasonCode } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { hourOf, isBelowCap, isCapped, type OfferRate } from './admit-offers.ts';
import type { CampaignPolicy } from './campaign-content.ts';

/** What the gate looks at. */
export interface GateSituation {
  readonly campaignId: string;
  readonly vehicleId: string;
  readonly policy: CampaignPolicy;
  readonly wave: number;
  readonly isControl: boolean;
  readonly openWave: number;
  /** How many waves there are; controls wait for the last. */
  readonly waveCount: number;
  readonly waveOpenedAt: Temporal.Instant | undefined;
  readonly penaltyUntil: Temporal.Instant | undefined;
  readonly blockedBecause: string | undefined;
  /** Whether its offer is in force already, or the next one of several steps. */
  readonly isOffered: boolean;
  readonly isBegun: boolean;
  /** Offers of this hour, these of this batch included. */
  readonly rate: OfferRate;
}

/** Why not now, with what was measured. */
export interface Closed {
  readonly reason: ReasonCode;
  readonly measured: JsonObject;
}

/** Finds why not; undefined when it may be offered. */
export function findClosed(situation: GateSituation, now: Temporal.Instant): Closed | undefined {
  const { blockedBecause, isOffered, isBegun, wave, openWave } = situation;
  if (blockedBecause !== undefined) {
    return { reason: 'RELEASE_BLOCKED', measured: { because: blockedBecause } };
  }
  if (isOffered) return undefined;
  if (situation.isControl && openWave < situation.waveCount) {
    return { reason: 'CONTROL_GROUP', measured: { openWave, waits: situation.waveCount } };
  }
  if (wave > openWave) return { reason: 'LATER_WAVE', measured: { wave, openWave } };
  return (isBegun ? undefined : findTooLate(situation, now)) ?? findTooEarly(situation, now);
}

function findTooLate(
  { policy: { endsAt } }: GateSituation,
  now: Temporal.Instant,
): Closed | undefined {
  if (endsAt === undefined || isBefore(now, Temporal.Instant.from(endsAt))) return undefined;
  return { reason: 'CAMPAIGN_OVER', measured: { endsAt } };
}

function findTooEarly(situation: GateSituation, now: Temporal.Instant): Closed | undefined {
  const { policy, penaltyUntil, rate, isBegun } = situation;
  if (penaltyUntil !== undefined && isBefore(now, penaltyUntil)) {
    return { reason: 'PENALTY_BOX', measured: { until: penaltyUntil.toString() } };
  }
  const turn = isBegun ? undefined : turnOf(situation);
  if (turn !== undefined && isBefore(now, turn)) {
    return { reason: 'SPREAD', measured: { until: turn.toString() } };
  }
  if (isCapped(policy) && !isBelowCap(policy, rate)) {
    const until = hourOf(now).add({ hours: 1 });
    return { reason: 'RATE_CAP', measured: { cap: capOf(policy), until: until.toString() } };
  }
  return undefined;
}

function capOf({ rate: { vehiclesPerHour, bytesPerHour } }: CampaignPolicy): JsonObject {
  return {
    ...(vehiclesPerHour === undefined ? {} : { vehiclesPerHour }),
    ...(bytesPerHour === undefined ? {} : { bytesPerHour }),
  };
}

/** When a vehicle's turn comes: by a hash that nobody chooses, the same each time. */
function turnOf({
  policy: { spreadMinutes },
  waveOpenedAt,
  campaignId,
  vehicleId,
}: Pick<GateSituation, 'policy' | 'waveOpenedAt' | 'campaignId' | 'vehicleId'>):
  | Temporal.Instant
  | undefined {
  if (spreadMinutes === 0 || waveOpenedAt === undefined) return undefined;
  const digest = createHash('sha256').update(`spread ${campaignId} ${vehicleId}`).digest();
  const seconds = Math.floor((digest.readUInt32BE(0) / 2 ** 32) * spreadMinutes * 60);
  return waveOpenedAt.add({ seconds });
}

function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}
