/**
 * Finishes what a boot or a power cut interrupted: an installation whose ECUs were being activated is
 * judged by their reports {uptane J4}, and by nothing that was remembered.
 */
import { parseEcuIdentifier } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import {
  concludeInstallation,
  type EcuResult,
  findInstallation,
  type Installation,
  runsWanted,
  saveInstallation,
} from './installation.ts';
import { reactivate } from './participants.ts';
import type { CollectedReports } from './reports.ts';
import { resultOf, succeeded } from './transaction.ts';

/** Check-ins in which an activated ECU may stay silent, or be activated again, before it has failed. */
const SILENCES_MAX = 5;

/** What settling came to. */
export type Settlement =
  /** There was nothing to settle, or it is settled: the cycle goes on. */
  | { readonly kind: 'settled'; readonly results: readonly EcuResult[] | undefined }
  /** An ECU still boots: nothing new is begun before it has reported. */
  | { readonly kind: 'waiting' }
  /** This very ECU has to boot. */
  | { readonly kind: 'booting' };

/** Settles the installation under way, if there is one. */
export async function settleInstallation(
  context: PrimaryContext,
  reports: CollectedReports,
): Promise<Settlement> {
  const installation = findInstallation(context);
  // What was only being prepared is prepared again, from the metadata of this cycle.
  if (installation?.phase !== 'activating') return { kind: 'settled', results: undefined };
  const results: EcuResult[] = [];
  let isWaiting = false;
  let isBooting = false;
  const isLast = installation.silences >= SILENCES_MAX;
  for (const ecu of installation.ecus) {
    const identifier = parseEcuIdentifier(ecu.ecu);
    const report = reports.get(identifier)?.report;
    if (report !== undefined && runsWanted(report, ecu)) {
      if (!(await tryConfirm(context, ecu))) isWaiting = true;
      else results.push(succeeded(identifier));
    } else if (!isLast && (report === undefined || (await tryReactivate(context, ecu)))) {
      isWaiting = true;
      isBooting ||= ecu.ecu === context.bundle.ecuIdentifier;
    } else {
      const running = report?.installedImage.name ?? 'nothing that it tells';
      const why = `Cannot install "${ecu.name}": after its boot the ECU runs "${running}"`;
      results.push(resultOf(identifier, new VehicleFault('INSTALL_FAILED', why)));
    }
  }
  if (isWaiting) return keepWaiting(context, installation, isBooting);
  concludeInstallation(context, installation, results);
  return { kind: 'settled', results };
}

function keepWaiting(
  context: PrimaryContext,
  installation: Installation,
  isBooting: boolean,
): Settlement {
  saveInstallation(context, { ...installation, silences: installation.silences + 1 });
  return { kind: isBooting ? 'booting' : 'waiting' };
}

/** An ECU that cannot be told now is told at the next check-in. */
async function tryConfirm(
  context: PrimaryContext,
  { ecu }: Installation['ecus'][number],
): Promise<boolean> {
  try {
    if (ecu === context.bundle.ecuIdentifier) await context.slots.confirm();
    else await context.links.find(({ ecuIdentifier }) => ecuIdentifier === ecu)?.confirm();
    return true;
  } catch (error) {
    if (error instanceof VehicleFault && error.code === 'ECU_UNREACHABLE') return false;
    throw error;
  }
}

async function tryReactivate(
  context: PrimaryContext,
  ecu: Installation['ecus'][number],
): Promise<boolean> {
  try {
    return await reactivate(context, ecu);
  } catch (error) {
    // It cannot be asked now; the next check-in asks again, and the silences are counted.
    if (error instanceof VehicleFault && error.code === 'ECU_UNREACHABLE') return true;
    if (error instanceof VehicleFault) return false;
    throw error;
  }
}
