/** What a link may cost and how long it waits, each figure with its reason. */

/** What a First Frame can announce in 12 bits, so what every implementation takes {15765-2:2016 9.6.3.1}. */
export const SHORT_LENGTH_MAX_BYTES = 4095;
/**
 * The most that may be allowed for one message. The escape sequence could announce 4 GiB; nothing in
 * a vehicle holds that, and 16 MiB pass over the fastest bus in half a minute.
 */
export const MESSAGE_CEILING_BYTES = 16_777_216;
/** Memory that a message begins with, whatever length it announces; it doubles as bytes arrive. */
export const RECEIVE_START_BYTES = 256;
/** All time-outs: what the standard sets for N_As, N_Ar, N_Bs and N_Cr {15765-2:2016 9.8}. */
export const TIMEOUT_MS = 1000;
/** N_Br must stay below nine tenths of N_Bs; half leaves room for a busy bus. */
export const PERFORMANCE_MS = 500;
/** The factor of the standard between a performance requirement and the time-out it serves. */
export const PERFORMANCE_SHARE = 0.9;
/** Waits in a row, ours and the peer's: eight of N_Bs are 8 s, more than UDS waits for any answer. */
export const WAIT_FRAMES_MAX = 8;
/** The value of padding that the standard recommends: it causes the fewest stuff bits. */
export const PADDING = 0xcc;
