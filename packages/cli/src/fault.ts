import { Fault } from '@immota/base';

/** Why the command refused what it was asked. */
export type CliFaultCode =
  /** An argument or option is not of the form it must be. */
  | 'USAGE'
  /** A file that is needed is not there or cannot be read. */
  | 'FILE'
  /** The data folder is not one, or already one. */
  | 'DATA_FOLDER'
  /** The server did not answer, or answered with a refusal of its own. */
  | 'SERVER';

/** Thrown by the command's own checks. */
export class CliFault extends Fault<CliFaultCode> {
  override readonly name = 'CliFault';
}
