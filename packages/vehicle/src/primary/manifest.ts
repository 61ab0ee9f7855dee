/** Sends the vehicle version manifest {uptane I3}, with everything that the Director has not heard of. */
import { DEVICE_PATHS, deviceLimits } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { signManifest } from '@immota/uptane';
import { requestSmall } from '../download/request.ts';
import { forgetAttacks, listAttacks } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import {
  findOutcome,
  forgetOutcome,
  installationReport,
  isInstalled,
  waitingObject,
} from './installation.ts';
import type { CollectedReports } from './reports.ts';
import { forgetTechnicianWords, listTechnicianWords, technicianObject } from './technician-stop.ts';
import { findTransaction, safeStateObject } from './transaction-store.ts';
import { findStoredOffer } from './verify-update.ts';

/**
 * Sends a manifest.
 *
 * A Director that refuses it does not stop the cycle: what it signs is verified all the same. What it
 * was to hear is kept for the next one.
 *
 * @returns whether the Director has accepted it.
 * @throws VehicleFault NETWORK and others as `requestSmall`.
 */
export async function sendManifest(
  context: PrimaryContext,
  reports: CollectedReports,
): Promise<boolean> {
  const { bundle, keys } = context;
  const outcome = findOutcome(context);
  const own = reports.get(bundle.ecuIdentifier)?.report.attacksDetected ?? '';
  const told = listAttacks(context).filter((note) => own.includes(note));
  const words = listTechnicianWords(context);
  const body = await signManifest(
    {
      vehicleIdentifier: bundle.vehicleIdentifier,
      primaryEcuIdentifier: bundle.ecuIdentifier,
      reports: new Map([...reports].map(([ecu, { document }]) => [ecu, document])),
      installationReport: outcome === undefined ? undefined : installationReport(outcome),
      custom: customOf(context, reports),
    },
    keys.identity,
  );
  const { status } = await requestSmall(context.network(), {
    method: 'PUT',
    url: bundle.gatewayOrigin + DEVICE_PATHS.manifest,
    headers: { 'content-type': 'application/json' },
    body,
    lengthMaxBytes: deviceLimits.ANSWER_MAX_BYTES,
  });
  if (status >= 300) return false;
  if (outcome !== undefined) forgetOutcome(context, outcome);
  forgetAttacks(context, told);
  forgetTechnicianWords(context, words);
  return true;
}

function customOf(context: PrimaryContext, reports: CollectedReports): JsonObject | undefined {
  const custom = {
    ...(waitingObject(context) ?? openObject(context, reports)),
    ...safeStateObject(context),
    ...technicianObject(context),
  };
  return Object.keys(custom).length === 0 ? undefined : custom;
}

/**
 * What a manifest says while an update is known and not done, such as after a power cut: a vehicle that
 * comes back without a word would be taken for one that refuses.
 */
function openObject(context: PrimaryContext, reports: CollectedReports): JsonObject | undefined {
  // While it is open nothing counts as installed, whatever runs on trial.
  const transaction = findTransaction(context);
  if (transaction !== undefined) {
    const { correlationId, phase } = transaction;
    return { progress: { correlationId, state: 'AWAITING_REPORT', measured: { phase } } };
  }
  const offer = findStoredOffer(context);
  if (offer === undefined) return undefined;
  const isOpen = [...offer.ecus].some(
    ([ecu, { target }]) => !isInstalled(reports.get(ecu)?.report, target),
  );
  const { correlationId } = offer;
  return isOpen ? { progress: { correlationId, state: 'AWAITING_REPORT' } } : undefined;
}
