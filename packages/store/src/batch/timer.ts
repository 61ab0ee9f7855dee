/** A call that will come. */
export interface Scheduled {
  /** Makes it not come. */
  cancel(): void;
}

/** Where delays come from, so that a test can be the one who lets time pass. */
export interface Timer {
  /**
   * Calls once, later.
   *
   * @param delayMs - from now.
   * @param callback - must not throw.
   */
  schedule(delayMs: number, callback: () => void): Scheduled;
}

/** The process's own timer. */
export const systemTimer: Timer = {
  schedule(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return {
      cancel: () => {
        clearTimeout(handle);
      },
    };
  },
};
