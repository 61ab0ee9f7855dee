/**
 * Slots that keep what an interrupted transfer has brought, and that tell how they booted. What flash
 * of other kinds has to offer to be driven by the same code.
 */
import type { DeltaBank, DeltaBase, RewritePosition } from '@immota/image';
import type { ImageSlots, SlotImage, SlotWriter } from './image-slots.ts';
import type { BootOutcome, SlotName } from './boot-record.ts';

/** A writer that can stop and go on another day. */
export interface ResumableWriter extends SlotWriter {
  /** Makes what was written durable and lets go; `findReceived` tells how much it was. */
  pause(): Promise<void>;
}

/** How the slots are, for a report. */
export interface SlotCondition {
  readonly running: SlotName | undefined;
  /** No image below this is accepted. */
  readonly releaseFloor: number;
  readonly outcome: BootOutcome | undefined;
  /** True while what runs was found healthy and is not final. */
  readonly isTrial: boolean;
  /**
   * Whether `revert` brings back what ran before. False with one bank: there an image is written over
   * the one that runs, what was final last may be written again even during a trial, and is final as
   * soon as it boots.
   */
  readonly canRevert: boolean;
  /**
   * The page of deltas that rewrite the one bank in place, in bytes; left out where none may. A delta of
   * pages of another length is refused.
   */
  readonly deltaPageBytes?: number | undefined;
}

/** The bytes of what runs, read at random: what a delta starts from. */
export interface RunningBytes extends DeltaBase {
  close(): Promise<void>;
}

/** A bank that is rewritten by a delta from what is in it. */
export interface InPlaceWriter extends DeltaBank {
  /** Where an interrupted one goes on; undefined for one that begins. */
  readonly resume: RewritePosition | undefined;
  /** To be told after each page: durable when it fulfils. */
  written(position: RewritePosition): Promise<void>;
  /** Makes the image bootable. @throws UptaneFault IMAGE_HASH, IMAGE_LENGTH. */
  finish(): Promise<void>;
  /** Gives up what was changed; as long as nothing was, what ran goes on running. */
  discard(): Promise<void>;
}

/** See the head of the file. */
export interface ResumableSlots extends ImageSlots {
  condition(): SlotCondition;
  /**
   * Opens what runs, to be read while the other slot is written; undefined when nothing does. Left out
   * where it cannot be read: then the ECU takes full images alone.
   */
  openRunning?(): Promise<RunningBytes | undefined>;
  /**
   * Begins to rewrite the one bank, or goes on; undefined when nothing final is in it to begin with. Nothing
   * changes before the first page that differs.
   *
   * @throws UptaneFault RELEASE_COUNTER; VehicleFault ON_TRIAL; FlashFault NO_ROOM.
   */
  rewrite?(image: SlotImage): Promise<InPlaceWriter | undefined>;
  /** Finds the image that was final last, when something else runs on trial or nothing whole runs. */
  findFallback(): SlotImage | undefined;
  /**
   * Begins anew, as the port says.
   *
   * @throws UptaneFault RELEASE_COUNTER when the image is too old; VehicleFault ON_TRIAL when it would
   * overwrite what the trial may have to go back to.
   */
  write(image: SlotImage): Promise<ResumableWriter>;
  /** Tells how many bytes of an image are there from an interrupted transfer; 0 when none are. */
  findReceived(image: SlotImage): number;
  /** Reads what was received, up to a length, to hash it again. */
  readReceived(lengthBytes: number): AsyncIterable<Uint8Array>;
  /** Goes on writing at a position that is not behind what was received. */
  resume(image: SlotImage, fromBytes: number): Promise<ResumableWriter>;
  /** Gives up what waits in the other slot, or is on its way there. */
  discardOther(): Promise<void>;
}
