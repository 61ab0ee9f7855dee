/** Cuts a stream into pieces of one size, without copying where a piece comes whole. */

/** Cuts what is pushed; the last piece waits for `finish`, because only then is it the last. */
export interface Gatherer {
  /** Gives each piece that is certainly not the last; a piece is valid during the call only. */
  push(bytes: Uint8Array, take: (piece: Uint8Array) => void): void;
  /** The last piece: 0 to `sizeBytes` bytes. */
  rest(): Uint8Array;
}

/**
 * Begins to cut.
 *
 * @param sizeBytes - how long each piece but the last is.
 */
export function createGatherer(sizeBytes: number): Gatherer {
  const held = new Uint8Array(sizeBytes);
  let heldBytes = 0;
  return {
    push(bytes, take): void {
      let rest = bytes;
      while (heldBytes + rest.length > sizeBytes) {
        if (heldBytes === 0) {
          take(rest.subarray(0, sizeBytes));
          rest = rest.subarray(sizeBytes);
        } else {
          const missing = sizeBytes - heldBytes;
          held.set(rest.subarray(0, missing), heldBytes);
          rest = rest.subarray(missing);
          heldBytes = 0;
          take(held);
        }
      }
      held.set(rest, heldBytes);
      heldBytes += rest.length;
    },
    rest: () => held.subarray(0, heldBytes),
  };
}
