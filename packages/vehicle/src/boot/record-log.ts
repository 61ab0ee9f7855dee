/**
 * Boot records in flash, which cannot be overwritten: entries behind each other in one of several places,
 * each of whole sectors. The entry with the highest sequence number whose digest is right counts.
 *
 * An entry: `IMBR`, its kind, its length, its sequence number, 16 bytes of the SHA-256 of all that and
 * of the payload, the payload; padded to whole write units. Kind 0 is a record, kind 1 tells how far the
 * image has come that the record before it is about, and kind 2 how far a bank was rewritten in place.
 *
 * The power may have left half an entry behind the last whole one, and it may look like erased flash. So
 * no start writes behind what it finds: the first entry of each goes to another place, which is erased
 * first. The place of the newest record is never erased; it needs no sector but these.
 */
import { createHash } from 'node:crypto';
import { concatBytes, utf8 } from '@immota/base';
import {
  type ByteRange,
  bytesOfSectors,
  type Flash,
  padToUnit,
  roundToUnit,
  type SectorRange,
} from '../flash/flash.ts';
import { FlashFault } from '../flash/flash-fault.ts';
import {
  type BankRecord,
  packRecord,
  packRewrite,
  type RewriteProgress,
  unpackRecord,
  unpackRewrite,
} from './bank-record.ts';
import { READ_ATTEMPTS, RECORD_READS, RECORD_READS_WRONG_MAX } from './limits.ts';
import { Packer, tryUnpack } from './pack.ts';

/** What was found at a start. */
export type LoadedRecord =
  | { readonly kind: 'found'; readonly record: BankRecord }
  /** Nothing was ever written whole. */
  | { readonly kind: 'new' }
  /** There was a record, and none is left that can be read. */
  | { readonly kind: 'lost' };

/** Where records are kept. */
export interface RecordStore {
  /** Finds the newest record. Called first, once. */
  load(): Promise<LoadedRecord>;
  /** Writes a record; durable when it fulfils. @throws FlashFault WORN_OUT, NO_ROOM. */
  save(record: BankRecord): Promise<void>;
  /** Notes how far a bank's image has come, in few bytes. @throws FlashFault WORN_OUT. */
  saveProgress(bank: number, durableBytes: number): Promise<void>;
  /** Notes how far a bank was rewritten; durable when it fulfils. @throws FlashFault WORN_OUT, NO_ROOM. */
  saveRewrite(bank: number, progress: RewriteProgress): Promise<void>;
}

interface Entry {
  readonly sequence: number;
  readonly record: BankRecord;
}

const MAGIC = utf8('IMBR');
const DIGEST_BYTES = 16;
/** Magic, kind, length and sequence number, before the digest. */
const HEAD_BYTES: number = 4 + 1 + 2 + 8;
const OVERHEAD_BYTES: number = HEAD_BYTES + DIGEST_BYTES;
const RECORD = 0;
const PROGRESS = 1;
const REWRITE = 2;

/** Tells how many bytes an entry of a record takes that is so long itself. */
export function entryLength(flash: Flash, recordBytes: number): number {
  return roundToUnit(flash.geometry, OVERHEAD_BYTES + recordBytes);
}

/** Opens the records of a flash. @param places - at least two. */
export function openRecordLog(flash: Flash, places: readonly SectorRange[]): RecordStore {
  return new RecordLog(flash, places);
}

class RecordLog implements RecordStore {
  readonly #flash: Flash;
  readonly #places: readonly SectorRange[];
  /** Where the newest record is. */
  #place = 0;
  /** Where the next entry goes in it; undefined at first, as what lies there is in doubt. */
  #next: number | undefined;
  #newest: Entry | undefined;

  constructor(flash: Flash, places: readonly SectorRange[]) {
    this.#flash = flash;
    this.#places = places;
  }

