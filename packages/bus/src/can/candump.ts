/** Lines of a log as `candump -L` writes them; tshark and can-utils read it. */
import type { CanFrame } from './frame.ts';

const BIT_RATE_SWITCH = 1;

/**
 * Writes a line, without its end.
 *
 * @param atMs - since whenever the log counts from; it is written to the microsecond.
 * @param bus - the name of the bus, such as `can0`.
 */
export function formatCandumpLine(frame: CanFrame, atMs: number, bus: string): string {
  const { id, isExtended, isFd, isBitRateSwitched, data } = frame;
  const us = Math.round(atMs * 1000);
  const time = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
  const identifier = id
    .toString(16)
    .toUpperCase()
    .padStart(isExtended ? 8 : 3, '0');
  const flags = isBitRateSwitched ? BIT_RATE_SWITCH : 0;
  const separator = isFd ? `##${flags}` : '#';
  return `(${time}) ${bus} ${identifier}${separator}${data.toHex().toUpperCase()}`;
}
