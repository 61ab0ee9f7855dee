/**
 * From a verified offer to installed images: consent, download, Secondaries, installation. Nothing in
 * here is reached by what was not verified {uptane I10}.
 */
import type { Fault } from '@immota/base';
import type { EcuIdentifier, TargetName, VerifiedAssignment } from '@immota/uptane';
import type { ConsentStep } from '../consent/authority.ts';
import type { ConsentRules } from '../consent/check-answer.ts';
import type { ConsentPort } from '../consent/consent-port.ts';
import { requireConsent } from '../consent/consent-record.ts';
import { readNotice } from '../consent/notice.ts';
import { discardOthers, downloadImage } from '../download/image-download.ts';
import type { Forecast } from '../transaction/forecast.ts';
import type { TransactionRecord } from '../transaction/record.ts';
import { type EcuResult, resultOf } from '../transaction/results.ts';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { CycleTime } from './attested-time.ts';
import { type CampaignPolicy, HeldBack, readPolicy } from './campaign-policy.ts';
import type { PrimaryContext } from './context.ts';
import { fetchDelta } from './delta-offers.ts';
import { distributeMetadata, distributeTime } from './distribute.ts';
import { type EventKind, queueEvent } from './event-queue.ts';
import { type ImageOrder, imageOrders } from './image-orders.ts';
import {
  concludeInstallation,
  failuresOf,
  forgetOldFailures,
  newInstallation,
  saveWaiting,
} from './installation.ts';
import { foretell } from './foretell.ts';
import { checkChangeOver, checkNotEnded, heededNetwork } from './heed-policy.ts';
import { closeStop, tidyDesk } from './technician-stop.ts';
import type { CollectedReports } from './reports.ts';
import { describeTransaction, proceed, type ReadyImage } from './transact.ts';
import type { Offer } from './verify-update.ts';

/** What an update needs besides its metadata. */
export interface CarryOutOptions {
  readonly consent: ConsentPort;
  readonly rules: ConsentRules;
  /** BCP 47: what the owner reads. */
  readonly locale: string;
  /** Of this cycle. */
  readonly reports: CollectedReports;
  readonly time: CycleTime;
  readonly nonces: ReadonlyMap<EcuIdentifier, string>;
  /** Where the Image repository's images lie. */
  readonly imageBase: string;
}

/** What a check-in came to. */
export type CheckInResult =
  | { readonly kind: 'nothing-new' }
  /** Every ECU of the update runs its new image, or some did not: see the codes. */
  | { readonly kind: 'installed'; readonly results: readonly EcuResult[] }
  | { readonly kind: 'failed'; readonly results: readonly EcuResult[] }
  /** An attack, or what looks like one; nothing was passed on. */
  | { readonly kind: 'refused'; readonly fault: Fault<string> }
  /** It goes on at another check-in. */
  | { readonly kind: 'waiting'; readonly fault: Fault<string> }
  | { readonly kind: 'booting' };

/** Says nothing more about an installation than that it is over. */
export function concluded(results: readonly EcuResult[]): CheckInResult {
  const isSuccess = results.length > 0 && results.every(({ code }) => code === 'OK');
  return { kind: isSuccess ? 'installed' : 'failed', results };
}

/** Carries an offer out, as far as owner, network and ECUs let it. */
export async function carryOut(
  context: PrimaryContext,
  offer: Offer,
  options: CarryOutOptions,
): Promise<CheckInResult> {
  forgetOldFailures(context, offer.correlationId, offer.assignments);
  if (offer.assignments.length === 0) {
    await discardOthers(context.downloadFolder, []);
    saveWaiting(context, undefined);
    closeStop(context, undefined);
    tidyDesk(context);
    await passOn(context, options);
    return { kind: 'nothing-new' };
  }
  try {
    return await install(context, offer, options);
  } catch (error) {
    if (!(error instanceof VehicleFault)) throw error;
    const state = WAITING_STATES.get(error.code);
    if (state === undefined) throw error;
    const { correlationId } = offer;
    const measured = error instanceof HeldBack ? { measured: error.measured } : {};
    saveWaiting(context, { correlationId, state, detail: error.message, ...measured });
    if (!QUIET_WAITS.has(error.code)) noteAttack(context, error);
    return { kind: 'waiting', fault: error };
  }
}

