/** Images of which a delta is made. */

/** An image that is read at random. */
export interface DeltaSource {
  readonly lengthBytes: number;
  /** Fills `into` with the bytes from `offsetBytes` on; they lie within the image. */
  read(offsetBytes: number, into: Uint8Array): void;
}

/** From what to what. */
export interface DeltaPair {
  readonly base: DeltaSource;
  readonly image: DeltaSource;
}

/** Takes bytes in memory for an image. */
export function deltaSourceOf(bytes: Uint8Array): DeltaSource {
  return {
    lengthBytes: bytes.length,
    read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
  };
}

/** Reads a stretch of an image into memory of its own. */
export function readFrom(source: DeltaSource, at: number, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  source.read(at, bytes);
  return bytes;
}
