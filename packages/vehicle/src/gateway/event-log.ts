/**
 * The memory of security events: a ring of files that only grow until all of their events have been
 * acknowledged. Power may fail at any operation: an event is there whole or not at all, numbers have no
 * gaps, and no number is given twice. When the ring is full, new events are refused and old ones stay:
 * how an attack began tells more than how it went on.
 */
import type { SlotFile, SlotFiles } from '../slots/slot-files.ts';
import {
  decodeSegment,
  encodeHead,
  encodeRecord,
  HEAD_BYTES,
  isWhole,
  recordBytes,
  type Segment,
  type StoredEvent,
  withChecksum,
} from './event-segment.ts';
import { GatewayFault } from './gateway-fault.ts';
import { RECORD_MAX_BYTES, SEGMENT_BYTES, SEGMENTS } from './limits.ts';

/** How large the memory is. */
export interface EventLogOptions {
  /** Files, at least 2. */
  readonly segments?: number | undefined;
  readonly segmentBytes?: number | undefined;
}

interface Place {
  readonly index: number;
  readonly generation: number;
  readonly firstSequence: number;
  nextSequence: number;
  endBytes: number;
}

const ACKNOWLEDGEMENTS = ['events-ack-0', 'events-ack-1'] as const;
const ACKNOWLEDGEMENT_BYTES = 32;

/** See the head of the file. Its operations run one after another. */
export class EventLog {
  readonly #files: SlotFiles;
  readonly #segmentBytes: number;
  readonly #segments: number;
  /** In the order of their events. */
  #places: Place[] = [];
  #acknowledged = 0;
  #acknowledgements = 0;
  #nextSequence = 1;
  #lost = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** Use `openEventLog`. */
  constructor(files: SlotFiles, { segments, segmentBytes }: EventLogOptions) {
    this.#files = files;
    this.#segments = Math.max(2, segments ?? SEGMENTS);
    this.#segmentBytes = segmentBytes ?? SEGMENT_BYTES;
  }

