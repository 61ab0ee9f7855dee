/**
 * What reports make of a vehicle's state in its campaign. Only signed reports end it: `updated` when
 * every ECU runs its goal, `failed` when a signed result says so too often, or the vehicle refuses
 * without a word.
 */
import { type ReasonCode, REASONS, type VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Observation, ReportObserver } from '../director/ports.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { findCampaign } from './correlation.ts';

/** How often a failed installation is offered again before somebody must look. */
export const ATTEMPTS_MAX = 3;

/** Where an observation puts a vehicle. */
interface Move {
  readonly state: VehicleState | undefined;
  readonly reason: ReasonCode | undefined;
  readonly measured: JsonObject;
  /** A failed attempt: it is offered again until the last. */
  readonly isFailure: boolean;
}

/** Tells, inside a transaction, whether a vehicle runs the whole release of a campaign. */
export type CompletionCheck = (
  tx: CloudTransaction,
  vehicleId: string,
  campaignId: string,
) => Promise<boolean>;

/**
 * Makes the observer of all campaigns.
 *
 * @param runsRelease - asked when every ECU of an offer reports its image: more bundles may follow.
 */
export function createCampaignObserver(runsRelease: CompletionCheck): ReportObserver {
  return {
    async observe(tx, observations) {
      for (const observation of observations) {
        if (observation.kind === 'installed') continue;
        const campaignId = findCampaign(observation.correlationId);
        if (campaignId === undefined) continue;
        // oxlint-disable-next-line no-await-in-loop -- one vehicle's observations are in order
        const move = await moveOf(tx, observation, campaignId, runsRelease);
        // oxlint-disable-next-line no-await-in-loop -- see above
        if (move !== undefined) await apply(tx, observation, campaignId, move);
      }
    },
  };
}

async function moveOf(
  tx: CloudTransaction,
  observation: Exclude<Observation, { readonly kind: 'installed' }>,
  campaignId: string,
  runsRelease: CompletionCheck,
): Promise<Move | undefined> {
  switch (observation.kind) {
    case 'completed':
      return (await runsRelease(tx, observation.vehicleId, campaignId))
        ? moved('updated', undefined)
        : moved('targeted', 'NOT_SEEN');
    case 'offered':
      return moved('offered', 'OFFERED');
    case 'fetched':
      return moved('in-flight', 'AWAITING_REPORT');
    case 'blocked':
      return moved('blocked', observation.reason);
    case 'consent':
      return consentMove(observation.decision);
    case 'progress':
      return Object.hasOwn(REASONS, observation.state)
        ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own key, just checked
          moved(undefined, observation.state as ReasonCode, observation.measured)
        : undefined;
    case 'refused-silently':
      return observation.isFinal
        ? moved('failed', 'REFUSED_SILENTLY', { times: observation.count })
        : undefined;
    case 'result': {
      if (observation.isSuccess) return undefined;
      const measured = { code: observation.code, description: observation.description };
      return { ...moved('failed', reasonOf(observation.code), measured), isFailure: true };
    }
  }
}

function moved(
  state: VehicleState | undefined,
  reason: ReasonCode | undefined,
  measured: JsonObject = {},
): Move {
  return { state, reason, measured, isFailure: false };
}

function consentMove(decision: 'accepted' | 'postponed' | 'declined'): Move {
  if (decision === 'accepted') return moved(undefined, 'AWAITING_REPORT');
  return moved(undefined, decision === 'declined' ? 'CONSENT_DECLINED' : 'AWAITING_CONSENT');
}

/** The client's result codes are free text, `hardware:CODE|hardware:CODE` for several ECUs. */
function reasonOf(code: string): ReasonCode {
  if (code.includes('VERIFICATION_FAILED')) return 'VERIFICATION_FAILED';
  if (code.includes('DOWNLOAD_FAILED')) return 'DOWNLOAD_FAILED';
  if (code.includes('OPERATION_CANCELLED')) return 'CONSENT_DECLINED';
  return 'INSTALL_FAILED';
}

async function apply(
  tx: CloudTransaction,
  { vehicleId, at }: Observation,
  campaignId: string,
  move: Move,
): Promise<void> {
  const row = await tx
    .selectFrom('campaign_vehicle')
    .select(['state', 'reason', 'attempts'])
    .where('vehicle_id', '=', vehicleId)
    .where('campaign_id', '=', campaignId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || row.state === 'updated' || row.state === 'cancelled') return;
  const attempts = row.attempts + (move.isFailure ? 1 : 0);
  const isLast = attempts >= ATTEMPTS_MAX;
  const retried = move.isFailure && !isLast ? 'targeted' : (move.state ?? row.state);
  await tx
    .updateTable('campaign_vehicle')
    .set({
      state: retried,
      reason: move.reason ?? null,
      measured: { ...move.measured, ...(attempts > 0 ? { attempts } : {}) },
      attempts,
      ...(retried === row.state && (move.reason ?? null) === row.reason ? {} : { since: at }),
    })
    .where('vehicle_id', '=', vehicleId)
    .where('campaign_id', '=', campaignId)
    .execute();
}
