import { UptaneFault } from '../fault.ts';

/** The hash functions that metadata may name; others are kept out, not skipped over silently. */
export const HASH_FUNCTIONS = ['sha256', 'sha512'] as const;
/** One of the two. */
export type HashFunction = (typeof HASH_FUNCTIONS)[number];

/** Digests by function, in lower-case hex. It holds at least one. */
export type Hashes = ReadonlyMap<HashFunction, string>;

/** Length and digests of some bytes: what metadata promises, or what a reader measured. */
export interface Measurement {
  readonly lengthBytes: number;
  readonly hashes: Hashes;
}

const DIGEST_LENGTHS: Readonly<Record<HashFunction, number>> = { sha256: 64, sha512: 128 };

/**
 * Reads a digest in hex.
 *
 * @throws UptaneFault MALFORMED when it has not the function's length or is not hexadecimal.
 */
export function parseDigest(hashFunction: HashFunction, value: unknown): string {
  const length = DIGEST_LENGTHS[hashFunction];
  if (typeof value !== 'string' || value.length !== length || !/^[0-9a-fA-F]*$/.test(value)) {
    throw new UptaneFault('MALFORMED', `Cannot read ${hashFunction} digest: not hexadecimal`);
  }
  return value.toLowerCase();
}

/**
 * Checks that measured bytes are the ones that verified metadata names {uptane I5} {uptane K7}:
 * the length, and every listed hash, not just the first.
 *
 * @param expected - from verified metadata.
 * @param measured - of the bytes at hand, with at least the functions that `expected` lists.
 * @throws UptaneFault IMAGE_LENGTH or IMAGE_HASH when they differ or a listed hash was not measured.
 */
export function checkMeasurement(expected: Measurement, measured: Measurement): void {
  if (measured.lengthBytes !== expected.lengthBytes) {
    throw new UptaneFault(
      'IMAGE_LENGTH',
      `Cannot accept image: ${measured.lengthBytes} bytes instead of ${expected.lengthBytes}`,
    );
  }
  for (const [hashFunction, digest] of expected.hashes) {
    if (measured.hashes.get(hashFunction) !== digest) {
      throw new UptaneFault('IMAGE_HASH', `Cannot accept image: its ${hashFunction} differs`);
    }
  }
}

/** Tells whether two lists of hashes agree on every function both have, and share at least one. */
export function hashesAgree(left: Hashes, right: Hashes): boolean {
  let shared = 0;
  for (const [hashFunction, digest] of left) {
    const other = right.get(hashFunction);
    if (other === undefined) continue;
    if (other !== digest) return false;
    shared += 1;
  }
  return shared > 0;
}
