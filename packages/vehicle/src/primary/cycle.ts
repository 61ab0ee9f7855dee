/**
 * One cycle of the Primary: the seven steps {uptane I1}, in the standard's order. A refusal ends it,
 * is told to the Director, and leaves everything that was trusted and installed as it was
 * {uptane L1}.
 */
import { DEVICE_PATHS } from '@immota/api';
import { Fault } from '@immota/base';
import { UptaneFault } from '@immota/uptane';
import type { ConsentRules } from '../consent/check-answer.ts';
import type { ConsentPort } from '../consent/consent-port.ts';
import { flushReceipts } from '../consent/consent-record.ts';
import { type EcuResult, resultOf } from '../transaction/results.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { listAttacks, noteAttack } from './attack-log.ts';
import { attestCycleTime, carriedTime, type CycleTime } from './attested-time.ts';
import { carryOut, type CheckInResult, concluded } from './carry-out.ts';
import type { PrimaryContext } from './context.ts';
import { drawTimeNonces } from './distribute.ts';
import { refreshEcus } from './ecu-registry.ts';
import { flushEvents } from './event-queue.ts';
import {
  concludeInstallation,
  findOutcome,
  type Installation,
  waitingObject,
} from './installation.ts';
import { sendManifest } from './manifest.ts';
import { gatewaySource } from './metadata-source.ts';
import type { CyclePhase } from './progress.ts';
import { beginQuiet, type QuietSpell } from './quiet.ts';
import { registerEcus } from './registration.ts';
import { type CollectedReports, collectReports, drawNonce } from './reports.ts';
import { type Settlement, settleTransaction } from './settle.ts';
import { listTechnicianWords } from './technician-stop.ts';
import { findTransaction, listDebts } from './transaction-store.ts';
import { findRefusedOffer, type StoredOffer, verifyUpdate } from './verify-update.ts';

/** Whom a cycle asks, and how it installs. */
export interface CycleOptions {
  readonly consent: ConsentPort;
  readonly rules: ConsentRules;
  readonly locale: string;
}

/** What a cycle came to, and how long the next ones may ask just whether anything is new. */
export interface CycleEnd {
  readonly result: CheckInResult;
  readonly quiet: QuietSpell | undefined;
}

/** Runs a cycle over the air. @throws VehicleFault when the server cannot be reached at all. */
export async function runCycle(context: PrimaryContext, options: CycleOptions): Promise<CycleEnd> {
  enter(context, 'register');
  await refreshEcus(context);
  // Before any server is asked: a vehicle between two states must not wait for a network.
  const { settlement, reports: settled } = await settle(context);
  let reports = settled;
  const isRegistered = await registerEcus(context);
  enter(context, 'manifest');
  const waitedFor = JSON.stringify(waitingObject(context));
  await sendManifest(context, reports);
  if (settlement.kind === 'booting') return { result: settlement, quiet: undefined };
  if (settlement.kind === 'waiting') return { result: settlement, quiet: undefined };
  if (hasFailed(settlement)) {
    // The Director knows of it now; whether it is tried again is for the next check-in.
    await flush(context);
    return { result: concluded(settlement.results), quiet: undefined };
  }
  const source = gatewaySource(context);
  const nonces = await drawTimeNonces(context);
  const result = await guarded(context, async () => {
    enter(context, 'time');
    const time = await attestCycleTime(context, [drawNonce(context), ...nonces.values()], source);
    const cycle = { reports, time, nonces };
    return await updateFrom(context, options, cycle, source);
  });
  // What the Director has not heard goes out at once, with fresh reports {uptane J4}.
  const isTold =
    findOutcome(context) === undefined &&
    listAttacks(context).length === 0 &&
    listTechnicianWords(context).length === 0 &&
    JSON.stringify(waitingObject(context)) === waitedFor;
  if (result.kind !== 'booting' && !isTold) {
    // First what the owner has said: what the vehicle waits for now is the newer word.
    await flush(context);
    enter(context, 'report');
    reports = await collectReports(context);
    await sendManifest(context, reports);
  }
  await flush(context);
  return {
    result: withSettled(result, settlement.results),
    // What was not registered is registered at the next check-in, whatever else is new.
    quiet: isRegistered && isQuiet(result) ? beginQuiet(context, source.timestampTag()) : undefined,
  };
}

