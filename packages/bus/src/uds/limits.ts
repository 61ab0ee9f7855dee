/** What diagnostics may cost, each figure with its reason. Times of {14229-2:2021} in milliseconds. */

/** Within this a server answers, or says that it needs longer. */
export const P2_SERVER_MS = 50;
/** Within this after saying so it answers, or says it again. */
export const P2_STAR_SERVER_MS = 5000;
/** When the first such word is sent: early enough to arrive in time. */
export const FIRST_PENDING_MS = 40;
/** Between further ones: not below 0.3 of P2*, well within P2*. */
export const NEXT_PENDING_MS = 2500;
/** How long a server works at one request: the slowest erase of a big flash, twice. */
export const WORK_MAX_MS = 600_000;
/** A session ends after this long without a request. */
export const S3_SERVER_MS = 5000;
/** A client shows within this that it is still there: twice before the server's time is over. */
export const S3_CLIENT_MS = 2000;
/** A client waits so long for the first sign: P2 and the way there and back over a gateway. */
export const P2_CLIENT_MS = 150;
/** And so long for each further one. */
export const P2_STAR_CLIENT_MS = 5500;
/** Words "not yet" to one request: an ECU that sends them as fast as it may for `WORK_MAX_MS`. */
export const PENDINGS_MAX = 500;
/** The longest that a client waits for one answer, whatever comes in between. */
export const ANSWER_MAX_MS = 660_000;
/** After "busy, repeat" a client waits so long before it does … */
export const BUSY_PAUSE_MS = 100;
/** … and does it so often. */
export const BUSY_REPEATS_MAX = 50;
/** Sendings of one block whose answer is lost. */
export const BLOCK_ATTEMPTS_MAX = 4;
/** Wrong keys before the delay begins {14229-1:2020 10.4}. */
export const KEY_ATTEMPTS_MAX = 3;
/** The delay: a guess every ten seconds finds no key. */
export const KEY_DELAY_MS = 10_000;
/** The delay after each start, so that a restart gains nothing. */
export const KEY_BOOT_DELAY_MS = 1000;
/** Identifiers in one request to read: as many as a workshop tester asks, few enough to gather in P2. */
export const DATA_IDENTIFIERS_MAX = 32;
/** A certificate with a hybrid key and signature is below 8 KiB. */
export const CERTIFICATE_MAX_BYTES = 16_384;
/** Challenges and ephemeral keys; the largest key is ML-KEM-1024's. */
export const CHALLENGE_MAX_BYTES = 2048;
/** A signature: ML-DSA-87 with a classical one. */
export const PROOF_MAX_BYTES = 8192;
/** A challenge shorter than this could be collected in advance. */
export const CHALLENGE_MIN_BYTES = 16;
/** A path of a file in an ECU. */
export const PATH_MAX_BYTES = 512;
/** A file or an image: beyond the largest flash of an ECU, and a safe integer in any unit. */
export const FILE_MAX_BYTES = 2 ** 40;
/** Bytes of a request that carry no data: the service and the block counter. */
export const BLOCK_HEAD_BYTES = 2;
/** Blocks of memory that a server knows: a table, not a heap. */
export const MEMORY_BLOCKS_MAX = 64;
