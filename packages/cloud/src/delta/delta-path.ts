/**
 * The names of deltas: that of the image as it is served, the image they start from, and, for a bank that is
 * rewritten in place, its page as a power of two: `<image>.delta-from-<SHA-256>.pages-11`.
 */

/** A delta that is asked for. */
export interface WantedDelta {
  /** Of the image as it is served, with a hash in its name or without; percent-encoded, from outside. */
  readonly path: string;
  /** Of the base, in the clear. */
  readonly baseSha256: string;
  /** Of the bank that it rewrites; 0 for one into another slot. */
  readonly pageBytes: number;
}

const DELTA_PATH =
  /^(?<path>.+)\.delta-from-(?<base>[0-9a-f]{64})(?:\.pages-(?<pages>[89]|1[0-8]))?$/s;

/** Parses the path of a delta; undefined when it is none, or for pages that no bank has. */
export function parseDeltaPath(path: string): WantedDelta | undefined {
  const { path: image, base, pages } = DELTA_PATH.exec(path)?.groups ?? {};
  if (image === undefined || base === undefined) return undefined;
  const pageBytes = pages === undefined ? 0 : 2 ** Number(pages);
  return { path: image, baseSha256: base, pageBytes };
}
