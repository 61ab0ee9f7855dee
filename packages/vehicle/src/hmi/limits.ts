/** What screens may cost, each figure with its reason. */

/** An answer is some two hundred bytes. */
export const BODY_MAX_BYTES = 4096;
/** Screens that are connected: a head unit, and phones of a family or a workshop. */
export const SESSIONS_MAX = 16;
/** A phone that is not seen for a month is connected again. */
export const SESSION_MAX_AGE_HOURS = 720;
/** Guesses at a code of 40 bits: at this pace half of all codes take thousands of years. */
export const PAIRINGS_PER_MINUTE = 6;
/** Codes that were shown and not used. */
export const CODES_MAX = 8;
/** A code that lies about is no use to whoever finds it. */
export const CODE_MAX_AGE_MINUTES = 60;
/** Requests of all screens together; a page needs three, and one a tap. */
export const REQUESTS_PER_MINUTE = 600;
/** Open event streams: each session may have a tab or two. */
export const STREAMS_MAX = 32;
/** Connections at once, streams among them. */
export const CONNECTIONS_MAX = 128;
/** Entries of the history that are shown. */
export const HISTORY_SHOWN_MAX = 100;
/** Between two looks at whether the vehicle is parked. */
export const LOOK_MS = 1000;
/** A bar that moves more often is not read. */
export const PUSH_MS = 250;
/** A header line of a browser is a kilobyte. */
export const HEADERS_MAX_BYTES = 16_384;
