/** What an ECU's state may grow to, with the reasons. */

/** One value, as JSON: the largest is an installation of 256 ECUs. */
export const VALUE_MAX_BYTES = 1_048_576;
/** One queued message: an event or a receipt, signed in the hybrid profile. */
export const MESSAGE_MAX_BYTES = 65_536;
/** Messages that wait for the network, of one kind: a year without it at ten events a day. */
export const QUEUE_MAX = 4096;
/** Entries of the journal that are kept: the last years of updates, for a workshop to read. */
export const JOURNAL_MAX = 2048;
/** Roots of one repository that are kept for Secondaries that are behind: all that a cycle may walk. */
export const ROOTS_KEPT_MAX = 512;
