/**
 * What a boot loader has to know, in two copies: a change overwrites the older one, so that a write
 * that is cut off leaves the other. Each copy carries a sequence number and a checksum; the highest
 * number whose checksum is right counts.
 *
 * A copy is one block of 16 KiB: `IMMOTA-BOOT 1`, the SHA-256 of what follows in hex, the record as
 * JSON, each behind a line end, then zeros.
 */
import { createHash } from 'node:crypto';
import { InputFault, parseJson, utf8 } from '@immota/base';
import { type HashFunction, type Hashes, parseDigest, parseTargetName } from '@immota/uptane';
import { z } from 'zod';
import { VehicleFault } from '../vehicle-fault.ts';
import type { BootHealth } from './boot-health.ts';
import { TROUBLE_CODES_MAX } from '../boot/limits.ts';
import type { SlotImage } from './image-slots.ts';
import { BOOT_RECORD_LENGTH_BYTES } from './limits.ts';
import type { SlotFile, SlotFiles } from './slot-files.ts';

/** The two slots. */
export type SlotName = 'a' | 'b';

/** What lies in a slot. */
export interface SlotContent {
  /**
   * `receiving`: up to `durableBytes` are there. `prepared`: whole and verified, never started.
   * `trial`: it ran and was healthy, and may still be taken back. `confirmed`: it is final.
   */
  readonly state: 'receiving' | 'prepared' | 'trial' | 'confirmed';
  readonly image: SlotImage;
  readonly durableBytes: number;
}

/** How the last trial went, or the last failure of a running image. */
export interface BootOutcome {
  /**
   * `trial`: healthy, and nobody has made it final. `fell-back`: by itself. `reverted`: because it was
   * told to. `revert-failed`: it was told to, and what ran before is damaged: the trial runs on.
   */
  readonly result: 'trial' | 'confirmed' | 'fell-back' | 'reverted' | 'revert-failed';
  readonly image: SlotImage;
  /** In words; empty when all is well. */
  readonly reason: string;
  /** What the ECU found out about itself, where it can. */
  readonly health?: BootHealth | undefined;
}

/** See the head of the file. */
export interface BootRecord {
  readonly sequence: number;
  readonly slots: Readonly<Record<SlotName, SlotContent | undefined>>;
  readonly running: SlotName | undefined;
  /** The slot that the next boot tries, or that is being tried, and how often it did not come up. */
  readonly trial: { readonly slot: SlotName; readonly boots: number } | undefined;
  /** Whether the next boot goes back from the trial that runs to what ran before. */
  readonly isReverting: boolean;
  /** No image below this is started any more: that of the highest confirmed one {uptane K7}. */
  readonly releaseFloor: number;
  readonly outcome: BootOutcome | undefined;
  /** Stored when the update began; undefined when nothing ran then that could tell. */
  readonly troubleCodesBefore?: readonly number[] | undefined;
}

const MAGIC = 'IMMOTA-BOOT 1';
const COPIES = ['boot-0', 'boot-1'] as const;

const imageSchema = z
  .strictObject({
    name: z.string(),
    lengthBytes: z.int().min(0),
    hashes: z.strictObject({ sha256: z.string().optional(), sha512: z.string().optional() }),
    releaseCounter: z.int().min(0),
  })
  .transform(({ name, hashes, ...others }) => ({
    ...others,
    name: parseTargetName(name),
    hashes: hashesOf(hashes),
  }));

const contentSchema = z.strictObject({
  state: z.enum(['receiving', 'prepared', 'trial', 'confirmed']),
  image: imageSchema,
  durableBytes: z.int().min(0),
});

const slotSchema = z.enum(['a', 'b']);

const codesSchema = z.array(z.int().min(0).max(0xff_ff_ff)).max(TROUBLE_CODES_MAX);

const healthSchema = z
  .strictObject({
    isSelfTestPassed: z.boolean(),
    troubleCodesBefore: codesSchema.optional(),
    troubleCodesAfter: codesSchema,
    resets: z.int().min(0),
  })
  .transform(({ troubleCodesBefore, ...others }) => ({ ...others, troubleCodesBefore }));

const recordSchema = z.strictObject({
  sequence: z.int().min(1),
  slots: z.strictObject({
    a: contentSchema.optional(),
    b: contentSchema.optional(),
  }),
  running: slotSchema.optional(),
  trial: z.strictObject({ slot: slotSchema, boots: z.int().min(0) }).optional(),
  // Records of before there were trials have none.
  isReverting: z.boolean().default(false),
  releaseFloor: z.int().min(0),
  outcome: z
    .strictObject({
      result: z.enum(['trial', 'confirmed', 'fell-back', 'reverted', 'revert-failed']),
      image: imageSchema,
      reason: z.string(),
      // ECUs whose check is a yes or a no tell nothing more, nor did earlier versions.
      health: healthSchema.optional(),
    })
    .optional(),
  troubleCodesBefore: codesSchema.optional(),
});

