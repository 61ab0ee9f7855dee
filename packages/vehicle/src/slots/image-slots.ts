/**
 * Where an ECU keeps its images: two slots, of which one runs and the other is written. A port, so
 * that flash, a file system or a simulated flash can be behind it. Primary and Secondaries use it
 * alike.
 */
import type { Measurement, TargetName } from '@immota/uptane';

/** What a slot holds. */
export interface SlotImage extends Measurement {
  readonly name: TargetName;
  /** From verified metadata; 0 when there was none. */
  readonly releaseCounter: number;
}

/** An image being written into the slot that does not run. */
export interface SlotWriter {
  /** Writes the next bytes; the caller may reuse them afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that the image is whole and was verified: durable before it fulfils. */
  finish(): Promise<void>;
  /** Gives the slot up: it holds nothing then. */
  discard(): Promise<void>;
}

/** The slots of one ECU. */
export interface ImageSlots {
  /** Finds what the ECU runs; undefined when it was never programmed. */
  findRunning(): SlotImage | undefined;
  /** Finds what waits, whole and verified, in the other slot. */
  findPrepared(): SlotImage | undefined;
  /** Begins to write the other slot. What it held is lost at once; the running one is not touched. */
  write(image: SlotImage): Promise<SlotWriter>;
  /**
   * Makes the prepared image the one that the next boot tries.
   *
   * @throws VehicleFault SLOT_EMPTY when nothing is prepared.
   */
  activate(): Promise<void>;
  /**
   * Boots: what was activated runs from now on, if it is healthy, as a trial that `confirm` makes final
   * and `revert` takes back. Called once, when the ECU starts. A trial stays one through any number of
   * boots; it ends by itself only when its bytes or its health fail.
   *
   * @returns what runs.
   */
  boot(): Promise<SlotImage | undefined>;
  /**
   * Makes the trial final, durably, and raises the release floor to it {uptane K7}. What is final
   * already stays so.
   *
   * @throws VehicleFault NOT_ON_TRIAL when nothing runs, or the trial is being taken back.
   */
  confirm(): Promise<void>;
  /**
   * Makes the next boot go back to what ran before the trial, durably.
   *
   * @throws VehicleFault NOT_ON_TRIAL when no trial runs; CANNOT_REVERT when there is one bank alone:
   * the older image has to be written again.
   */
  revert(): Promise<void>;
}
