/** Whether a new image is well: its own self test, trouble codes before and after, and a watchdog. */
import { Fault } from '@immota/base';
import type { Timer } from '../ports.ts';
import type { BootHealth } from '../slots/boot-health.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { boundedCodes } from './bank-record.ts';

/** What an ECU can find out about itself. */
export interface SelfTest {
  /** Tells the trouble codes that are stored, 24 bits each, in any order. */
  readTroubleCodes(): Promise<readonly number[]>;
  /** Runs what the image has to prove; throws or says no when it does not. */
  check(image: SlotImage): Promise<boolean>;
}

/** What resets an ECU whose image does not answer. */
export interface Watchdog {
  readonly timer: Timer;
  readonly limitMs: number;
}

/** What came of it; `hung` when the watchdog bit. */
export type Examination =
  | { readonly kind: 'hung' }
  /** `reason` is empty when the image is well. */
  | { readonly kind: 'examined'; readonly health: BootHealth; readonly reason: string };

/** What is examined. */
export interface ExaminationRequest {
  readonly image: SlotImage;
  readonly selfTest: SelfTest | undefined;
  readonly watchdog: Watchdog | undefined;
  readonly troubleCodesBefore: readonly number[] | undefined;
  readonly resets: number;
}

/** Makes a self test of a check that is a yes or a no: no trouble code is known. */
export function selfTestOf(check: SelfTest['check']): SelfTest {
  return { readTroubleCodes: () => Promise.resolve([]), check };
}

/** Examines the image that was just started; without a self test every whole image is well. */
export async function examine(request: ExaminationRequest): Promise<Examination> {
  const { watchdog } = request;
  const examining = runTest(request);
  if (watchdog === undefined) return await examining;
  const { promise, resolve } = Promise.withResolvers<Examination>();
  const cancel = watchdog.timer.schedule(watchdog.limitMs, () => resolve({ kind: 'hung' }));
  try {
    return await Promise.race([examining, promise]);
  } finally {
    cancel();
  }
}

async function runTest(request: ExaminationRequest): Promise<Examination> {
  const { image, selfTest, troubleCodesBefore, resets } = request;
  const refusal = await tryCheck(selfTest, image);
  const troubleCodesAfter = boundedCodes((await selfTest?.readTroubleCodes()) ?? []);
  const isSelfTestPassed = refusal === '';
  const health = { isSelfTestPassed, troubleCodesBefore, troubleCodesAfter, resets };
  if (!isSelfTestPassed) return { kind: 'examined', health, reason: refusal };
  // Without a list of before, nothing is new: a part that is programmed first may have any history.
  const isNew = (code: number): boolean => troubleCodesBefore?.includes(code) === false;
  const added = troubleCodesAfter.filter(isNew).map((code) => code.toString(16).padStart(6, '0'));
  const reason = added.length === 0 ? '' : `new trouble codes: ${added.join(' ')}`;
  return { kind: 'examined', health, reason };
}

/** Why the self test failed, in words; empty when it passed. */
async function tryCheck(selfTest: SelfTest | undefined, image: SlotImage): Promise<string> {
  try {
    const isWell = (await selfTest?.check(image)) ?? true;
    return isWell ? '' : 'the self test failed';
  } catch (error) {
    // Whatever else is thrown is no answer of a self test: the power may have gone.
    if (error instanceof Fault) return `the self test failed: ${String(error.code)}`;
    throw error;
  }
}
