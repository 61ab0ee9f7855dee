/** Every bound of the cloud's own, with its reason. The gateway's bodies are bounded in `@immota/api`. */

/** Events read at once while a chain is checked: some hundred kilobytes. */
export const EVENT_PAGE_ROWS = 1000;
/** A checkpoint with hybrid signatures. */
export const CHECKPOINT_MAX_BYTES = 16_384;
