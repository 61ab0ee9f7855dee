/** What the pure parts must not forget, in the state of the ECU: counters. */
import type { FreshnessStore } from '@immota/bus';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import type { VehicleState } from '../state/vehicle-state.ts';

/** 64 bits have twenty digits at most. */
const counter = z.string().regex(/^(?:0|[1-9][0-9]{0,19})$/u);

/**
 * Keeps counters of secured communication; each is durable when `save` returns.
 *
 * @param state - of the ECU whose counters they are.
 */
export function freshnessStoreOf(state: VehicleState): FreshnessStore {
  return {
    load: (name) => {
      const value = state.values.load(jsonValue(`freshness/${name}`, counter));
      return value === undefined ? undefined : BigInt(value);
    },
    save: (name, value) => {
      state.values.save(jsonValue(`freshness/${name}`, counter), value.toString());
    },
  };
}
