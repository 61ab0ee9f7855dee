/** The bounds of the TUF client's shell, each with its reason. */

/** A connection that sends nothing for so long is dead or holds us up (slow retrieval). */
export const IDLE_MAX_MS = 30_000;
/** What a request may take whatever its length: name lookup, handshakes, a busy server. */
export const REQUEST_BASE_MS = 60_000;
/** Below this average rate a download is a slow retrieval; the vehicle's own client sets it there too. */
export const RATE_MIN_BYTES_PER_SECOND = 5_000;
/** Most file systems take names of 255 bytes; longer ones are stored under their hash. */
export const FILE_NAME_MAX_BYTES = 200;
/** Artifacts asked for in one call. */
export const TARGET_NAMES_MAX = 1_000;
