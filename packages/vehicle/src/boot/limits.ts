/** What boot loaders of microcontrollers keep and try, each figure with its reason. */

/** Trouble codes that are kept of before and of after an update: more than a sound ECU ever stores. */
export const TROUBLE_CODES_MAX = 32;
/** Bytes of the reason in a record: one sentence. */
export const REASON_MAX_BYTES = 120;
/** Bytes that are gathered before they are written and read back: a part of a small ECU's memory. */
export const BLOCK_BYTES = 4096;
/** Bytes that are read at once to be hashed. */
export const READ_BYTES = 4096;
/**
 * Bytes after which a record tells how far an image has come. Each costs a place in the record's
 * sectors, so that a megabyte wears them by a few erasures.
 */
export const PROGRESS_BYTES = 65_536;
/** How often what reads wrong is read again, before it counts as wrong: a read may fail, a cell stays. */
export const READ_ATTEMPTS = 3;
/**
 * How often the newest record of a place is read before it is believed: a unit that lost its power while
 * it was programmed may read right once and wrong the next time, about as often as not.
 */
export const RECORD_READS = 16;
/** Of which so many may be wrong: a sound record too is read wrong now and then. */
export const RECORD_READS_WRONG_MAX = 4;
/** Places for records when left out: one may wear out. */
export const RECORD_PLACES = 3;
/** Bytes of each such place: a full record with two names of 500 letters, and some progress. */
export const RECORD_BYTES = 2048;
/** Bytes of a bank's seal: enough for a name of 1000 letters and an ML-DSA signature. */
export const SEAL_BYTES = 8192;
/**
 * Of one bank's flash, the part that is kept free for pages on their way into it: each of its sectors is
 * erased this often as one of the bank when all of an image changes in place. Parts that bear 10 000
 * erasures bear 600 such updates.
 */
export const SPARE_PART = 16;
/** The smallest page of a delta that rewrites a bank: each costs two entries in the record. */
export const PAGE_MIN_BYTES = 1024;
/** The largest page: the boot loader holds one in memory while it makes it. */
export const PAGE_MAX_BYTES = 131_072;
