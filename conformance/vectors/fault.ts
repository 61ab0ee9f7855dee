import { Fault } from '@immota/base';

/** Why a folder of vectors could not be run at all. */
export type VectorsFaultCode =
  /** The folder, or `expected.json` in it, is not there. */
  | 'NOT_FOUND'
  /** `expected.json` is not of the form that the runner knows. */
  | 'MALFORMED'
  /** No vector has the name that was asked for. */
  | 'UNKNOWN_VECTOR';

/** Thrown before any vector is run. */
export class VectorsFault extends Fault<VectorsFaultCode> {
  override readonly name = 'VectorsFault';
}
