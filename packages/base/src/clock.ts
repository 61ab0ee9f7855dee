/** Where the present comes from. Only a composition root or a test makes one. */
export interface Clock {
  /** Reads the present instant. */
  now(): Temporal.Instant;
}

/** Where chance comes from. Only a composition root or a test makes one. */
export interface Entropy {
  /** Draws `lengthBytes` unpredictable bytes. */
  bytes(lengthBytes: number): Uint8Array;
}
