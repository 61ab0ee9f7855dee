/** Why flash refused or failed. */
import { Fault } from '@immota/base';

/** What the refusal was about. The first four are mistakes of the code that drives the flash. */
export type FlashFaultCode =
  /** An address behind the end. */
  | 'OUT_OF_RANGE'
  /** A write that does not begin and end at a write unit. */
  | 'MISALIGNED'
  /** A write to a unit that was written, or half erased, since it was last erased. */
  | 'NOT_ERASED'
  /** A write or an erase where the boot loader lies, which nothing may change. */
  | 'PROTECTED'
  /** The flash says that it could not program. */
  | 'WRITE_FAILED'
  /** The flash says that it could not erase. */
  | 'ERASE_FAILED'
  /** What was written reads otherwise. */
  | 'READ_BACK'
  /** Neither of the places for a record can be written any more: the ECU takes no more updates. */
  | 'WORN_OUT'
  /** An image, its name or a record is larger than the place for it. */
  | 'NO_ROOM'
  /** A plan of the flash that overlaps, or leaves too little. */
  | 'LAYOUT'
  /** The file behind a simulated flash is not one of this part. */
  | 'FILE_MALFORMED';

/** Thrown by flash, and by what is built on it. */
export class FlashFault extends Fault<FlashFaultCode> {
  override readonly name = 'FlashFault';
}
