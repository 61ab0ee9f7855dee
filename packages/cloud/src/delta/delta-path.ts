/** The names of deltas: that of the image as it is served, and the image they start from. */

/** A delta that is asked for. */
export interface WantedDelta {
  /** Of the image as it is served, with a hash in its name or without; percent-encoded, from outside. */
  readonly path: string;
  /** Of the base, in the clear. */
  readonly baseSha256: string;
}

const DELTA_PATH = /^(?<path>.+)\.delta-from-(?<base>[0-9a-f]{64})$/s;

/** Parses the path of a delta; undefined when it is none. */
export function parseDeltaPath(path: string): WantedDelta | undefined {
  const { path: image, base } = DELTA_PATH.exec(path)?.groups ?? {};
  return image === undefined || base === undefined ? undefined : { path: image, baseSha256: base };
}
