/** What secured communication may take, with the reasons. */

/** Bytes of an authentic message: the longest of an Ethernet PDU that our gateways carry. */
export const PDU_MAX_BYTES = 4096;
/** Freshness values tried for one message: each is another chance for a forger. */
export const BUILD_ATTEMPTS_MAX = 16;
/** Tried when nobody says otherwise: three messages in a row may be lost. */
export const BUILD_ATTEMPTS = 4;
/**
 * Wrong authenticators that are looked at without a pause, and how soon one more is: with four values
 * tried for each, a forger of 24 bits needs 2^22 s, seven weeks on the bus, for one hit.
 */
export const FAILURES_BURST = 8;
/** See FAILURES_BURST. */
export const FAILURE_REFILL_MS = 1000;
/**
 * Values that are written off ahead of their use, so that memory is not worn by every message: after
 * a restart a receiver waits for at most so many.
 */
export const RESERVED_VALUES = 32;
/** Streams of one freshness machine: more data identifiers than any ECU of a vehicle sends. */
export const STREAMS_MAX = 1024;
