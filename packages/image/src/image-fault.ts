/** Why an image, an encrypted image or a wrapped key was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about; each code names the attack or accident it stops. */
export type ImageFaultCode =
  /** A line longer than any record: exhaustion by a file without line ends. */
  | 'LINE_LENGTH'
  /**
   * A record that is none: wrong mark, no hexadecimal digit, unknown type, wrong length for its
   * type, other address width than the file's: parser differentials.
   */
  | 'RECORD_MALFORMED'
  /** A record whose checksum does not fit: bytes changed at rest or on the way. */
  | 'RECORD_CHECKSUM'
  /** A record after the end, a second entry point or a late header: two files spliced into one. */
  | 'RECORD_ORDER'
  /** More or fewer data records than the file says itself: records removed or slipped in. */
  | 'RECORD_COUNT'
  /** The end is missing: a cut that would flash half an image. */
  | 'TRUNCATED'
  /** Two records claim one address: bytes a reviewer saw are replaced by later ones. */
  | 'OVERLAP'
  /** An address that wraps around or lies outside the address space: a write where nobody looked. */
  | 'ADDRESS_RANGE'
  /** More segments or bytes than an image may have: exhaustion. */
  | 'LAYOUT_LIMIT'
  /** No byte at all: an ECU erased and never written. */
  | 'LAYOUT_EMPTY'
  /** Not the header of an encrypted image, or of a version or chunk size we do not read: downgrade, confusion of formats. */
  | 'HEADER_MALFORMED'
  /** A header that the content key does not vouch for: it was changed, or belongs to another image. */
  | 'HEADER_AUTHENTICATION'
  /** A chunk that was flipped, moved, repeated, left out or taken from another image: arbitrary software. */
  | 'CHUNK_AUTHENTICATION'
  /** Bytes after the last chunk: something appended. */
  | 'TRAILING_DATA'
  /** More bytes than were announced: endless data. */
  | 'LENGTH_LIMIT'
  /** A key that cannot be one: wrong length, unknown profile, a point of small order. */
  | 'KEY_MALFORMED'
  /** An ECU identifier, hardware identifier or image hash that cannot be bound to a key. */
  | 'CONTEXT_MALFORMED'
  /** A wrapped key that is none: wrong length or unknown version. */
  | 'WRAP_MALFORMED'
  /** A key wrapped under another profile than the ECU's own: downgrade from `hybrid` to `classic`. */
  | 'WRAP_PROFILE'
  /** A key wrapped for another ECU, hardware or image, or changed: mix-and-match of keys. */
  | 'WRAP_AUTHENTICATION'
  /** Not the header of a delta, of a version we do not read, or with sizes that no image has: confusion of formats. */
  | 'DELTA_HEADER'
  /** A delta from another image than the one that is installed, or to another than the one that is signed. */
  | 'DELTA_MISMATCH'
  /** A section of a delta that was flipped, moved, repeated, left out or taken from another delta. */
  | 'DELTA_SECTION'
  /** A section that would take more memory than any of ours does: exhaustion. */
  | 'DELTA_LIMIT'
  /** A command that reads outside the base, writes outside the image, reads what is overwritten already, or does nothing. */
  | 'DELTA_COMMAND'
  /** The image that a delta gave has not the signed hash: arbitrary software. */
  | 'DELTA_RESULT';

/** Thrown by everything in this package that reads bytes from outside. */
export class ImageFault extends Fault<ImageFaultCode> {
  override readonly name = 'ImageFault';
}
