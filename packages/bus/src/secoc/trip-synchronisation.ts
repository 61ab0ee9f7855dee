/**
 * Freshness value management of JASPAR's profile: one master tells all others trip and reset by a
 * message of eight bytes: trip (16), reset (20), authenticator (28). It leads forward only.
 */
import { concatBytes } from '@immota/base';
import { type AesKey, computeCmac, isSameMac } from './cmac.ts';
import type { FreshnessStore } from './freshness.ts';
import { FAILURE_REFILL_MS, FAILURES_BURST, RESERVED_VALUES } from './limits.ts';
import { SecocFault } from './secoc-fault.ts';
import { TokenBucket } from './token-bucket.ts';
import {
  ORDER_MAX,
  orderOf,
  RESET_MAX,
  TRIP_MAX,
  type TripClock,
  type TripState,
  tripStateOf,
} from './trip-value.ts';

/** What master and slaves of one vehicle share. */
export interface TripSynchronisationOptions {
  readonly key: AesKey;
  /** The data identifier of the message; Toyota's vehicles have 0x0F. */
  readonly dataId: number;
  readonly store: FreshnessStore;
}

/** What a master needs beyond that. */
export interface TripMasterOptions extends TripSynchronisationOptions {
  /** Between two resets: some hundreds to some thousands. */
  readonly resetCycleMs: number;
}

/** A message of the master. */
export interface TripSynchronisation {
  readonly kind: 'send';
  readonly bytes: Uint8Array;
}

const SYNCHRONISATION_BYTES = 8;
const MASTER = 'secoc/trip/master';
const SLAVE = 'secoc/trip/slave';

/** The master. Its trip is stored before anything of it is sent. */
export class TripMaster implements TripClock {
  readonly #options: TripMasterOptions;
  #state: TripState;
  #deadlineMs: number;
  #isAnnounced = false;

  /**
   * Begins a trip.
   *
   * @param atMs - now; the first message is due at once.
   * @throws SecocFault FRESHNESS_EXHAUSTED after 65,535 trips; FRESHNESS_CORRUPT; what the store throws.
   */
  constructor(options: TripMasterOptions, atMs: number) {
    this.#options = options;
    this.#state = this.#beginTrip();
    this.#deadlineMs = atMs;
  }

  /** The present trip and reset. */
  get current(): TripState {
    return this.#state;
  }

  /** When `elapse` is to be called. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /**
   * Resets, and tells the others. However late it is called, it resets once.
   *
   * @throws SecocFault FRESHNESS_EXHAUSTED when resets and trips are used up; what the store throws.
   */
  elapse(atMs: number): readonly TripSynchronisation[] {
    if (atMs < this.#deadlineMs) return [];
    const { trip, reset } = this.#state;
    if (this.#isAnnounced) {
      this.#state = reset < RESET_MAX ? { trip, reset: reset + 1 } : this.#beginTrip();
    }
    this.#isAnnounced = true;
    this.#deadlineMs = atMs + this.#options.resetCycleMs;
    return [{ kind: 'send', bytes: encodeSynchronisation(this.#options, this.#state) }];
  }

  #beginTrip(): TripState {
    const { store } = this.#options;
    const trip = loadNumber(store, MASTER, TRIP_MAX) + 1;
    if (trip > TRIP_MAX) {
      // Off-standard: the trip does not begin again at 0, because old messages would be fresh again.
      throw new SecocFault('FRESHNESS_EXHAUSTED', 'Cannot begin a trip: there are no more numbers');
    }
    store.save(MASTER, BigInt(trip));
    return { trip, reset: 0 };
  }
}

/**
 * A slave. It writes off some resets ahead of those it accepted, so that after a restart no message of
 * the master that it has seen leads it back; until the master is past them it is not synchronised.
 */
export class TripSlave implements TripClock {
  readonly #options: TripSynchronisationOptions;
  readonly #failures = new TokenBucket({ capacity: FAILURES_BURST, refillMs: FAILURE_REFILL_MS });
  #floor: number;
  #reserved: number;
  #state: TripState | undefined;

  /** @throws SecocFault FRESHNESS_CORRUPT; what the store throws. */
  constructor(options: TripSynchronisationOptions) {
    this.#options = options;
    this.#floor = loadNumber(options.store, SLAVE, ORDER_MAX);
    this.#reserved = this.#floor;
  }

  /** The trip and reset of the last message of the master; undefined before the first. */
  get current(): TripState | undefined {
    return this.#state;
  }

  /**
   * Follows the master.
   *
   * @param bytes - its message, from outside.
   * @throws SecocFault PDU_LENGTH, SYNC_NOT_NEWER, THROTTLED, MAC_MISMATCH; what the store throws.
   */
  accept(bytes: Uint8Array, atMs: number): TripState {
    if (bytes.length !== SYNCHRONISATION_BYTES) {
      throw new SecocFault('PDU_LENGTH', `Cannot synchronise: ${bytes.length} bytes`);
    }
    const state = tripStateOf(bytes);
    const order = orderOf(state);
    if (order <= this.#floor) {
      throw new SecocFault('SYNC_NOT_NEWER', 'Cannot synchronise: it does not lead forward');
    }
    if (!this.#failures.has(atMs)) {
      throw new SecocFault('THROTTLED', 'Cannot synchronise: too many wrong authenticators');
    }
    if (!isSameMac(encodeSynchronisation(this.#options, state), bytes)) {
      this.#failures.take(atMs);
      throw new SecocFault('MAC_MISMATCH', 'Cannot synchronise: the authenticator is wrong');
    }
    if (order > this.#reserved) {
      const reserved = Math.min(order + RESERVED_VALUES, ORDER_MAX);
      this.#options.store.save(SLAVE, BigInt(reserved));
      this.#reserved = reserved;
    }
    this.#floor = order;
    this.#state = state;
    return state;
  }
}

/** Makes the message of the master. */
function encodeSynchronisation(
  { key, dataId }: TripSynchronisationOptions,
  { trip, reset }: TripState,
): Uint8Array {
  const bytes = new Uint8Array(SYNCHRONISATION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, trip);
  // The reset takes 20 bits, left-aligned.
  view.setUint16(2, reset >>> 4);
  view.setUint8(4, (reset & 0xf) << 4);
  const id = new Uint8Array([dataId >>> 8, dataId & 0xff]);
  const mac = computeCmac(key, concatBytes([id, bytes.subarray(0, 5)]));
  const top = new DataView(mac.buffer, mac.byteOffset, 4).getUint32(0) >>> 4;
  view.setUint32(4, (((reset & 0xf) << 28) | top) >>> 0);
  return bytes;
}

function loadNumber(store: FreshnessStore, name: string, max: number): number {
  const stored = store.load(name) ?? 0n;
  if (stored < 0n || stored > BigInt(max)) {
    throw new SecocFault('FRESHNESS_CORRUPT', 'Cannot load freshness: it is out of its range');
  }
  return Number(stored);
}
