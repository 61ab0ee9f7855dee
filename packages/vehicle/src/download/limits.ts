/** What the network may cost, each with its reason. */

/** Bytes a second, averaged over a window, below which a download is under attack {uptane I9}. */
export const RATE_FLOOR_BYTES_PER_S = 5000;
/** The window: long enough for a tunnel, short enough to change to another source. */
export const RATE_WINDOW_MS = 60_000;
/** A metadata file or an answer must be whole within this; both are small. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** Attempts at one request that carries no image. */
export const REQUEST_ATTEMPTS = 3;
/** Attempts at an image without progress before the cycle gives it up; the next one resumes. */
export const IMAGE_ATTEMPTS_IDLE = 6;
/** Attempts at an image in one cycle, progress or not: 64 broken connections are enough for a day. */
export const IMAGE_ATTEMPTS = 64;
/** Attempts at a delta without progress before the full image is taken instead. */
export const DELTA_ATTEMPTS_IDLE = 3;
/** Attempts at a delta in one cycle, progress or not: it is short, and there is another way. */
export const DELTA_ATTEMPTS = 16;
/** How much of a delta is made durable at a time: most have but some hundred kilobytes. */
export const DELTA_CHECKPOINT_BYTES = 65_536;
/** What counts as progress: less would let a server hold us with a byte an attempt. */
export const PROGRESS_MIN_BYTES = 65_536;
/** The first pause between attempts, doubled each time. */
export const BACKOFF_FIRST_MS = 1000;
/** The longest pause between attempts. */
export const BACKOFF_MAX_MS = 30_000;
/** How much of a download is made durable at a time; a power cut loses less than this. */
export const CHECKPOINT_BYTES = 1_048_576;
/** All downloads together; images of one campaign for one vehicle. */
export const QUOTA_BYTES: number = 64 * 1024 ** 3;
/** What must stay free on the disk for everything else. */
export const RESERVE_BYTES: number = 16 * 1024 ** 2;
/** How long a header of an answer may be; Node's own limit bounds all of them together. */
export const HEADER_MAX_CHARACTERS = 4096;
