/** Counters that outlive everything but the test. */
import type { FreshnessStore } from '../../src/index.ts';

/** A store that tells what was saved, and can fail. */
export class MemoryStore implements FreshnessStore {
  readonly values: Map<string, bigint> = new Map();
  saves = 0;
  isBroken = false;

  load(name: string): bigint | undefined {
    return this.values.get(name);
  }

  save(name: string, value: bigint): void {
    if (this.isBroken) throw new RangeError('the memory is worn out');
    this.saves += 1;
    this.values.set(name, value);
  }
}
