/** What conditions may take, with the reasons. */

/** Characters of an expression: what fits on a screen of the one who approves it. */
export const EXPRESSION_MAX_LENGTH = 1000;
/** Parts of an expression: the time to evaluate it grows with them, and with nothing else. */
export const PARTS_MAX = 200;
/** How deep it may nest: the library walks it by recursion. */
export const DEPTH_MAX = 40;
/** Conditions of one phase. */
export const CONDITIONS_MAX = 64;
/** Characters of what is wanted, in words. */
export const WANTED_MAX_LENGTH = 200;
/** Between two looks at conditions that are watched: a car that rolls off goes some centimetres. */
export const WATCH_INTERVAL_MS = 100;
/** Not looked at more often than that, however often a signal changes. */
export const WATCH_PAUSE_MS = 20;