/** The record of an ECU that was never programmed. */
const EMPTY_RECORD: BootRecord = {
  sequence: 1,
  slots: { a: undefined, b: undefined },
  running: undefined,
  trial: undefined,
  isReverting: false,
  releaseFloor: 0,
  outcome: undefined,
};

/** Puts a record into its block. */
export function encodeBootRecord(record: BootRecord): Uint8Array<ArrayBuffer> {
  const json = JSON.stringify(record, (_, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value) : value,
  );
  const bytes = utf8(`${MAGIC}\n${digestOf(json)}\n${json}\n`);
  if (bytes.length > BOOT_RECORD_LENGTH_BYTES) {
    throw new VehicleFault('STATE_CORRUPT', `Cannot write boot record: ${bytes.length} bytes`);
  }
  const block = new Uint8Array(BOOT_RECORD_LENGTH_BYTES);
  block.set(bytes);
  return block;
}

/** Reads a block; undefined when it is no record, or was cut off while it was written. */
export function decodeBootRecord(block: Uint8Array): BootRecord | undefined {
  if (block.length !== BOOT_RECORD_LENGTH_BYTES) return undefined;
  const end = block.indexOf(0);
  const text = Buffer.from(block.subarray(0, end === -1 ? block.length : end)).toString('utf8');
  const [magic, digest, json, ...rest] = text.split('\n');
  const isWhole = magic === MAGIC && json !== undefined && rest.length === 1 && rest[0] === '';
  if (!isWhole || digestOf(json) !== digest) return undefined;
  try {
    const value = recordSchema.safeParse(parseJson(utf8(json), BOOT_RECORD_LENGTH_BYTES));
    if (!value.success) return undefined;
    const { slots, running, trial, outcome, ...others } = value.data;
    return { ...others, slots: { a: slots.a, b: slots.b }, running, trial, outcome };
  } catch (error) {
    if (error instanceof InputFault) return undefined;
    throw error;
  }
}

/**
 * Loads the newest record, or writes the first one.
 *
 * @throws VehicleFault STATE_CORRUPT when there was one and no copy of it is left: never taken for a
 * new ECU, because that would forget which releases are too old.
 */
export async function loadBootRecord(files: SlotFiles): Promise<BootRecord> {
  const copies = await Promise.all(COPIES.map(async (name) => readCopy(files, name)));
  const records = copies.flatMap(({ record }) => record ?? []);
  const newest = records.toSorted((left, right) => right.sequence - left.sequence)[0];
  if (newest !== undefined) return newest;
  // Only the first copy of all can be damaged alone: the other is not there before it is whole.
  if (copies[1]?.isThere === true) {
    throw new VehicleFault('STATE_CORRUPT', 'Cannot boot: both copies of the record are damaged');
  }
  await saveBootRecord(files, EMPTY_RECORD);
  await saveBootRecord(files, { ...EMPTY_RECORD, sequence: EMPTY_RECORD.sequence + 1 });
  return { ...EMPTY_RECORD, sequence: EMPTY_RECORD.sequence + 1 };
}

/** Writes a record over the older copy; durable when it fulfils. */
export async function saveBootRecord(files: SlotFiles, record: BootRecord): Promise<void> {
  const block = encodeBootRecord(record);
  const file = await files.openToWrite(nameOf(record.sequence));
  try {
    await file.write(block, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  // The first two records are new names.
  if (record.sequence <= COPIES.length) await files.syncNames();
}

function nameOf(sequence: number): string {
  return sequence % 2 === 1 ? COPIES[0] : COPIES[1];
}

async function readCopy(
  files: SlotFiles,
  name: string,
): Promise<{ readonly isThere: boolean; readonly record: BootRecord | undefined }> {
  const file = await files.openToRead(name);
  if (file === undefined) return { isThere: false, record: undefined };
  try {
    return { isThere: true, record: decodeBootRecord(await readBlock(file)) };
  } finally {
    await file.close();
  }
}

async function readBlock(file: SlotFile): Promise<Uint8Array> {
  const block = new Uint8Array(BOOT_RECORD_LENGTH_BYTES);
  let readBytes = 0;
  while (readBytes < block.length) {
    const count = await file.read(block.subarray(readBytes), readBytes);
    if (count === 0) break;
    readBytes += count;
  }
  return block.subarray(0, readBytes);
}

function hashesOf(hashes: Readonly<Partial<Record<HashFunction, string | undefined>>>): Hashes {
  const found = new Map<HashFunction, string>();
  if (hashes.sha256 !== undefined) found.set('sha256', parseDigest('sha256', hashes.sha256));
  if (hashes.sha512 !== undefined) found.set('sha512', parseDigest('sha512', hashes.sha512));
  return found;
}

function digestOf(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
