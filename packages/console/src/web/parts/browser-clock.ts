/** The browser's clock, read in one place. */

/** Milliseconds since 1970, by this browser's clock: for how long ago something was, and nothing else. */
export function nowMs(): number {
  return Date.now();
}
