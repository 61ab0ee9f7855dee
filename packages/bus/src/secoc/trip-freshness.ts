/** Freshness of messages by trip, reset and message counter, for senders and receivers. */
import type { Freshness, ReceivingFreshness, SendingFreshness } from './freshness.ts';
import { STREAMS_MAX } from './limits.ts';
import { SecocFault } from './secoc-fault.ts';
import {
  FLAG_VALUES,
  MESSAGE_MAX,
  messageOf,
  orderOf,
  RESET_MAX,
  tripFreshness,
  type TripClock,
  type TripState,
  tripStateOf,
} from './trip-value.ts';

interface Used {
  readonly state: TripState;
  readonly message: number;
}

/** Counts for senders, anew after each reset; the first message of a reset has the counter 0. */
export class TripSender implements SendingFreshness {
  readonly #clock: TripClock;
  readonly #used = new Map<number, Used>();

  /** @param clock - the vehicle's trip and reset. */
  constructor(clock: TripClock) {
    this.#clock = clock;
  }

  /** Counts on. @throws SecocFault NOT_SYNCHRONISED, FRESHNESS_EXHAUSTED until the next reset. */
  next(dataId: number): Freshness {
    const state = currentOf(this.#clock);
    const last = this.#used.get(dataId);
    const isSame = last !== undefined && orderOf(last.state) === orderOf(state);
    const message = isSame ? last.message + 1 : 0;
    if (message > MESSAGE_MAX) {
      throw new SecocFault(
        'FRESHNESS_EXHAUSTED',
        'Cannot send: all counters of this reset are used',
      );
    }
    remember(this.#used, dataId, { state, message });
    return tripFreshness(state, message);
  }
}

/** Follows the counters of senders. A sender may be one reset behind or ahead. */
export class TripReceiver implements ReceivingFreshness {
  readonly #clock: TripClock;
  readonly #used = new Map<number, Used>();

  /** @param clock - the vehicle's trip and reset. */
  constructor(clock: TripClock) {
    this.#clock = clock;
  }

  /** See ReceivingFreshness. */
  candidates(dataId: number, truncated: number, countMax: number): readonly Freshness[] {
    const { trip, reset } = currentOf(this.#clock);
    const flag = truncated % FLAG_VALUES;
    // Three neighbours and four flags: at most one fits.
    const near = [reset, reset + 1, reset - 1].find(
      (other) => other >= 0 && other <= RESET_MAX && other % FLAG_VALUES === flag,
    );
    if (near === undefined) return [];
    const state = { trip, reset: near };
    const last = this.#used.get(dataId);
    const distance = last === undefined ? 1 : orderOf(state) - orderOf(last.state);
    if (distance < 0) return [];
    const above = distance === 0 && last !== undefined ? last.message : -1;
    const bits = Math.floor(truncated / FLAG_VALUES);
    const found: Freshness[] = [];
    for (
      let message = nextWithBits(above, bits);
      message <= MESSAGE_MAX && found.length < countMax;
      message += FLAG_VALUES
    ) {
      found.push(tripFreshness(state, message));
    }
    return found;
  }

  /** See ReceivingFreshness. */
  findPast(dataId: number, truncated: number): Freshness | undefined {
    const last = this.#used.get(dataId);
    if (last === undefined || last.state.reset % FLAG_VALUES !== truncated % FLAG_VALUES) {
      return undefined;
    }
    const message = nextWithBits(last.message, Math.floor(truncated / FLAG_VALUES)) - FLAG_VALUES;
    return message < 0 ? undefined : tripFreshness(last.state, message);
  }

  /** See ReceivingFreshness. */
  accept(dataId: number, _truncated: number, full: Uint8Array): void {
    remember(this.#used, dataId, { state: tripStateOf(full), message: messageOf(full) });
  }
}

/** The smallest counter above another whose lowest bits are these. */
function nextWithBits(above: number, bits: number): number {
  const from = above + 1;
  return from + ((bits - (from % FLAG_VALUES) + FLAG_VALUES) % FLAG_VALUES);
}

function currentOf(clock: TripClock): TripState {
  const { current } = clock;
  if (current !== undefined) return current;
  throw new SecocFault('NOT_SYNCHRONISED', 'Cannot tell freshness: no synchronisation came yet');
}

function remember(used: Map<number, Used>, dataId: number, value: Used): void {
  if (!used.has(dataId) && used.size >= STREAMS_MAX) {
    throw new SecocFault('FIELD_RANGE', `Cannot count: more than ${STREAMS_MAX} streams`);
  }
  used.set(dataId, value);
}
