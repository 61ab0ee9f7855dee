/**
 * The freshness value of JASPAR's profile, 48 bits: trip (16), reset (20), message counter (8), the
 * lowest two bits of the reset counter again, and two bits of padding. The trip rises whenever the
 * vehicle starts, the reset every so often while it runs, the counter with every message between two
 * resets. A message carries the lowest two bits of counter and reset.
 *
 * @source commaai/opendbc, secoc.py; AUTOSAR SecOC, freshness value management
 */
import type { Freshness } from './freshness.ts';

/** Where the vehicle's freshness is. */
export interface TripState {
  readonly trip: number;
  readonly reset: number;
}

/** What tells it: the master, or a slave that follows it. */
export interface TripClock {
  /** Undefined until the first synchronisation. */
  readonly current: TripState | undefined;
}

/** The largest values of the fields. */
export const TRIP_MAX = 0xffff;
/** See TRIP_MAX. */
export const RESET_MAX = 0xfffff;
/** See TRIP_MAX. */
export const MESSAGE_MAX = 0xff;

/** The lowest bits of message counter and reset that travel. */
export const FLAG_VALUES = 4;

/** Puts a value together. */
export function tripFreshness({ trip, reset }: TripState, message: number): Freshness {
  const full = new Uint8Array(6);
  const view = new DataView(full.buffer);
  const flag = reset % FLAG_VALUES;
  view.setUint16(0, trip);
  view.setUint16(2, reset >>> 4);
  view.setUint16(4, ((reset & 0xf) << 12) | (message << 4) | (flag << 2));
  return { full, truncated: (message % FLAG_VALUES) * FLAG_VALUES + flag };
}

/** Reads the message counter out of a whole value. */
export function messageOf(full: Uint8Array): number {
  return (new DataView(full.buffer, full.byteOffset, 6).getUint16(4) >>> 4) & MESSAGE_MAX;
}

/** Reads trip and reset out of a whole value, or out of a synchronisation message. */
export function tripStateOf(bytes: Uint8Array): TripState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 5);
  return { trip: view.getUint16(0), reset: (view.getUint16(2) << 4) | (view.getUint8(4) >>> 4) };
}

/** Orders states: trip first, then reset. */
export function orderOf({ trip, reset }: TripState): number {
  return trip * (RESET_MAX + 1) + reset;
}

/** The highest order there is. */
export const ORDER_MAX: number = orderOf({ trip: TRIP_MAX, reset: RESET_MAX });
