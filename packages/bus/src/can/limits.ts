/** What a bus may cost, each figure with its reason. */

/** Frames of one node that wait: a controller's mailboxes and some software before them; 60 ms at 500 kbit/s. */
export const QUEUE_MAX_FRAMES = 256;
/** The slowest bus that transceivers keep up. */
export const BIT_RATE_MIN_BPS = 10_000;
/** The fastest at which all nodes can still contend on a short wire (ISO 11898-1). */
export const BIT_RATE_MAX_BPS = 1_000_000;
/** The fastest that transceivers for CAN FD are made for (ISO 11898-2). */
export const DATA_BIT_RATE_MAX_BPS = 8_000_000;
/** Bytes of a datagram of python-can: eleven short entries and 64 bytes of data take below 300. */
export const PYTHON_CAN_MAX_BYTES = 512;
/** Characters of a name in such a datagram: the longest that there is has 21. */
export const PYTHON_CAN_NAME_MAX_BYTES = 32;
/** Entries of such a datagram: python-can sends eleven. */
export const PYTHON_CAN_ENTRIES_MAX = 32;
/** Bytes of a datagram of cannelloni: what fits into a frame of Ethernet. */
export const CANNELLONI_MAX_BYTES = 1472;
