/** What the in-vehicle link may cost, each figure with its reason. */

/** Payload of one frame: large enough to cost little, small enough to let others in between. */
export const FRAME_PAYLOAD_MAX_BYTES = 262_144;
/**
 * A bundle: Root chains, and the Targets of a big Image repository with some delegations. Four times
 * the largest single file of the trust core.
 */
export const BUNDLE_MAX_BYTES = 33_554_432;
/** Files of one bundle: two Root chains of 512, and every delegation that a search may visit. */
export const BUNDLE_FILES_MAX = 2048;
/** Messages without a bundle: keys and reports signed in the hybrid profile. */
export const MESSAGE_MAX_BYTES = 65_536;
/** Requests of a Primary that wait at one time: it asks one after the other, and sees to progress. */
export const REQUESTS_MAX = 8;
/** Bytes of an image on their way at one time: enough for the fastest bus, little for a small ECU. */
export const WINDOW_BYTES = 1_048_576;
/** Connections at one time whose handshake is not over: each costs some memory, and one is enough. */
export const STRANGERS_MAX = 16;
/** A handshake needs milliseconds; a stranger who waits holds a connection no longer than this. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A connection must be there within this, or the ECU is not. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Silence after which a request is lost: an ECU may verify and sync half a gigabyte meanwhile. */
export const SILENCE_MAX_MS = 120_000;
/** A message that has begun must go on; who stops in the middle is no honest peer. */
export const PARTIAL_MESSAGE_MAX_MS = 30_000;
/** After this long without traffic the system asks whether the peer still lives. */
export const KEEP_ALIVE_MS = 15_000;
/** New connections for one image without progress, while an ECU starts again; then another time. */
export const TRANSFER_ATTEMPTS_IDLE = 10;
/** The pause before each of them. */
export const RECONNECT_DELAY_MS = 500;
/** Characters of a refusal that a peer sent: it ends in logs and reports. */
export const REFUSAL_MAX_CHARACTERS = 400;
