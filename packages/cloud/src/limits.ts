/** Every bound of the cloud's own, with its reason. The gateway's bodies are bounded in `@immota/api`. */

/** Events read at once while a chain is checked: some hundred kilobytes. */
export const EVENT_PAGE_ROWS = 1000;
/** A checkpoint with hybrid signatures. */
export const CHECKPOINT_MAX_BYTES = 16_384;
/** ECU keys kept ready to verify with, in a process: some 30 MB. */
export const KEY_CACHE_ENTRIES = 32_768;
/** What an ECU may say of its health in a report; more is not kept. */
export const HEALTH_MAX_CHARACTERS = 4096;
/** What is kept of an ECU's words on attacks. */
export const ATTACKS_MAX_CHARACTERS = 2048;
/** A signed encryption key: X-Wing's 1216 bytes in base64 and hybrid signatures. */
export const ECU_KEY_MAX_BYTES = 32_768;
/** Certificates are good from this long ago: a device's clock may be behind. */
export const BACKDATING_SECONDS = 300;
/** Texts of installation reports: several times what the vehicles' clients write. */
export const REPORT_TEXT_MAX_CHARACTERS = 1024;
/** Fetches of an offer without a word after which it is withdrawn: one could be a power cut, or two. */
export const SILENT_REFUSALS_MAX = 3;
/** Images kept in mind by the Director: names, hashes and content keys, some 10 MB. */
export const CATALOGUE_CACHE_ENTRIES = 20_000;
/** Director Targets as the vehicles' client reads them. */
export const AKTUALIZR_TARGETS_MAX_BYTES = 65_536;
/** Items in one transaction of the hot paths: past this the gain is small and the wait grows. */
export const BATCH_ITEMS = 500;
/** Items waiting on a hot path of a process: ten seconds of work; more is refused at once. */
export const BATCH_PENDING_MAX = 20_000;
/** Times that a manifest is held against a state that changes under it. */
export const MANIFEST_ATTEMPTS_MAX = 5;
/** Vehicles of which a process remembers that their plan is blocked, so that it is told once. */
export const BLOCKED_CACHE_ENTRIES = 100_000;
/** Vehicles of which a process remembers the version in force: some 50 MB. */
export const VERSION_CACHE_ENTRIES = 250_000;
/** Old metadata files kept in memory. */
export const METADATA_CACHE_BYTES = 33_554_432;
/** An image in the clear: its encrypted form must stay below 64 GiB. */
export const IMAGE_MAX_BYTES = 60 * 1_073_741_824;
/** Images read at once while a tree is written. */
export const TREE_PAGE_ROWS = 500;
/**
 * How long the first manifest of a batch waits for others. A vehicle does not notice; a commit costs
 * the same for one as for five hundred.
 */
export const GATHER_MS = 10;
/** A release for many vehicles with many installed versions: pairs that wait while one is made. */
export const DELTA_PENDING_MAX = 64;
/** What all deltas together may take on disk; the least recently used go first. */
export const DELTA_STORE_BYTES: number = 16 * 1_073_741_824;
/** A delta of longer images would take hours, and twice their length beside it. */
export const DELTA_MAKE_MAX_BYTES: number = 4 * 1_073_741_824;
/** Flash of the largest microcontrollers, doubled: a delta that rewrites a bank is made in memory. */
export const DELTA_IN_PLACE_MAX_BYTES: number = 64 * 1_048_576;
/** Making one takes minutes; what takes longer is given up. */
export const DELTA_MAKE_MS: number = 2 * 3_600_000;
/** A delta that is longer than this part of the full image is not worth the vehicle's work. */
export const DELTA_WORTH_PART = 0.5;
/** How exactly the last use of a delta is remembered. */
export const DELTA_USE_SECONDS = 3600;
