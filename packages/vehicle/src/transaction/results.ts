/** What each ECU came to, in the words that Directors know and three of our own. */
import type { Fault } from '@immota/base';
import { ImageFault } from '@immota/image';
import { type EcuIdentifier, parseEcuIdentifier, UptaneFault } from '@immota/uptane';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import type { TransactionEcu, TransactionRecord } from './record.ts';

/** The result codes that the dialect's Directors know, and ours, which they take for text. */
export type ResultCode =
  | 'OK'
  | 'VERIFICATION_FAILED'
  | 'INSTALL_FAILED'
  | 'DOWNLOAD_FAILED'
  | 'INTERNAL_ERROR'
  /** Nothing was done to it, because the update ended before. */
  | 'OPERATION_CANCELLED'
  /** It ran the new image well, and runs the old one again because another ECU failed. */
  | 'ROLLED_BACK'
  /** It could be brought neither to the new image nor back: the vehicle is in a declared safe state. */
  | 'WORKSHOP_REQUIRED';

/** How one ECU fared. */
export interface EcuResult {
  readonly ecu: EcuIdentifier;
  readonly code: ResultCode;
  readonly description: string;
}

/** The codes that count as a failure of the image on that ECU. */
export function isFailure({ code }: Pick<EcuResult, 'code'>): boolean {
  return code !== 'OK' && code !== 'ROLLED_BACK' && code !== 'OPERATION_CANCELLED';
}

/** The result of an ECU that runs its new image. */
function succeeded(ecu: EcuIdentifier): EcuResult {
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

/** Says what each ECU of an ended transaction came to; those that nothing was done to are left out. */
export function resultsOf({ ecus, phase }: TransactionRecord): readonly EcuResult[] {
  const culprit = ecus.find(({ failure }) => failure !== null)?.ecu ?? 'the update';
  return ecus.flatMap((entry) => resultOfEntry(entry, phase, culprit) ?? []);
}

/** What an ECU reports that was never programmed: SHA-256 of nothing. */
const NOTHING_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * Says of an ECU that was lost which it is, and what has to be done: whoever reads it has not been there.
 *
 * @param phase - in which it was lost: behind the decision it belongs to the new software.
 */
export function describeLost(
  { ecu, name, old, failure }: TransactionEcu,
  phase: TransactionRecord['phase'],
): string {
  // What was never programmed has no older software that anybody could bring back.
  const isNew = phase === 'committing' || old.sha256 === NOTHING_SHA256;
  const goal = isNew ? name : old.name;
  const why = failure === null ? '' : ` (${failure.description})`;
  return (
    `It is not certain what "${ecu}" runs, and the vehicle must not be driven: a workshop has to ` +
    `program "${goal}" into it, or replace it${why}`
  );
}

function resultOfEntry(
  entry: TransactionEcu,
  phase: TransactionRecord['phase'],
  culprit: string,
): EcuResult | undefined {
  const ecu = parseEcuIdentifier(entry.ecu);
  const { step, failure } = entry;
  if (step === 'confirmed') return succeeded(ecu);
  if (step === 'lost') {
    return { ecu, code: 'WORKSHOP_REQUIRED', description: describeLost(entry, phase) };
  }
  if (failure !== null) {
    return { ecu, code: parseCode(failure.code), description: failure.description };
  }
  if (step === 'rolled-back') {
    const description = `Runs "${entry.old.name}" again, since ${culprit} failed`;
    return { ecu, code: 'ROLLED_BACK', description };
  }
  return undefined;
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
  ['NO_WAY_BACK', 'INSTALL_FAILED'],
  ['SLOT_EMPTY', 'INSTALL_FAILED'],
  ['ECU_UNREACHABLE', 'INSTALL_FAILED'],
  ['CONDITIONS', 'INSTALL_FAILED'],
  ['TECHNICIAN_REFUSED', 'INSTALL_FAILED'],
  ['CONSENT_DECLINED', 'OPERATION_CANCELLED'],
]);

const CODES: ReadonlyMap<string, ResultCode> = new Map(
  (
    [
      'VERIFICATION_FAILED',
      'INSTALL_FAILED',
      'DOWNLOAD_FAILED',
      'INTERNAL_ERROR',
      'OPERATION_CANCELLED',
    ] as const
  ).map((code) => [code, code]),
);

function parseCode(code: string): ResultCode {
  return CODES.get(code) ?? 'INTERNAL_ERROR';
}

function codeOf(fault: Fault<string>): ResultCode {
  if (fault instanceof UptaneFault || fault instanceof ImageFault) return 'VERIFICATION_FAILED';
  return (fault instanceof VehicleFault ? CODE_OF.get(fault.code) : undefined) ?? 'INTERNAL_ERROR';
}