/** What an update may wait for, in the words of the Director's reasons. */
const WAITING_STATES: ReadonlyMap<VehicleFaultCode, string> = new Map([
  ['CONSENT_PENDING', 'AWAITING_CONSENT'],
  ['CONSENT_DECLINED', 'CONSENT_DECLINED'],
  ['CONDITIONS', 'PRECONDITION'],
  ['CAMPAIGN_CONDITIONS', 'PRECONDITION'],
  ['POLICY_UNREADABLE', 'PRECONDITION'],
  ['WINDOW_CLOSED', 'AWAITING_WINDOW'],
  ['NETWORK_METERED', 'AWAITING_NETWORK'],
  // The Director knows of the end, and takes its offer back.
  ['CAMPAIGN_ENDED', 'AWAITING_REPORT'],
  ['TECHNICIAN_PENDING', 'AWAITING_TECHNICIAN'],
  ['NO_WAY_BACK', 'INSTALL_FAILED'],
  ['ECU_UNREACHABLE', 'ECU_MISSING'],
  ['DISK_FULL', 'DOWNLOAD_FAILED'],
  ['DISK_QUOTA', 'DOWNLOAD_FAILED'],
  ['HTTP_STATUS', 'DOWNLOAD_FAILED'],
  ['NETWORK', 'DOWNLOAD_FAILED'],
  ['SERVER_UNTRUSTED', 'DOWNLOAD_FAILED'],
  ['SLOW_RETRIEVAL', 'DOWNLOAD_FAILED'],
  ['ATTEMPTS_EXHAUSTED', 'INSTALL_FAILED'],
]);

/** What is waited for by design. */
const QUIET_WAITS: ReadonlySet<VehicleFaultCode> = new Set([
  'CONSENT_DECLINED',
  'CONSENT_PENDING',
  'CONDITIONS',
  'CAMPAIGN_CONDITIONS',
  'CAMPAIGN_ENDED',
  'NETWORK_METERED',
  'WINDOW_CLOSED',
  'TECHNICIAN_PENDING',
]);

async function install(
  context: PrimaryContext,
  offer: Offer,
  options: CarryOutOptions,
): Promise<CheckInResult> {
  const { correlationId, assignments } = offer;
  const orders = imageOrders(assignments, options.imageBase);
  await discardOthers(
    context.downloadFolder,
    orders.map(({ order }) => order),
  );
  checkAttempts(context, offer);
  context.onProgress({
    kind: 'update-verified',
    correlationId,
    images: assignments.map(({ ecuIdentifier: ecu, name }) => ({ ecu, name })),
    notice: readNotice(offer.custom),
    downloadBytes: bytesOf(orders),
  });
  const policy = readPolicy(offer.custom);
  checkNotEnded(context, policy);
  await askFor(context, { offer, options, step: 'download', orders });
  const images = await downloadAll(context, offer, orders, { policy, reports: options.reports });
  if (images.kind === 'failed') return conclude(context, offer, images.results);
  const refusals = await passOn(context, options);
  const refused: EcuResult[] = [];
  for (const { ecuIdentifier: ecu } of assignments) {
    const fault = refusals.get(ecu);
    if (fault?.code === 'ECU_UNREACHABLE') throw fault;
    if (fault !== undefined) refused.push(resultOf(ecu, fault));
  }
  if (refused.length > 0) return conclude(context, offer, refused);
  const record = await describeTransaction(context, offer, images.ready, options.reports);
  const forecast = foretell(context, record);
  if (forecast !== undefined) context.onProgress({ kind: 'forecast', ...forecast });
  await askFor(context, { offer, options, step: 'install', orders, forecast });
  return await transact(context, record, images.ready, async () => {
    // The hours come behind the question: whoever is asked by day is asked, and agrees, for the night.
    await askFor(context, { offer, options, step: 'activate', orders, forecast });
    checkChangeOver(context, policy, options.rules.timeZone);
  });
}

async function transact(
  context: PrimaryContext,
  record: TransactionRecord,
  images: readonly ReadyImage[],
  askToActivate: () => Promise<void>,
): Promise<CheckInResult> {
  context.onProgress({ kind: 'phase', phase: 'install' });
  saveWaiting(context, undefined);
  const assignments = new Map(
    images.map(({ assignment }) => [assignment.ecuIdentifier, assignment]),
  );
  const outcome = await proceed(context, record, { assignments, askToActivate });
  switch (outcome.kind) {
    case 'booting':
      return outcome;
    case 'waiting':
      throw outcome.fault;
    case 'concluded':
      return concluded(outcome.results);
  }
}

/** Every result goes to the Director; what failed is counted. */
function conclude(
  context: PrimaryContext,
  { correlationId, assignments }: Offer,
  results: readonly EcuResult[],
): CheckInResult {
  concludeInstallation(context, newInstallation(correlationId, assignments), results);
  return concluded(results);
}

/** What has failed too often is left alone: the bundle belongs together, so all of it. */
function checkAttempts(context: PrimaryContext, { correlationId, assignments }: Offer): void {
  const exhausted = assignments.find(
    (assignment) => failuresOf(context, correlationId, assignment) >= context.policy.attemptsMax,
  );
  if (exhausted === undefined) return;
  const { name, ecuIdentifier } = exhausted;
  throw new VehicleFault(
    'ATTEMPTS_EXHAUSTED',
    `Cannot install "${name}" on "${ecuIdentifier}": it failed too often`,
  );
}

