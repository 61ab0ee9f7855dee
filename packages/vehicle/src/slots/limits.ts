/** What slots may cost, each figure with its reason. */

/**
 * Bytes that are gathered before they are written. Large writes cost fewest calls; two such buffers,
 * one filling and one being written, are all that a slot holds in memory.
 */
export const WRITE_LENGTH_BYTES = 1_048_576;
/** Bytes after which an image on its way is made durable: a power cut loses less than this. */
export const CHECKPOINT_BYTES: number = 32 * 1024 * 1024;
/** How long a boot record is: two images with names of 1024 characters fit; whole flash pages. */
export const BOOT_RECORD_LENGTH_BYTES = 16_384;
/**
 * How often an image on trial is started. A power cut during a trial is not the image's fault, but an
 * image that never comes up must not be tried for ever.
 */
export const TRIAL_BOOTS_MAX = 3;
/**
 * The same for an image that was healthy once on this trial and has said so: the vehicle may have been
 * promised that it stays, so more power cuts in a row than a person would cause must not take it back.
 */
export const KNOWN_TRIAL_BOOTS_MAX = 10;
