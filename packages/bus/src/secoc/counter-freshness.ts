/**
 * Freshness by a counter of 64 bits for each stream of messages, of which the lowest eight travel.
 *
 * Power may fail at any time, and memory wears: both ends write off a few values ahead. A sender skips
 * them after a restart; a receiver takes none of them, so that nothing it has seen comes again.
 */
import type {
  Freshness,
  FreshnessStore,
  ReceivingFreshness,
  SendingFreshness,
} from './freshness.ts';
import { RESERVED_VALUES, STREAMS_MAX } from './limits.ts';
import { SecocFault } from './secoc-fault.ts';

const COUNTER_MAX = 2n ** 64n - 1n;
const COUNTER_BYTES = 8;
const TRUNCATED_VALUES = 256n;

interface Stream {
  last: bigint;
  /** Up to here the store has all values written off. */
  reserved: bigint;
}

/** Counts for senders. The first value is 1. */
export class CounterSender implements SendingFreshness {
  readonly #streams: Streams;

  /** @param store - of this sender alone. */
  constructor(store: FreshnessStore) {
    this.#streams = new Streams(store, 'send');
  }

  /** Counts on. @throws SecocFault FRESHNESS_EXHAUSTED, FRESHNESS_CORRUPT; whatever the store throws. */
  next(dataId: number): Freshness {
    const stream = this.#streams.of(dataId);
    const value = stream.last + 1n;
    this.#streams.use(dataId, stream, value);
    return freshnessOf(value);
  }
}

/** Follows the counters of senders. */
export class CounterReceiver implements ReceivingFreshness {
  readonly #streams: Streams;

  /** @param store - of this receiver alone. */
  constructor(store: FreshnessStore) {
    this.#streams = new Streams(store, 'receive');
  }

  /** See ReceivingFreshness. */
  candidates(dataId: number, truncated: number, countMax: number): readonly Freshness[] {
    const { last } = this.#streams.of(dataId);
    const same = last - (last % TRUNCATED_VALUES) + BigInt(truncated);
    // Bits that did not rise mean that the part which did not travel has.
    const nearest = same > last ? same : same + TRUNCATED_VALUES;
    return Array.from(
      { length: countMax },
      (_, attempt) => nearest + BigInt(attempt) * TRUNCATED_VALUES,
    )
      .filter((value) => value <= COUNTER_MAX)
      .map((value) => freshnessOf(value));
  }

  /** See ReceivingFreshness. */
  findPast(dataId: number, truncated: number): Freshness | undefined {
    const { last } = this.#streams.of(dataId);
    const same = last - (last % TRUNCATED_VALUES) + BigInt(truncated);
    const past = same <= last ? same : same - TRUNCATED_VALUES;
    return past > 0n ? freshnessOf(past) : undefined;
  }

  /** See ReceivingFreshness. */
  accept(dataId: number, _truncated: number, full: Uint8Array): void {
    const value = new DataView(full.buffer, full.byteOffset, COUNTER_BYTES).getBigUint64(0);
    this.#streams.use(dataId, this.#streams.of(dataId), value);
  }
}

class Streams {
  readonly #store: FreshnessStore;
  readonly #direction: string;
  readonly #streams = new Map<number, Stream>();

  constructor(store: FreshnessStore, direction: string) {
    this.#store = store;
    this.#direction = direction;
  }

  of(dataId: number): Stream {
    const known = this.#streams.get(dataId);
    if (known !== undefined) return known;
    if (this.#streams.size >= STREAMS_MAX) {
      throw new SecocFault('FIELD_RANGE', `Cannot count: more than ${STREAMS_MAX} streams`);
    }
    const stored = this.#store.load(this.#nameOf(dataId)) ?? 0n;
    if (stored < 0n || stored > COUNTER_MAX) {
      throw new SecocFault('FRESHNESS_CORRUPT', 'Cannot count: the stored counter is none');
    }
    const stream = { last: stored, reserved: stored };
    this.#streams.set(dataId, stream);
    return stream;
  }

  use(dataId: number, stream: Stream, value: bigint): void {
    if (value > COUNTER_MAX) {
      throw new SecocFault('FRESHNESS_EXHAUSTED', 'Cannot count: the counter has reached its end');
    }
    if (value > stream.reserved) {
      const ahead = value + BigInt(RESERVED_VALUES);
      const reserved = ahead > COUNTER_MAX ? COUNTER_MAX : ahead;
      this.#store.save(this.#nameOf(dataId), reserved);
      stream.reserved = reserved;
    }
    stream.last = value;
  }

  #nameOf(dataId: number): string {
    return `secoc/${this.#direction}/${dataId}`;
  }
}

function freshnessOf(value: bigint): Freshness {
  const full = new Uint8Array(COUNTER_BYTES);
  new DataView(full.buffer).setBigUint64(0, value);
  return { full, truncated: Number(value % TRUNCATED_VALUES) };
}
