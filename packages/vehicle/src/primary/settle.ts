/**
 * Finishes what a boot, a silence or a power cut interrupted: a transaction goes on where its journal and
 * its ECUs say it is; what is owed to ECUs that were silent at the end of one is made good; and an ECU on
 * trial that no transaction knows of goes back, since nobody will ever make it final.
 */
import { type EcuIdentifier, parseEcuIdentifier } from '@immota/uptane';
import type { EcuResult } from '../transaction/results.ts';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import { forgetDelivery } from './distribute.ts';
import { saveWaiting } from './installation.ts';
import { isOnTrial, participantMaker, requireSecondary } from './participants.ts';
import type { CollectedReports } from './reports.ts';
import { proceed } from './transact.ts';
import {
  type Debt,
  findTransaction,
  journalOf,
  listDebts,
  settleDebt,
  tellGate,
} from './transaction-store.ts';

/** What settling came to. */
export type Settlement =
  /** There was nothing to settle, or it is settled: the cycle goes on. */
  | { readonly kind: 'settled'; readonly results: readonly EcuResult[] | undefined }
  /** An ECU is waited for: nothing new is begun before. */
  | { readonly kind: 'waiting'; readonly fault: VehicleFault }
  /** This very ECU has to boot. */
  | { readonly kind: 'booting' };

/** Settles the transaction under way, if there is one, and what former ones have left. */
export async function settleTransaction(
  context: PrimaryContext,
  reports: CollectedReports,
): Promise<Settlement> {
  const record = findTransaction(context);
  if (record === undefined) return await settleRemains(context, reports);
  if (record.phase === 'preparing') {
    // Nothing was touched: it is prepared again, from the metadata of this cycle.
    journalOf(context).abandon(record);
    return await settleRemains(context, reports);
  }
  const outcome = await proceed(context, record);
  switch (outcome.kind) {
    case 'concluded':
      return { kind: 'settled', results: outcome.results };
    case 'booting':
      return outcome;
    case 'waiting': {
      const { fault } = outcome;
      const { correlationId } = record;
      const state = WAITING_STATES.get(fault.code);
      const detail = fault.message;
      saveWaiting(context, state === undefined ? undefined : { correlationId, state, detail });
      return outcome;
    }
  }
}

/** What is waited for by design; an ECU that is silent is told in other ways. */
const WAITING_STATES: ReadonlyMap<VehicleFaultCode, string> = new Map([
  ['CONDITIONS', 'PRECONDITION'],
  ['TECHNICIAN_PENDING', 'AWAITING_TECHNICIAN'],
]);

async function settleRemains(
  context: PrimaryContext,
  reports: CollectedReports,
): Promise<Settlement> {
  const debts = listDebts(context);
  let isBooting = false;
  for (const debt of debts) isBooting = (await trySettle(context, debt)) || isBooting;
  const owing = new Set(debts.map(({ entry }) => entry.ecu));
  for (const [ecu, { report }] of reports) {
    if (!isOnTrial(report) || owing.has(ecu)) continue;
    isBooting = (await tryRevert(context, ecu)) || isBooting;
  }
  // Here too: the power may have gone between the end of a transaction and this being told.
  await tellGate(context);
  return isBooting ? { kind: 'booting' } : { kind: 'settled', results: undefined };
}

/** Does what is owed to one ECU, if it can be heard. @returns whether this very ECU has to boot. */
async function trySettle(context: PrimaryContext, debt: Debt): Promise<boolean> {
  const { entry, owes, correlationId } = debt;
  const participant = participantMaker(context, correlationId)(entry);
  const goal = owes === 'confirm' ? 'new-final' : 'old';
  try {
    let standing = await participant.observe();
    let isBooting = false;
    if (standing === 'new-trial') {
      await (owes === 'confirm' ? participant.confirm() : participant.rollBack());
      isBooting = owes === 'roll-back' && entry.kind === 'self';
      standing = await participant.observe();
    }
    if (standing === goal) settleDebt(context, entry.ecu);
    return isBooting;
  } catch (error) {
    // It stays in the safe state, and is asked at each check-in.
    if (error instanceof VehicleFault && error.code !== 'CLOSED') return false;
    throw error;
  }
}

/** {uptane L1}: without a decision to keep it, what was final is what counts. */
async function tryRevert(context: PrimaryContext, ecu: EcuIdentifier): Promise<boolean> {
  if (ecu === context.bundle.ecuIdentifier) {
    if (context.slots.findFallback() === undefined) return false;
    await context.slots.revert();
    return true;
  }
  try {
    await requireSecondary(context, ecu).link.revert();
    forgetDelivery(context, parseEcuIdentifier(ecu));
  } catch (error) {
    if (!(error instanceof VehicleFault) || error.code === 'CLOSED') throw error;
  }
  return false;
}
