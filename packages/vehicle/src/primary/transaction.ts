/**
 * How the ECUs of one update are brought from the old images to the new ones.
 *
 * A port: here every ECU prepares, and only when all have prepared are they activated. Conditions of
 * the vehicle, ordering between ECUs and a roll-back of all when one fails are another
 * implementation's work.
 */
import { Fault } from '@immota/base';
import { ImageFault } from '@immota/image';
import { type EcuIdentifier, parseEcuIdentifier, UptaneFault } from '@immota/uptane';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import type { EcuResult, ResultCode } from './installation.ts';

/** One ECU that takes part. */
export interface Participant {
  readonly ecuIdentifier: EcuIdentifier;
  /** True for the ECU that runs this very code: it must be the last to boot. */
  readonly isSelf: boolean;
  /** Brings the new image, whole and verified, into the ECU's other slot. May be called again. */
  prepare(): Promise<void>;
  /** Makes the ECU boot what it has prepared. */
  activate(): Promise<void>;
  /** Waits for the ECU's signed report after boot. @throws VehicleFault INSTALL_FAILED, ECU_UNREACHABLE. */
  confirm(): Promise<void>;
}

/** What an attempt came to. */
export type TransactionOutcome =
  /** Every ECU has a result. */
  | { readonly kind: 'concluded'; readonly results: readonly EcuResult[] }
  /** An ECU did not answer: nothing was activated, and all may go on another time. */
  | { readonly kind: 'waiting'; readonly ecu: EcuIdentifier; readonly fault: VehicleFault }
  /** This very ECU boots; the results are collected when it is back. */
  | { readonly kind: 'booting' };

/** What an implementation may call. */
export interface TransactionEvents {
  /** All have prepared; durable before anything is activated. */
  onActivating(): void;
}

/** A way to install on several ECUs. */
export interface Transaction {
  run(participants: readonly Participant[], events: TransactionEvents): Promise<TransactionOutcome>;
}

/** Prepares all, activates all, and waits for each one's report. */
export const prepareThenActivate: Transaction = {
  run: async (participants, events) => {
    for (const participant of participants) {
      const failure = await attempt(participant, () => participant.prepare());
      if (failure === undefined) continue;
      if (failure.isPassing) {
        return { kind: 'waiting', ecu: participant.ecuIdentifier, fault: failure.fault };
      }
      return { kind: 'concluded', results: [failure.result] };
    }
    events.onActivating();
    const results: EcuResult[] = [];
    for (const participant of participants.filter(({ isSelf }) => !isSelf)) {
      const failure = await attempt(participant, () => participant.activate());
      if (failure !== undefined) results.push(failure.result);
    }
    const failed = new Set(results.map(({ ecu }) => ecu));
    for (const participant of participants.filter(({ isSelf }) => !isSelf)) {
      if (failed.has(participant.ecuIdentifier)) continue;
      const failure = await attempt(participant, () => participant.confirm());
      results.push(failure?.result ?? succeeded(participant.ecuIdentifier));
    }
    const self = participants.find(({ isSelf }) => isSelf);
    if (self === undefined) return { kind: 'concluded', results };
    const failure = await attempt(self, () => self.activate());
    return failure === undefined
      ? { kind: 'booting' }
      : { kind: 'concluded', results: [...results, failure.result] };
  },
};

/** The result of an ECU that runs its new image. */
export function succeeded(ecu: EcuIdentifier): EcuResult {
  return { ecu, code: 'OK', description: 'Installing package was successful' };
}

/** Puts a refusal into the words that Directors know. */
export function resultOf(ecu: string, fault: Fault<string>): EcuResult {
  return {
    ecu: parseEcuIdentifier(ecu),
    code: codeOf(fault),
    description: `${fault.code}: ${fault.message}`,
  };
}

type Failure = { readonly result: EcuResult } & (
  | { readonly isPassing: true; readonly fault: VehicleFault }
  | { readonly isPassing: false }
);

async function attempt(
  { ecuIdentifier }: Participant,
  act: () => Promise<void>,
): Promise<Failure | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    // Whoever closes the Primary has not made an ECU fail.
    if (!(error instanceof Fault) || error.code === 'CLOSED') throw error;
    const result = resultOf(ecuIdentifier, error);
    return error instanceof VehicleFault && error.code === 'ECU_UNREACHABLE'
      ? { result, isPassing: true, fault: error }
      : { result, isPassing: false };
  }
}

/** Ours that are no internal error. */
const CODE_OF: ReadonlyMap<VehicleFaultCode, ResultCode> = new Map([
  ['DOWNLOAD_FAILED', 'DOWNLOAD_FAILED'],
  ['DISK_FULL', 'DOWNLOAD_FAILED'],
  ['DISK_QUOTA', 'DOWNLOAD_FAILED'],
  ['SLOW_RETRIEVAL', 'DOWNLOAD_FAILED'],
  ['ECU_REFUSED', 'VERIFICATION_FAILED'],
  ['ECU_UNTRUSTED', 'VERIFICATION_FAILED'],
  ['IMAGE_KEY', 'VERIFICATION_FAILED'],
  ['INSTALL_FAILED', 'INSTALL_FAILED'],
  ['SLOT_EMPTY', 'INSTALL_FAILED'],
  ['ECU_UNREACHABLE', 'INSTALL_FAILED'],
  ['CONSENT_DECLINED', 'OPERATION_CANCELLED'],
]);

function codeOf(fault: Fault<string>): ResultCode {
  if (fault instanceof UptaneFault || fault instanceof ImageFault) return 'VERIFICATION_FAILED';
  return (fault instanceof VehicleFault ? CODE_OF.get(fault.code) : undefined) ?? 'INTERNAL_ERROR';
}
