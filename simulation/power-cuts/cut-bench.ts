/** One ECU on a bench: its storage as it is, and a power supply that fails where it is told to. */
import type { ResumableSlots, SlotImage, SlotName } from '@immota/vehicle';

/** Where the power goes. */
export interface Cut {
  /** Which write or erase from now on, counted from 1. */
  readonly operation: number;
  /** What it leaves: see `SimulatedFlash`. Storage of another kind takes `seed` alone. */
  readonly kind: 'before' | 'torn' | 'marginal' | 'after';
  readonly seed: number;
}

/** What a new image does when it starts: it is well, fails its self test, or never answers. */
export type Wellness = 'well' | 'sick' | 'hanging';

/** See the head of the file. */
export interface CutBench {
  /** An ECU that may have nothing to run while it is written. */
  readonly isSingle: boolean;
  /** Starts it: opens its slots, not booted yet. */
  start(wellnessOf: (image: SlotImage) => Wellness): Promise<ResumableSlots>;
  /** Plans a cut; takes a planned one back when none is given. */
  failPower(cut: Cut | undefined): void;
  /** Whether a planned cut is still to come. */
  readonly isCutPlanned: boolean;
  /** Gives it power again, and shows it what the cut has left. */
  powerOn(): void;
  /** Another one in the same condition. */
  copy(): CutBench;
  /** Reads what lies in a slot from the storage itself. */
  readSlot(slot: SlotName, lengthBytes: number): Uint8Array;
  /** Whether what nothing may ever change is as it was. */
  isLoaderWhole(): boolean;
}
