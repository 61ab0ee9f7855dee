/** What a boot loader has to know beside the banks themselves, and its form in flash. */
import type { BootOutcome } from '../slots/boot-record.ts';
import type { BootHealth } from '../slots/boot-health.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import { packImage, unpackImage } from './image-statement.ts';
import { REASON_MAX_BYTES, TROUBLE_CODES_MAX } from './limits.ts';
import { Packer, tryUnpack, type Unpacker } from './pack.ts';

/** What lies in a bank. */
export interface BankContent {
  /**
   * `receiving`: up to `durableBytes` are there. `prepared`: whole, verified and sealed, never started.
   * `trial`: it ran and was healthy, and may still be taken back. `confirmed`: it is final. `rewriting`:
   * pages of it stand among those of what was final before.
   */
  readonly state: 'receiving' | 'prepared' | 'trial' | 'confirmed' | 'rewriting';
  /** Of the image, by `identityOf`: a seal of another image does not count. */
  readonly identity: Uint8Array;
  readonly durableBytes: number;
  /** While it is `rewriting`. */
  readonly rewrite?: RewriteProgress | undefined;
}

/** How far a bank was rewritten in place. */
export interface RewriteProgress {
  /** Pages that are in the bank, counted in the order of the delta. */
  readonly pagesDone: number;
  /** The one after them: whole in a spare, and on its way into the bank. */
  readonly staged: StagedPage | undefined;
}

/** A page that waits in a spare. */
export interface StagedPage {
  /** Which of the image. */
  readonly page: number;
  /** Which of the spares. */
  readonly spare: number;
}

/** How the last trial went. */
export interface BankOutcome extends BootOutcome {
  readonly health: BootHealth | undefined;
}

/** See the head of the file. */
export interface BankRecord {
  readonly banks: readonly (BankContent | undefined)[];
  readonly running: number | undefined;
  /** The bank that the next boot tries, or that is being tried, and how often it did not come up. */
  readonly trial: { readonly bank: number; readonly boots: number } | undefined;
  readonly isReverting: boolean;
  /** No image below this is started any more {uptane K7}. */
  readonly releaseFloor: number;
  /** With one bank: what was final last, while something else is in the bank. */
  readonly fallback: SlotImage | undefined;
  /** Stored when the update began; undefined when nothing has ever run that could tell. */
  readonly troubleCodesBefore: readonly number[] | undefined;
  readonly outcome: BankOutcome | undefined;
}

const STATES = ['receiving', 'prepared', 'trial', 'confirmed', 'rewriting'] as const;
const RESULTS = ['trial', 'confirmed', 'fell-back', 'reverted', 'revert-failed'] as const;
const NOTHING_REWRITTEN: RewriteProgress = { pagesDone: 0, staged: undefined };
const IDENTITY_BYTES = 32;
const NONE = 0xff;
const BANKS_MAX = 2;
/** Everything but the two images: numbers, two banks, two lists of codes and more, the reason. */
const FIXED_MAX_BYTES: number =
  64 + BANKS_MAX * (IDENTITY_BYTES + 24) + 3 * (4 * TROUBLE_CODES_MAX + 2) + REASON_MAX_BYTES;

/** The record of an ECU that was never programmed. */
export function emptyRecord(bankCount: number): BankRecord {
  return {
    banks: Array.from({ length: bankCount }, () => undefined),
    running: undefined,
    trial: undefined,
    isReverting: false,
    releaseFloor: 0,
    fallback: undefined,
    troubleCodesBefore: undefined,
    outcome: undefined,
  };
}

/** Tells how long a record may become that holds images of these lengths. */
export function recordLengthMax(imageBytes: number): number {
  return FIXED_MAX_BYTES + 2 * imageBytes;
}

/** Puts a record into bytes. */
export function packRecord(record: BankRecord): Uint8Array {
  const { banks, running, trial, isReverting, releaseFloor, fallback, outcome } = record;
  const packer = new Packer().counter(releaseFloor);
  packer.bytes(running ?? NONE, trial?.bank ?? NONE, trial?.boots ?? 0, isReverting ? 1 : 0);
  packer.bytes(banks.length);
  for (const content of banks) packContent(packer, content);
  packer.bytes(fallback === undefined ? 0 : 1);
  if (fallback !== undefined) packImage(packer, fallback);
  packKnownCodes(packer, record.troubleCodesBefore);
  packer.bytes(outcome === undefined ? 0 : 1);
  if (outcome !== undefined) packOutcome(packer, outcome);
  return packer.packed();
}

