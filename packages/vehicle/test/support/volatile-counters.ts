/** Counters that last as long as the test. */
import type { FreshnessStore } from '@immota/bus';

/** Makes a store of its own. */
export function volatileCounters(): FreshnessStore {
  const values = new Map<string, bigint>();
  return {
    load: (name) => values.get(name),
    save: (name, value) => {
      values.set(name, value);
    },
  };
}
