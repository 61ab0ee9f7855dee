/** STmin, the pause that a receiver asks for between Consecutive Frames {15765-2:2016 9.6.5.4}. */
import { IsoTpFault } from './isotp-fault.ts';

const MILLISECONDS_MAX = 0x7f;
const HUNDRED_US_FIRST = 0xf1;
const HUNDRED_US_LAST = 0xf9;

/**
 * Writes STmin; a time between two that can be told becomes the longer one.
 *
 * @param separationTimeUs - 0 to 127,000.
 * @throws IsoTpFault PARAMETER for any other.
 */
export function encodeSeparationTime(separationTimeUs: number): number {
  if (!(separationTimeUs >= 0) || separationTimeUs > MILLISECONDS_MAX * 1000) {
    throw new IsoTpFault('PARAMETER', `Cannot ask for a pause: ${separationTimeUs} µs`);
  }
  if (separationTimeUs > 0 && separationTimeUs <= 900) {
    return HUNDRED_US_FIRST - 1 + Math.ceil(separationTimeUs / 100);
  }
  return Math.ceil(separationTimeUs / 1000);
}

/**
 * Reads STmin.
 *
 * @param value - the byte as it came.
 * @returns microseconds; for a reserved value the longest that there is, as the standard wants.
 */
export function decodeSeparationTime(value: number): number {
  if (value <= MILLISECONDS_MAX) return value * 1000;
  if (value >= HUNDRED_US_FIRST && value <= HUNDRED_US_LAST) {
    return (value - HUNDRED_US_FIRST + 1) * 100;
  }
  // {15765-2:2016 9.6.5.5}: what nobody defined may mean anything, so the pause is the longest.
  return MILLISECONDS_MAX * 1000;
}
