import { Fault } from '@immota/base';

/** Why the TUF client's shell gave up. What the trust core refuses is an UptaneFault. */
export type ClientFaultCode =
  /** The command line is not of the form that the client protocol demands. */
  | 'USAGE'
  /** There is no Root to start from: `init` was never run. */
  | 'NOT_INITIALISED'
  /** A file could not be read or written. */
  | 'FILE'
  /** The repository could not be reached, broke off, or answered with an error. */
  | 'TRANSPORT'
  /** The repository sent too slowly: slow retrieval. */
  | 'TOO_SLOW'
  /** No role that covers the target's name lists it. */
  | 'TARGET_UNKNOWN';

/** Thrown by the TUF client's shell. */
export class ClientFault extends Fault<ClientFaultCode> {
  override readonly name = 'ClientFault';
}
