/** Why a secured message, a freshness value or a new key was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. Those that tell of an attack name it. */
export type SecocFaultCode =
  /** A key that is not 128 bits long. */
  | 'KEY_LENGTH'
  /** An identifier, a counter or a flag that its field cannot hold. */
  | 'FIELD_RANGE'
  /** A secured message too short to hold its authenticator, or longer than any of its bus. */
  | 'PDU_LENGTH'
  /** The authenticator is not that of these bytes under this identifier: forgery, or a flipped bit. */
  | 'MAC_MISMATCH'
  /** The authenticator is right for a freshness value that was used before: replay. */
  | 'REPLAY'
  /** Too many authenticators were wrong: somebody guesses. Nothing is verified until the pause ends. */
  | 'THROTTLED'
  /** No synchronisation message was accepted since the start: nothing can be told from a replay. */
  | 'NOT_SYNCHRONISED'
  /** A synchronisation message that does not lead forward: rollback of the freshness. */
  | 'SYNC_NOT_NEWER'
  /** A counter has reached its end; a new trip, or a new key, has to begin. */
  | 'FRESHNESS_EXHAUSTED'
  /** The stored freshness is no number that was ever stored: worn or altered memory. */
  | 'FRESHNESS_CORRUPT'
  /** A key update that does not have the length of one. */
  | 'UPDATE_LENGTH'
  /** M3 is not the authenticator of M1 and M2: whoever made it has not the authorising key. */
  | 'UPDATE_MAC'
  /** The update is for another unit, or for any unit where the slot forbids that. */
  | 'UPDATE_UNIT'
  /** The slot is none, or may not be authorised by the key that is named. */
  | 'UPDATE_SLOT'
  /** The slot is closed for ever. */
  | 'UPDATE_WRITE_PROTECTED'
  /** The counter does not rise: an old key comes back. */
  | 'UPDATE_COUNTER'
  /** M4 and M5 are not those of a unit that has the new key. */
  | 'UPDATE_UNCONFIRMED';

/** Thrown by whatever secures messages or exchanges their keys. */
export class SecocFault extends Fault<SecocFaultCode> {
  override readonly name = 'SecocFault';
}
