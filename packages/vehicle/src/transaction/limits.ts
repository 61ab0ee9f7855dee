/** What a transaction may cost, each figure with its reason. */

/**
 * Check-ins of one phase in which an ECU may stay silent, or conditions be missing: with a quarter of an
 * hour between them this is more than an hour, after which waiting on is no better than deciding.
 */
export const SILENCES_MAX = 5;
/**
 * How often an ECU is activated, or written, in one phase: an interruption is not its fault, but what
 * never comes up must not be tried for ever.
 */
export const ATTEMPTS_MAX = 5;
/** ECUs that may be named in an order; a vehicle has at most 256. */
export const ORDER_MAX = 256;