  /** The number that the next event gets. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Events, or files of them, that are gone without an acknowledgement: damage, and not power. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * Writes events and makes them durable.
   *
   * @param events - they get the next numbers, in this order.
   * @returns how many there was room for: the first so many are kept.
   */
  async append(events: readonly Uint8Array[]): Promise<number> {
    return this.#exclusive(async () => {
      let kept = 0;
      while (kept < events.length) {
        const place = await this.#roomFor(events[kept]?.length ?? 0);
        if (place === undefined) break;
        kept += await this.#write(place, events.slice(kept));
      }
      return kept;
    });
  }

  /** Reads events that nobody has acknowledged, the oldest first. */
  async list(countMax: number): Promise<readonly StoredEvent[]> {
    return this.#exclusive(async () => {
      const found: StoredEvent[] = [];
      for (const { index, generation, nextSequence } of this.#places) {
        if (found.length >= countMax) break;
        if (nextSequence <= this.#acknowledged + 1) continue;
        const segment = await this.#readSegment(index);
        if (segment?.head.generation !== generation) continue;
        found.push(
          ...segment.events.filter(
            ({ sequence }) => sequence > this.#acknowledged && sequence < nextSequence,
          ),
        );
      }
      return found.slice(0, countMax);
    });
  }

  /**
   * Gives events up that have arrived elsewhere; durable when it fulfils.
   *
   * @param sequence - of the last of them.
   * @throws GatewayFault EVENTS_UNKNOWN for one that there is not yet.
   */
  async acknowledge(sequence: number): Promise<void> {
    await this.#exclusive(async () => {
      if (!Number.isSafeInteger(sequence) || sequence < 0 || sequence >= this.#nextSequence) {
        throw new GatewayFault('EVENTS_UNKNOWN', `Cannot acknowledge events up to ${sequence}`);
      }
      if (sequence <= this.#acknowledged) return;
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      view.setBigUint64(0, BigInt(this.#acknowledgements + 1));
      view.setBigUint64(8, BigInt(sequence));
      // The older of two copies is written over: a write that is cut off leaves the other.
      const name = ACKNOWLEDGEMENTS[this.#acknowledgements % 2 === 0 ? 0 : 1];
      await this.#change(name, async (file) => file.write(withChecksum(bytes), 0));
      if (this.#acknowledgements < ACKNOWLEDGEMENTS.length) await this.#files.syncNames();
      this.#acknowledgements += 1;
      this.#acknowledged = sequence;
    });
  }

  /** Finds what is there. @throws GatewayFault EVENTS_CORRUPT. */
  async open(): Promise<void> {
    await this.#loadAcknowledgement();
    let damaged = 0;
    for (let index = 0; index < this.#segments; index += 1) {
      const bytes = await this.#readFile(nameOf(index), this.#segmentBytes);
      const segment = bytes === undefined ? undefined : decodeSegment(bytes);
      if (segment !== undefined) this.#places.push(placeOf(index, segment));
      // A cut spoils a file that is being begun, and that is never longer than its head.
      else if (bytes !== undefined && bytes.length > HEAD_BYTES) damaged += 1;
    }
    this.#places.sort((left, right) => left.generation - right.generation);
    const last = this.#places.at(-1);
    if (last === undefined && (damaged > 0 || this.#acknowledgements > 0)) {
      throw new GatewayFault('EVENTS_CORRUPT', 'Cannot open events: none of their files is whole');
    }
    this.#nextSequence = Math.max(last?.nextSequence ?? 1, this.#acknowledged + 1);
    this.#countLost(damaged);
    if (last === undefined) return;
    // What lies behind the last whole record was never told as kept. It must not come to life again
    // when a record is written before it.
    await this.#change(nameOf(last.index), async (file) => file.truncate(last.endBytes));
    // A damaged file may have held the newest events: their numbers are not given again.
    if (damaged > 0) this.#nextSequence += this.#segmentBytes;
    if (last.nextSequence !== this.#nextSequence) last.endBytes = this.#segmentBytes;
  }

  async #loadAcknowledgement(): Promise<void> {
    for (const name of ACKNOWLEDGEMENTS) {
      const bytes = await this.#readFile(name, ACKNOWLEDGEMENT_BYTES);
      if (bytes?.length !== ACKNOWLEDGEMENT_BYTES || !isWhole(bytes)) continue;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const count = Number(view.getBigUint64(0));
      if (count <= this.#acknowledgements) continue;
      this.#acknowledgements = count;
      this.#acknowledged = Number(view.getBigUint64(8));
    }
  }

  #countLost(damaged: number): void {
    this.#lost = damaged;
    let expected = this.#acknowledged + 1;
    for (const { firstSequence, nextSequence } of this.#places) {
      this.#lost += Math.max(0, firstSequence - expected);
      expected = Math.max(expected, nextSequence);
    }
  }

  /** Undefined when there is none: the ring is full of what nobody has acknowledged. */
  async #roomFor(lengthBytes: number): Promise<Place | undefined> {
    const needed = recordBytes(lengthBytes);
    if (lengthBytes > RECORD_MAX_BYTES || HEAD_BYTES + needed > this.#segmentBytes) {
      return undefined;
    }
    const last = this.#places.at(-1);
    if (last !== undefined && last.endBytes + needed <= this.#segmentBytes) return last;
    const used = new Set(this.#places.map(({ index }) => index));
    const free = Array.from({ length: this.#segments }, (_, index) => index).find(
      (index) => !used.has(index),
    );
    // The oldest comes first: the newest is spent only when all others are.
    const spent = this.#places.find(({ nextSequence }) => nextSequence <= this.#acknowledged + 1);
    const index = free ?? spent?.index;
    return index === undefined ? undefined : this.#begin(index, (last?.generation ?? 0) + 1);
  }

  async #begin(index: number, generation: number): Promise<Place> {
    // Forgotten first: from the next operation on the file is no longer what it was.
    this.#places = this.#places.filter((place) => place.index !== index);
    const firstSequence = this.#nextSequence;
    await this.#change(nameOf(index), async (file) => {
      await file.truncate(0);
      // Empty before it has a head: a file that is longer than that and has none is damaged.
      await file.sync();
      await file.write(encodeHead({ generation, firstSequence }), 0);
    });
    await this.#files.syncNames();
    const place = {
      index,
      generation,
      firstSequence,
      nextSequence: firstSequence,
      endBytes: HEAD_BYTES,
    };
    this.#places.push(place);
    return place;
  }

  /** Writes as many as fit into one segment, and makes them durable together. */
  async #write(place: Place, events: readonly Uint8Array[]): Promise<number> {
    let count = 0;
    let endBytes = place.endBytes;
    await this.#change(nameOf(place.index), async (file) => {
      for (const bytes of events) {
        const record = encodeRecord({ sequence: this.#nextSequence + count, bytes });
        const isFit = bytes.length <= RECORD_MAX_BYTES;
        if (!isFit || endBytes + record.length > this.#segmentBytes) break;
        await file.write(record, endBytes);
        endBytes += record.length;
        count += 1;
      }
    });
    place.endBytes = endBytes;
    this.#nextSequence += count;
    place.nextSequence = this.#nextSequence;
    return count;
  }

  async #change(name: string, change: (file: SlotFile) => Promise<void>): Promise<void> {
    const file = await this.#files.openToWrite(name);
    try {
      await change(file);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #readSegment(index: number): Promise<Segment | undefined> {
    const bytes = await this.#readFile(nameOf(index), this.#segmentBytes);
    return bytes === undefined ? undefined : decodeSegment(bytes);
  }

  async #readFile(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const file = await this.#files.openToRead(name);
    if (file === undefined) return undefined;
    try {
      const bytes = new Uint8Array(maxBytes);
      let length = 0;
      for (let count = -1; count !== 0 && length < maxBytes; length += count) {
        count = await file.read(bytes.subarray(length), length);
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  }

  async #exclusive<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(action);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/**
 * Opens the memory of events, or makes it.
 *
 * @param files - of this memory alone.
 * @throws GatewayFault EVENTS_CORRUPT when files are there and none of them is whole: never taken for a
 * new memory, because numbers would be given twice.
 */
export async function openEventLog(
  files: SlotFiles,
  options: EventLogOptions = {},
): Promise<EventLog> {
  const log = new EventLog(files, options);
  await log.open();
  return log;
}

function placeOf(index: number, { head, events, endBytes }: Segment): Place {
  const { generation, firstSequence } = head;
  const nextSequence = firstSequence + events.length;
  return { index, generation, firstSequence, nextSequence, endBytes };
}

function nameOf(index: number): string {
  return `events-${index}`;
}
