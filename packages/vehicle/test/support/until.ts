/** Waiting for what comes over a real socket, without a sleep. */

/** What a listener has heard so far, and the promise of the next. */
export interface Heard<Value> {
  readonly values: readonly Value[];
  /** Fulfils when so many have been heard in all. */
  count(least: number): Promise<readonly Value[]>;
  readonly hear: (value: Value) => void;
}

/** Begins to collect. */
export function collect<Value>(): Heard<Value> {
  const values: Value[] = [];
  const waiting: { readonly least: number; readonly resolve: () => void }[] = [];
  return {
    values,
    hear: (value) => {
      values.push(value);
      for (const { least, resolve } of waiting) if (values.length >= least) resolve();
    },
    count: async (least) => {
      if (values.length >= least) return values;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ least, resolve });
      await promise;
      return values;
    },
  };
}
