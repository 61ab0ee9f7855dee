/** The power of one box: counted steps, and an end at one of them. */

/** What everything throws from the cut on. It is no Fault: nobody handles a power cut. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** One supply of power, from a boot to the next cut. */
export class Power {
  readonly #onCut: (step: string) => void;
  /** Steps until the cut; undefined while none is planned. */
  #left: number | undefined;
  readonly #end = new AbortController();
  /** Steps so far. */
  steps = 0;

  constructor(onCut: (step: string) => void, cutAfterSteps?: number) {
    this.#onCut = onCut;
    this.#left = cutAfterSteps;
  }

  /** Whether it is on. */
  get isOn(): boolean {
    return !this.#end.signal.aborted;
  }

  /** Ends with a PowerCut. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Every durable write, draw, request and transfer passes here. @throws PowerCut. */
  step(name: string): void {
    this.check();
    this.steps += 1;
    if (this.#left === undefined) return;
    this.#left -= 1;
    if (this.#left < 0) {
      this.cut(name);
      this.check();
    }
  }

  /** @throws PowerCut when it is off. */
  check(): void {
    this.#end.signal.throwIfAborted();
  }

  /** Ends it now. */
  cut(step: string): void {
    if (!this.isOn) return;
    this.#end.abort(new PowerCut('the power is off'));
    this.#onCut(step);
  }

  /** Takes a planned cut back. */
  spare(): void {
    this.#left = undefined;
  }
}
