/** What a gateway may hold, with the reasons. */

/** Buses of one gateway: domain controllers have up to a dozen. */
export const BUSES_MAX = 16;
/** Rules of one kind: a communication matrix has some hundreds of routed frames. */
export const RULES_MAX = 2048;
/** Services of one rule: all there are. */
export const SERVICES_MAX = 128;
/** Ranges of identifiers of one service. */
export const RANGES_MAX = 64;
/** Characters of a name. */
export const NAME_MAX_LENGTH = 64;
/** Frames that wait for one bus: two of the longest diagnostic messages in classic frames. */
export const OUTSTANDING_MAX = 1200;
/** Conversations between testers and ECUs that are followed: eight testers with a full vehicle. */
export const CONVERSATIONS_MAX = 1024;
/** S3server (ISO 14229-2): after so much silence an ECU is in its default session again. */
export const SESSION_TIMEOUT_MS = 5000;
/** How long an answer is let through after a request, or after an ECU asked for more time (P2* twice). */
export const RESPONSE_TIMEOUT_MS = 10_000;
/** A message of several frames that does not go on for so long is given up. */
export const MESSAGE_TIMEOUT_MS = 10_000;
/** Bytes of a diagnostic message in CAN frames: twice the longest block that microcontrollers take. */
export const MESSAGE_MAX_BYTES = 131_072;
/** Files that the memory of events is divided into, and the bytes of each: some thousand events in all. */
export const SEGMENTS = 8;
/** See SEGMENTS. */
export const SEGMENT_BYTES = 131_072;
/** One event as it is stored: the context, and a signature of the hybrid profile. */
export const RECORD_MAX_BYTES = 16_384;
/** Events that wait to be signed and written: what filters let through in a moment of attack. */
export const EVENTS_PENDING_MAX = 64;
/** Events that are signed and made durable together. */
export const EVENTS_BATCH_MAX = 16;