type Downloads =
  | { readonly kind: 'ready'; readonly ready: readonly ReadyImage[] }
  | { readonly kind: 'failed'; readonly results: readonly EcuResult[] };

async function downloadAll(
  context: PrimaryContext,
  { correlationId }: Offer,
  orders: readonly ImageOrder[],
  asked: { readonly policy: CampaignPolicy; readonly reports: CollectedReports },
): Promise<Downloads> {
  const { onProgress, policy, downloadFolder: folder, findFreeBytes } = context;
  onProgress({ kind: 'phase', phase: 'download' });
  const ready: ReadyImage[] = [];
  for (const image of orders) {
    const { order, assignments } = image;
    const tell = (kind: EventKind, extra: { readonly success?: boolean }): void => {
      for (const { ecuIdentifier: ecu } of assignments) {
        queueEvent(context, kind, { ecu, correlationId, ...extra });
      }
    };
    let isStarted = false;
    const start = (): void => {
      if (!isStarted) tell('EcuDownloadStarted', {});
      isStarted = true;
    };
    const network = heededNetwork(context, asked.policy, start);
    try {
      const heeding = { ...context, network: () => network };
      const delta = await fetchDelta(heeding, image, asked.reports);
      const options = {
        folder,
        quotaBytes: policy.downloadQuotaBytes,
        rateFloor: policy.rateFloor,
        ...(findFreeBytes === undefined ? {} : { findFreeBytes }),
        onProgress: (name: TargetName, receivedBytes: number, lengthBytes: number): void =>
          onProgress({ kind: 'download', name, receivedBytes, lengthBytes }),
        onRefusal: (fault: Fault<string>): void => noteAttack(context, fault),
      };
      const path = delta ?? (await downloadImage(network, order, options));
      for (const assignment of assignments) ready.push({ assignment, path });
      start();
    } catch (error) {
      if (!(error instanceof HeldBack)) start();
      if (isStarted) tell('EcuDownloadCompleted', { success: false });
      if (!(error instanceof VehicleFault) || error.code !== 'DOWNLOAD_FAILED') throw error;
      return { kind: 'failed', results: failedDownloads(assignments, error) };
    }
    tell('EcuDownloadCompleted', { success: true });
    onProgress({ kind: 'image-verified', name: order.name });
  }
  return { kind: 'ready', ready };
}

function failedDownloads(
  assignments: readonly VerifiedAssignment[],
  fault: VehicleFault,
): readonly EcuResult[] {
  const why = fault.cause instanceof Error ? ` (${fault.cause.message})` : '';
  return assignments.map(({ ecuIdentifier }) => {
    const result = resultOf(ecuIdentifier, fault);
    return { ...result, description: result.description + why };
  });
}

async function passOn(
  context: PrimaryContext,
  { time, nonces }: CarryOutOptions,
): Promise<ReadonlyMap<EcuIdentifier, Fault<string>>> {
  const { onProgress } = context;
  if (time.attestation !== undefined) {
    onProgress({ kind: 'phase', phase: 'time-to-secondaries' });
    await distributeTime(context, time.attestation, nonces);
  }
  onProgress({ kind: 'phase', phase: 'metadata-to-secondaries' });
  const refusals = await distributeMetadata(context);
  for (const fault of refusals.values()) noteAttack(context, fault);
  return refusals;
}

async function askFor(
  context: PrimaryContext,
  asked: {
    readonly offer: Offer;
    readonly options: CarryOutOptions;
    readonly step: ConsentStep;
    readonly orders: readonly ImageOrder[];
    readonly forecast?: Forecast | undefined;
  },
): Promise<void> {
  const { offer, options, step, orders, forecast } = asked;
  const { consent: port, rules, locale } = options;
  context.onProgress({ kind: 'phase', phase: 'consent' });
  const notice = readNotice(offer.custom);
  const desk = { port, patienceMs: context.policy.consentPatienceMs, rules, locale };
  // Whoever says yes must not be told less than this vehicle has shown to need, nor than its maker says.
  const writtenMs = notice.unusableSeconds * 1000;
  const { low, likely, high } = forecast?.unusable ?? { low: writtenMs, likely: 0, high: 0 };
  const unusable = {
    low: Math.min(low, Math.max(high, writtenMs)),
    likely: Math.max(likely, writtenMs),
    high: Math.max(high, writtenMs),
  };
  const { correlationId } = offer;
  const subject = { correlationId, step, notice, prepare: forecast?.prepare, unusable };
  await requireConsent(context, desk, { ...subject, downloadBytes: bytesOf(orders) });
}

function bytesOf(orders: readonly ImageOrder[]): number {
  return orders.reduce((sum, { order }) => sum + order.expected.lengthBytes, 0);
}
