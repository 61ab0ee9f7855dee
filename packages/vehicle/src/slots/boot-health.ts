/** How an ECU was after it booted a new image, beside how it was before. */

/** See the head of the file. Trouble codes are of 24 bits, as UDS gives them, in ascending order. */
export interface BootHealth {
  readonly isSelfTestPassed: boolean;
  /** Stored when the update began; undefined when nothing ran then that could tell. */
  readonly troubleCodesBefore: readonly number[] | undefined;
  /** Stored after the new image had started. */
  readonly troubleCodesAfter: readonly number[];
  /** Starts of the image that did not come to an end before this one. */
  readonly resets: number;
}
