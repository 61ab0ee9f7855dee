/** What outside data may grow here, and why no further. */

/** The longest record: Intel HEX with 255 data bytes, `:` and 2 × 260 digits. */
export const LINE_LENGTH_MAX = 521;

/**
 * How often the addresses of a record file may jump. Linked firmware has tens of sections; each
 * jump costs memory, so a file of one-byte islands must not turn kilobytes into gigabytes.
 */
export const SEGMENT_COUNT_MAX = 16_384;

/** How many bytes a record file may hold: flash of a large microcontroller is 16 MiB, twice doubled. */
export const LAYOUT_LENGTH_MAX_BYTES: number = 64 * 1024 * 1024;

/** One past the highest address: Intel HEX and S-records reach 32 bits. */
export const ADDRESS_SPACE_BYTES = 0x1_0000_0000;

/** How much of a file tells its format: one longest line and its end. */
export const DETECTION_PREFIX_BYTES = 528;

/** The smallest chunk: below 4 KiB the cost of a new cipher exceeds that of the bytes. */
export const CHUNK_SIZE_LOG2_MIN = 12;

/** The largest chunk: an ECU must hold one whole before it may use a byte of it. */
export const CHUNK_SIZE_LOG2_MAX = 22;

/** The longest encrypted image, whoever asks: an IVI system of today is 4 to 16 GiB. */
export const ENCRYPTED_LENGTH_MAX_BYTES: number = 64 * 1024 ** 3;

/** How long an ECU or hardware identifier may be in UTF-8: aktualizr allows 64 and 200. */
export const IDENTIFIER_LENGTH_MAX_BYTES = 255;

/** The longest image that a delta is made from or to: as long as an encrypted one. */
export const DELTA_IMAGE_MAX_BYTES: number = 64 * 1024 ** 3;

/**
 * What the streams of one section may hold together: applying keeps one section in memory, packed and
 * unpacked. Beyond it sections shrink by less than 1 %.
 */
export const DELTA_SECTION_MAX_BYTES = 1_048_576;

/** The largest window that Zstandard may ask for while a section is unpacked: one section. */
export const DELTA_WINDOW_LOG2_MAX = 20;

/** The smallest page of a bank that is rewritten in place: EEPROM rows and small flash pages. */
export const DELTA_PAGE_LOG2_MIN = 8;

/** The largest page: the applier holds one in memory, and the bank a spare one. */
export const DELTA_PAGE_LOG2_MAX = 18;

/** How many pages a bank may have: 256 MiB of 4 KiB, and a bit each in memory. */
export const DELTA_PAGES_MAX = 65_536;

/**
 * How much of the base a search may look at: the suffix array takes ten times as much memory while it
 * is made. A kernel fits; a root file system is cut into spans with a window for each.
 */
export const DELTA_SEARCH_WINDOW_MAX_BYTES: number = 64 * 1024 * 1024;
