/** What the slots of a microcontroller are made of, and what they tell. */
import type { HardwareIdentifier } from '@immota/uptane';
import type { Flash } from '../flash/flash.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import type { ResumableSlots, SlotCondition } from '../slots/resumable-slots.ts';
import type { Bank } from './bank.ts';
import type { BankOutcome } from './bank-record.ts';
import type { PagePlan } from './page-plan.ts';
import type { RecordStore } from './record-log.ts';
import type { SelfTest, Watchdog } from './self-test.ts';

/** How a microcontroller is, for a report. */
export interface BankCondition extends SlotCondition {
  readonly outcome: BankOutcome | undefined;
  /** `loader`: nothing runs but the boot loader, which waits for an image. */
  readonly mode: 'loader' | 'trial' | 'final';
}

/** The slots of a microcontroller. */
export interface BankSlots extends ResumableSlots {
  condition(): BankCondition;
}

/** What the slots work with. */
export interface BankSlotsSetup {
  readonly flash: Flash;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly records: RecordStore;
  readonly banks: readonly Bank[];
  /** Where the one bank may be rewritten in place. */
  readonly pages: PagePlan | undefined;
  readonly selfTest: SelfTest | undefined;
  readonly watchdog: Watchdog | undefined;
  readonly blockBytes: number;
  readonly progressBytes: number;
  /** Checks that records about an image fit. @throws FlashFault NO_ROOM. */
  readonly checkRecordRoom: (image: SlotImage) => void;
}
