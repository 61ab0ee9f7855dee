import type { Brand } from '@immota/base';
import { UptaneFault } from '../fault.ts';

/** Holding a MetadataVersion tells you: it is a safe integer, at least 1. */
export type MetadataVersion = Brand<number, 'MetadataVersion'>;

/**
 * Reads a version number {uptane B4}.
 *
 * @param value - whatever the decoded metadata holds under `version`.
 * @throws UptaneFault MALFORMED unless `value` is an integer from 1 to 2^53 - 1.
 */
export function parseMetadataVersion(value: unknown): MetadataVersion {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new UptaneFault('MALFORMED', `Cannot read metadata version: ${String(value)}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as MetadataVersion;
}
