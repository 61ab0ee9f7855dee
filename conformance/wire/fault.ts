import { Fault } from '@immota/base';

/** Why a recorded request is not as it must be. */
export type WireFaultCode =
  /** There is no log. */
  | 'NOT_FOUND'
  /** Not the shape of a recorded request, or of a registration. */
  | 'MALFORMED'
  /** A manifest of a vehicle that no registration came before. */
  | 'UNREGISTERED'
  /** A signature that names its key by another rule than the vehicles' client does. */
  | 'KEY_NAME';

/** Thrown by the reader of recorded requests. */
export class WireFault extends Fault<WireFaultCode> {
  override readonly name = 'WireFault';
}
