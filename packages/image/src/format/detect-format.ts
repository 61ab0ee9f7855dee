/** Tells what an image file is from how it begins. */
import { isEncryptedImage } from '../encrypt/header.ts';
import { DETECTION_PREFIX_BYTES } from '../limits.ts';
import { isHexDigit } from './record-text.ts';

/** What an image file can be. */
export type ImageFormat = 'raw' | 'intel-hex' | 's-record' | 'encrypted';

const COLON = 0x3a;
const LETTER_S = 0x53;

/** The shortest record file there is: `:00000001FF`. */
const RECORD_TEXT_MIN_BYTES = 10;

/**
 * Tells the format of an image.
 *
 * Records are known by their alphabet and not by their first character: one flipped bit must not
 * turn a broken record file into a raw image that is flashed as text. Machine code has about one
 * byte in ten of that alphabet, prose one in three.
 *
 * @param prefix - how the file begins: all of it, or at least 528 bytes.
 */
export function detectFormat(prefix: Uint8Array): ImageFormat {
  if (isEncryptedImage(prefix)) return 'encrypted';
  const sample = prefix.subarray(0, DETECTION_PREFIX_BYTES);
  let digits = 0;
  let colons = 0;
  let letters = 0;
  for (const character of sample) {
    if (character === COLON) colons += 1;
    else if (character === LETTER_S) letters += 1;
    else if (isHexDigit(character) || character === 0x0a || character === 0x0d) digits += 1;
  }
  const isRecordText =
    sample.length >= RECORD_TEXT_MIN_BYTES &&
    colons + letters > 0 &&
    (digits + colons + letters) * 4 >= sample.length * 3;
  if (!isRecordText) return 'raw';
  return colons >= letters ? 'intel-hex' : 's-record';
}