  async load(): Promise<LoadedRecord> {
    const found: (Entry | undefined)[] = [];
    for (const place of this.#places) found.push(await this.#readPlace(place));
    for (const [index, entry] of found.entries()) {
      if (entry === undefined || entry.sequence < (this.#newest?.sequence ?? 0)) continue;
      this.#newest = entry;
      this.#place = index;
    }
    if (this.#newest !== undefined) return { kind: 'found', record: this.#newest.record };
    // The first entry of all went to the first place, before anything else was touched.
    for (const place of this.#places.slice(1)) {
      if (!(await this.#isErased(place))) return { kind: 'lost' };
    }
    this.#place = this.#places.length - 1;
    return { kind: 'new' };
  }

  async save(record: BankRecord): Promise<void> {
    const sequence = (this.#newest?.sequence ?? 0) + 1;
    await this.#append(RECORD, sequence, packRecord(record));
    this.#newest = { sequence, record };
  }

  async saveProgress(bank: number, durableBytes: number): Promise<void> {
    if (this.#newest === undefined) return;
    const sequence = this.#newest.sequence + 1;
    const record = withProgress(this.#newest.record, bank, durableBytes);
    const payload = new Packer().bytes(bank).counter(durableBytes).packed();
    // It says nothing without the record before it, so a new place begins with a record.
    if (this.#hasRoom(payload.length)) await this.#append(PROGRESS, sequence, payload);
    else await this.#append(RECORD, sequence, packRecord(record));
    this.#newest = { sequence, record };
  }

  async saveRewrite(bank: number, progress: RewriteProgress): Promise<void> {
    if (this.#newest === undefined) return;
    const sequence = this.#newest.sequence + 1;
    const record = withRewrite(this.#newest.record, bank, progress);
    const payload = packRewrite(new Packer().bytes(bank), progress).packed();
    const bytes = padToUnit(this.#flash.geometry, encodeEntry(REWRITE, sequence, payload));
    // Unlike the progress of a transfer it must not be lost: what does not go in here goes elsewhere.
    const isPut = this.#hasRoom(payload.length) && (await this.#put(bytes, this.#next ?? 0));
    if (!isPut) await this.#append(RECORD, sequence, packRecord(record));
    this.#newest = { sequence, record };
  }

  #hasRoom(payloadBytes: number): boolean {
    const { lengthBytes } = this.#rangeOf(this.#place);
    const needed = entryLength(this.#flash, payloadBytes);
    return this.#next !== undefined && this.#next + needed <= lengthBytes;
  }

  async #append(kind: number, sequence: number, payload: Uint8Array): Promise<void> {
    const bytes = padToUnit(this.#flash.geometry, encodeEntry(kind, sequence, payload));
    if (this.#hasRoom(payload.length) && (await this.#put(bytes, this.#next ?? 0))) return;
    if (kind === PROGRESS) return;
    const former = this.#place;
    for (
      let step = 1;
      step < this.#places.length + (this.#newest === undefined ? 1 : 0);
      step += 1
    ) {
      this.#place = (former + step) % this.#places.length;
      if (bytes.length > this.#rangeOf(this.#place).lengthBytes) {
        throw new FlashFault('NO_ROOM', `Cannot write boot record: ${bytes.length} bytes`);
      }
      if ((await this.#eraseHere()) && (await this.#put(bytes, 0))) return;
    }
    this.#place = former;
    this.#next = undefined;
    throw new FlashFault('WORN_OUT', 'Cannot write boot record: no place takes it any more');
  }

  /** Writes and reads back; false when the flash does not keep it. */
  async #put(bytes: Uint8Array, position: number): Promise<boolean> {
    const { startBytes } = this.#rangeOf(this.#place);
    this.#next = undefined;
    try {
      await this.#flash.write(startBytes + position, bytes);
    } catch (error) {
      if (isWorn(error)) return false;
      throw error;
    }
    if (!(await this.#reads(startBytes + position, bytes))) return false;
    this.#next = position + bytes.length;
    return true;
  }

  async #eraseHere(): Promise<boolean> {
    const place = this.#places[this.#place];
    if (place === undefined) return false;
    this.#next = undefined;
    try {
      for (let index = 0; index < place.count; index += 1) {
        await this.#flash.erase(place.first + index);
      }
    } catch (error) {
      if (isWorn(error)) return false;
      throw error;
    }
    return await this.#isErased(place);
  }

  async #isErased(place: SectorRange): Promise<boolean> {
    const { startBytes, lengthBytes } = bytesOfSectors(this.#flash.geometry, place);
    const erased = new Uint8Array(lengthBytes).fill(this.#flash.geometry.erasedByte);
    return await this.#reads(startBytes, erased);
  }

  async #reads(offsetBytes: number, expected: Uint8Array): Promise<boolean> {
    const is = new Uint8Array(expected.length);
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await this.#flash.read(offsetBytes, is);
      if (Buffer.compare(is, expected) === 0) return true;
    }
    return false;
  }

  /** The last record of a place, with the progress that follows it. */
  async #readPlace(place: SectorRange): Promise<Entry | undefined> {
    const { startBytes, lengthBytes } = bytesOfSectors(this.#flash.geometry, place);
    const found: RawEntry[] = [];
    for (let position = 0; ;) {
      const room = { startBytes: startBytes + position, lengthBytes: lengthBytes - position };
      const entry = await this.#readEntry(room);
      const isNext = entry !== undefined && entry.sequence > (found.at(-1)?.sequence ?? 0);
      if (!isNext) break;
      found.push(entry);
      position += roundToUnit(this.#flash.geometry, entry.bytes.length);
    }
    // Only the last one can be torn: the start after that began in another place.
    const last = found.at(-1);
    if (last !== undefined && !(await this.#readsAlways(last))) found.pop();
    return entryOf(found);
  }

  async #readEntry({ startBytes, lengthBytes }: ByteRange): Promise<RawEntry | undefined> {
    if (lengthBytes < OVERHEAD_BYTES) return undefined;
    const head = new Uint8Array(OVERHEAD_BYTES);
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await this.#flash.read(startBytes, head);
      const payloadBytes = decodeHead(head)?.payloadBytes ?? lengthBytes;
      if (OVERHEAD_BYTES + payloadBytes > lengthBytes) continue;
      const bytes = new Uint8Array(OVERHEAD_BYTES + payloadBytes);
      await this.#flash.read(startBytes, bytes);
      // From what the digest is about, and not from the read before it.
      const fields = decodeHead(bytes);
      const digest = digestOf(bytes.subarray(0, HEAD_BYTES), bytes.subarray(OVERHEAD_BYTES));
      const isRight = Buffer.compare(digest, bytes.subarray(HEAD_BYTES, OVERHEAD_BYTES)) === 0;
      if (isRight && fields !== undefined) return { ...fields, startBytes, bytes };
    }
    return undefined;
  }

  /** A read may be wrong in a bit by itself; a unit in doubt is wrong about as often as right. */
  async #readsAlways({ startBytes, bytes }: RawEntry): Promise<boolean> {
    const again = new Uint8Array(bytes.length);
    let wrong = 0;
    for (let count = 0; count < RECORD_READS && wrong <= RECORD_READS_WRONG_MAX; count += 1) {
      await this.#flash.read(startBytes, again);
      if (Buffer.compare(again, bytes) !== 0) wrong += 1;
    }
    return wrong <= RECORD_READS_WRONG_MAX;
  }

  #rangeOf(place: number): ByteRange {
    const range = this.#places[place];
    if (range === undefined)
      throw new FlashFault('LAYOUT', 'Cannot find the boot record: no place');
    return bytesOfSectors(this.#flash.geometry, range);
  }
}

interface RawEntry {
  readonly kind: number;
  readonly sequence: number;
  readonly startBytes: number;
  /** All of it but the padding. */
  readonly bytes: Uint8Array;
}

function encodeEntry(kind: number, sequence: number, payload: Uint8Array): Uint8Array {
  const packer = new Packer().raw(MAGIC).bytes(kind).short(payload.length).counter(sequence);
  const head = packer.packed();
  return concatBytes([head, digestOf(head, payload), payload]);
}

function decodeHead(
  bytes: Uint8Array,
): { readonly kind: number; readonly payloadBytes: number; readonly sequence: number } | undefined {
  const isEntry = MAGIC.every((byte, index) => bytes[index] === byte);
  if (!isEntry) return undefined;
  return tryUnpack(bytes.subarray(MAGIC.length, HEAD_BYTES), (unpacker) => {
    const kind = unpacker.choice(REWRITE + 1);
    const payloadBytes = unpacker.short();
    return { kind, payloadBytes, sequence: unpacker.counter() };
  });
}

/** The last record of a place, and the progress behind it. */
function entryOf(found: readonly RawEntry[]): Entry | undefined {
  const index = found.findLastIndex(({ kind }) => kind === RECORD);
  const last = found[index];
  if (last === undefined) return undefined;
  let record = unpackRecord(last.bytes.subarray(OVERHEAD_BYTES));
  let { sequence } = last;
  for (const { bytes, kind, sequence: next } of found.slice(index + 1)) {
    const before = record;
    const after =
      before &&
      tryUnpack(bytes.subarray(OVERHEAD_BYTES), (unpacker) => {
        const bank = unpacker.byte();
        return kind === REWRITE
          ? withRewrite(before, bank, unpackRewrite(unpacker))
          : withProgress(before, bank, unpacker.counter());
      });
    if (after === undefined) break;
    record = after;
    sequence = next;
  }
  return record === undefined ? undefined : { sequence, record };
}

function withRewrite(record: BankRecord, bank: number, rewrite: RewriteProgress): BankRecord {
  const banks = record.banks.map((content, index) =>
    index === bank && content?.state === 'rewriting' ? { ...content, rewrite } : content,
  );
  return { ...record, banks };
}

function withProgress(record: BankRecord, bank: number, durableBytes: number): BankRecord {
  const banks = record.banks.map((content, index) =>
    index === bank && content?.state === 'receiving' ? { ...content, durableBytes } : content,
  );
  return { ...record, banks };
}

function digestOf(head: Uint8Array, payload: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(head).update(payload).digest();
  return new Uint8Array(digest.subarray(0, DIGEST_BYTES));
}

/** The part says that it fails; a mistake of ours is no such thing. */
function isWorn(error: unknown): boolean {
  return (
    error instanceof FlashFault && (error.code === 'WRITE_FAILED' || error.code === 'ERASE_FAILED')
  );
}