/** Takes a record out of bytes; undefined when they are none. */
export function unpackRecord(bytes: Uint8Array): BankRecord | undefined {
  return tryUnpack(bytes, (unpacker) => {
    const releaseFloor = unpacker.counter();
    const runningByte = unpacker.byte();
    const trialByte = unpacker.byte();
    const boots = unpacker.byte();
    const isReverting = unpacker.choice(2) === 1;
    const bankCount = unpacker.choice(BANKS_MAX + 1);
    const banks = Array.from({ length: bankCount }, () => unpackContent(unpacker));
    const fallback = unpacker.choice(2) === 1 ? unpackImage(unpacker) : undefined;
    const troubleCodesBefore = unpackKnownCodes(unpacker);
    const outcome = unpacker.choice(2) === 1 ? unpackOutcome(unpacker) : undefined;
    const running = runningByte < bankCount ? runningByte : undefined;
    const trial = trialByte < bankCount ? { bank: trialByte, boots } : undefined;
    return {
      banks,
      running,
      trial,
      isReverting,
      releaseFloor,
      fallback,
      troubleCodesBefore,
      outcome,
    };
  });
}

/** Keeps as many codes as a record holds, in order and each once. */
export function boundedCodes(codes: readonly number[]): readonly number[] {
  const known = codes.filter((code) => Number.isInteger(code) && code >= 0 && code <= 0xff_ff_ff);
  return [...new Set(known)].toSorted((left, right) => left - right).slice(0, TROUBLE_CODES_MAX);
}

function packContent(packer: Packer, content: BankContent | undefined): void {
  packer.bytes(content === undefined ? NONE : STATES.indexOf(content.state));
  if (content === undefined) return;
  packer.raw(content.identity).counter(content.durableBytes);
  if (content.state === 'rewriting') packRewrite(packer, content.rewrite ?? NOTHING_REWRITTEN);
}

function unpackContent(unpacker: Unpacker): BankContent | undefined {
  const state = STATES[unpacker.byte()];
  if (state === undefined) return undefined;
  const identity = unpacker.raw(IDENTITY_BYTES);
  const durableBytes = unpacker.counter();
  if (state !== 'rewriting') return { state, identity, durableBytes };
  return { state, identity, durableBytes, rewrite: unpackRewrite(unpacker) };
}

/** Puts the progress of a rewriting into bytes. */
export function packRewrite(packer: Packer, { pagesDone, staged }: RewriteProgress): Packer {
  packer.counter(pagesDone).bytes(staged === undefined ? 0 : 1);
  return staged === undefined ? packer : packer.short(staged.page).short(staged.spare);
}

/** Takes it out again. */
export function unpackRewrite(unpacker: Unpacker): RewriteProgress {
  const pagesDone = unpacker.counter();
  if (unpacker.choice(2) === 0) return { pagesDone, staged: undefined };
  const page = unpacker.short();
  return { pagesDone, staged: { page, spare: unpacker.short() } };
}

function packCodes(packer: Packer, codes: readonly number[]): void {
  packer.bytes(codes.length);
  for (const code of codes) packer.bytes(code >> 16, (code >> 8) & 0xff, code & 0xff);
}

function unpackCodes(unpacker: Unpacker): readonly number[] {
  return Array.from({ length: unpacker.choice(TROUBLE_CODES_MAX + 1) }, () => {
    const [high = 0, middle = 0, low = 0] = unpacker.raw(3);
    return (high << 16) | (middle << 8) | low;
  });
}

function packKnownCodes(packer: Packer, codes: readonly number[] | undefined): void {
  packer.bytes(codes === undefined ? 0 : 1);
  if (codes !== undefined) packCodes(packer, codes);
}

function unpackKnownCodes(unpacker: Unpacker): readonly number[] | undefined {
  return unpacker.choice(2) === 1 ? unpackCodes(unpacker) : undefined;
}

function packOutcome(packer: Packer, outcome: BankOutcome): void {
  const { result, image, reason, health } = outcome;
  packer.bytes(RESULTS.indexOf(result));
  packImage(packer, image);
  packer.block(Buffer.from(reason, 'utf8').subarray(0, REASON_MAX_BYTES));
  packer.bytes(health === undefined ? 0 : 1);
  if (health === undefined) return;
  packer.bytes(health.isSelfTestPassed ? 1 : 0, Math.min(health.resets, 0xff));
  packKnownCodes(packer, health.troubleCodesBefore);
  packCodes(packer, health.troubleCodesAfter);
}

function unpackOutcome(unpacker: Unpacker): BankOutcome {
  const result = RESULTS[unpacker.choice(RESULTS.length)] ?? 'fell-back';
  const image = unpackImage(unpacker);
  const reason = Buffer.from(unpacker.block()).toString('utf8');
  return { result, image, reason, health: unpackHealth(unpacker) };
}

function unpackHealth(unpacker: Unpacker): BootHealth | undefined {
  if (unpacker.choice(2) === 0) return undefined;
  const isSelfTestPassed = unpacker.choice(2) === 1;
  const resets = unpacker.byte();
  const troubleCodesBefore = unpackKnownCodes(unpacker);
  return { isSelfTestPassed, resets, troubleCodesBefore, troubleCodesAfter: unpackCodes(unpacker) };
}
