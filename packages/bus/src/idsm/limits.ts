/** What security events may take, with the reasons. */

/** Bytes of context: what tells of one event, and not a recording of the bus. */
export const CONTEXT_MAX_BYTES = 4096;
/** Bytes of a signature: the longest of the house is one of ML-DSA-65. */
export const SIGNATURE_MAX_BYTES = 8192;
/** Kinds of events of one sensor: AUTOSAR's list has about a hundred. */
export const DEFINITIONS_MAX = 512;
