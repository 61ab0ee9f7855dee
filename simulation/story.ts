/** What happened in a run, line by line: the same seed tells the same story. */
import { createHash } from 'node:crypto';
import type { SimulatedTime } from './simulated-time.ts';

/** See the head of the file. */
export class Story {
  readonly #time: SimulatedTime;
  readonly #hash = createHash('sha256');
  readonly #hear: ((line: string) => void) | undefined;
  readonly counts = new Map<string, number>();
  readonly failures: Failure[] = [];

  constructor(time: SimulatedTime, hear?: (line: string) => void) {
    this.#time = time;
    this.#hear = hear;
  }

  /** Tells of something that happened; `kind` is counted. */
  tell(kind: string, detail = ''): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const line =
      `${(this.#time.nowMs / 1000).toFixed(3).padStart(10)} s  ${kind} ${detail}`.trimEnd();
    this.#hash.update(`${line}\n`);
    this.#hear?.(line);
  }

  /** Tells of what must not happen. */
  fail(kind: Failure['kind'], detail: string): void {
    // What is looked at again and again is told once.
    if (this.failures.some((one) => one.kind === kind && one.detail === detail)) return;
    this.failures.push({ kind, detail });
    this.tell(`FAILED ${kind}`, detail);
  }

  /** A digest of all that was told; ends the story. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}

/** A broken invariant. */
export interface Failure {
  readonly kind: 'unverified' | 'lost' | 'unconverged' | 'broken';
  readonly detail: string;
}
