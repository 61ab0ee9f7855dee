/**
 * What DoIP may cost, and its times, each with its reason.
 *
 * @source ISO 13400-2:2019, table of timing and communication parameters, where a name of it stands
 */

/** T_TCP_Initial_Inactivity: who connects and does not ask for routing is gone after this. */
export const INITIAL_INACTIVITY_MS = 2000;
/** T_TCP_General_Inactivity: a tester that was forgotten on a bench gives its place back. */
export const GENERAL_INACTIVITY_MS = 300_000;
/** T_TCP_Alive_Check: how long the holder of a socket has to show that it lives. */
export const ALIVE_CHECK_MS = 500;
/** A_DoIP_Ctrl: how long a tester waits for answers to anything but diagnostic messages. */
export const CONTROL_MS = 2000;
/** A_DoIP_Diagnostic_Message: how long a tester waits for the acknowledgement. */
export const ACKNOWLEDGE_MS = 2000;
/** A_DoIP_Announce_Wait, its end: entities that wake up together do not shout together. */
export const ANNOUNCE_WAIT_MAX_MS = 500;
/** A_DoIP_Announce_Interval. */
export const ANNOUNCE_INTERVAL_MS = 500;
/** A_DoIP_Announce_Num. */
export const ANNOUNCE_COUNT = 3;
/** Person in the vehicle or a server has to confirm an activation: a minute, then the answer is no. */
export const CONFIRMATION_MAX_MS = 60_000;
/**
 * A message that has begun ends within this: the largest needs a tenth of it on the slowest Ethernet
 * of a vehicle, and who dribbles holds memory no longer.
 */
export const PARTIAL_MESSAGE_MAX_MS = 30_000;

/** Bytes of the longest payload unless an entity is told otherwise: a transfer block of 1 MiB. */
export const DATA_MAX_BYTES = 1_048_576 + 64;
/** Bytes that the unfinished messages of all connections may announce together. */
export const MEMORY_MAX_BYTES = 16_777_216;
/** Testers at one time unless told otherwise (MCTS): a workshop, a telematics unit, a logger. */
export const SOCKETS_MAX = 8;
/** Connections without routing activation at one time; the oldest gives way to a new one. */
export const STRANGERS_MAX = 8;
/** Requests of one tester that wait for their acknowledgement at one time. */
export const UNACKNOWLEDGED_MAX = 256;
/** Pieces of a message shorter than this are copied together: views of many tiny reads cost more. */
export const PIECE_MIN_BYTES = 4096;
/** The longest payload that is not a diagnostic message: an announcement has 33 bytes. */
export const CONTROL_PAYLOAD_MAX_BYTES = 64;

/** Answers by UDP in one second over time: a workshop's rack of testers asks a tenth of it. */
export const ANSWERS_PER_S = 20;
/** Answers by UDP at once: testers that start together. */
export const ANSWERS_BURST = 32;
/** Answers that wait for their random delay at one time. */
export const ANSWERS_PENDING_MAX = 32;
/** Entities that one search keeps: a vehicle has a dozen, a hall some hundred. */
export const DISCOVERED_MAX = 512;

/** A tester that waits for bytes sends its next request within this; one that polls takes longer. */
export const PROMPT_MS = 0.8;
/** So many requests running have to come at once, before a tester is believed to read a stream. */
export const PROMPT_COUNT = 3;
/** Between two messages to a tester that polls: it needs up to 10 ms from sending to reading. */
export const SPACING_MS = 30;
/** Answers that are held for that reason at one time; with more of them none is held. */
export const HELD_MAX = 8;
