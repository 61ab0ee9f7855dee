/** What diagnostics may cost in this process, each figure with its reason. */

/** Requests that wait for the one under way: a tester's own parts, not a crowd. */
export const REQUESTS_WAITING_MAX = 16;
/**
 * How long a client waits for the first sign of an ECU when nobody says otherwise. More than the
 * standard's P2, since a carrier hands over whole messages, and 4095 bytes take long on a CAN bus.
 */
export const FIRST_SIGN_MAX_MS = 1500;
/** Answers that wait for the carrier: then the server hears nothing more until they are gone. */
export const OUTPUTS_WAITING_MAX = 64;
/** Blocks of a transfer beyond this carry no more of use: 64 KiB cost two bytes of head. */
export const BLOCK_MAX_BYTES = 1_048_576;
/** The longest document that is read in one piece of data or of a routine's result. */
export const DOCUMENT_MAX_BYTES = 65_536;
/** Bytes of an image that are sent ahead, so that an ECU can go on in the middle of its chunks. */
export const IMAGE_HEAD_BYTES = 128;
/** How often, and at which pause, an ECU is asked whether it is back from a reset: two minutes. */
export const RETURN_ATTEMPTS_MAX = 120;
/** See `RETURN_ATTEMPTS_MAX`. */
export const RETURN_PAUSE_MS = 1000;
/** New attempts at one image without any progress, while an ECU starts again. */
export const TRANSFER_ATTEMPTS_IDLE = 5;