/**
 * Runs a cycle from a folder: the same checks, by a carried time; its results wait for the network.
 */
export async function runOfflineCycle(
  context: PrimaryContext,
  options: CycleOptions,
): Promise<CheckInResult> {
  await refreshEcus(context);
  const { settlement, reports } = await settle(context);
  if (settlement.kind !== 'settled') return settlement;
  if (hasFailed(settlement)) return concluded(settlement.results);
  const result = await guarded(context, async () => {
    const now = carriedTime(context, context.policy.offlineTimeMaxAgeMs);
    const cycle = { reports, time: { now, attestation: undefined }, nonces: new Map() };
    return await updateFrom(context, options, cycle, gatewaySource(context));
  });
  return withSettled(result, settlement.results);
}

interface CycleState {
  readonly reports: CollectedReports;
  readonly time: CycleTime;
  readonly nonces: Awaited<ReturnType<typeof drawTimeNonces>>;
}

async function updateFrom(
  context: PrimaryContext,
  options: CycleOptions,
  { reports, time, nonces }: CycleState,
  source: ReturnType<typeof gatewaySource>,
): Promise<CheckInResult> {
  enter(context, 'metadata');
  const offer = await verifyUpdate(context, source, { now: time.now, reports });
  const imageBase = context.bundle.gatewayOrigin + DEVICE_PATHS.imageTarget.slice(0, -'*'.length);
  return await carryOut(context, offer, { ...options, time, nonces, imageBase, reports });
}

/** Finishes what was interrupted, with reports of how things are then. */
async function settle(
  context: PrimaryContext,
): Promise<{ readonly settlement: Settlement; readonly reports: CollectedReports }> {
  const reports = await collectReports(context);
  const before = findTransaction(context) !== undefined || listDebts(context).length > 0;
  const settlement = await settleTransaction(context, reports);
  return { settlement, reports: before ? await collectReports(context) : reports };
}

/** A refusal is noted, told with the update it belongs to, and ends the cycle. */
async function guarded(
  context: PrimaryContext,
  act: () => Promise<CheckInResult>,
): Promise<CheckInResult> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'CLOSED') throw error;
    noteAttack(context, error);
    const offer = error instanceof UptaneFault ? findRefusedOffer(context, error) : undefined;
    if (offer !== undefined) tellRefusal(context, offer, error);
    return { kind: 'refused', fault: error };
  }
}

function tellRefusal(
  context: PrimaryContext,
  { correlationId, ecus }: StoredOffer,
  fault: Fault<string>,
): void {
  const listed = [...ecus].map(([ecu, { hardware }]) => ({ ecu, hardware, name: '', sha256: '' }));
  const refused: Installation = { correlationId, ecus: listed };
  const results = listed.map(({ ecu }) => resultOf(ecu, fault));
  concludeInstallation(context, refused, results);
}

/** Whether a transaction has just ended, and not with every ECU at its new image. */
function hasFailed(
  settlement: Settlement,
): settlement is { readonly kind: 'settled'; readonly results: readonly EcuResult[] } {
  return (
    settlement.kind === 'settled' &&
    settlement.results !== undefined &&
    concluded(settlement.results).kind === 'failed'
  );
}

/** A cycle that had nothing to do but to settle an installation came to what that came to. */
function withSettled(
  result: CheckInResult,
  settled: readonly EcuResult[] | undefined,
): CheckInResult {
  return result.kind === 'nothing-new' && settled !== undefined ? concluded(settled) : result;
}

/** Whether the next check-in may begin by asking if anything is new at all. */
function isQuiet(result: CheckInResult): boolean {
  if (result.kind === 'nothing-new') return true;
  return result.kind === 'waiting' && result.fault.code === 'CONSENT_DECLINED';
}

/** Receipts and events wait for another check-in when they cannot be sent; nothing else does. */
export async function flush(context: PrimaryContext): Promise<void> {
  try {
    await flushReceipts(context);
    await flushEvents(context);
  } catch (error) {
    if (!(error instanceof VehicleFault) || error.code === 'CLOSED') throw error;
    noteAttack(context, error);
  }
}

function enter({ onProgress }: PrimaryContext, phase: CyclePhase): void {
  onProgress({ kind: 'phase', phase });
}
