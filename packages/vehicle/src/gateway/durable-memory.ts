/** What the pure parts must not forget, in the state of the ECU: counters, and approvals that were used. */
import type { FreshnessStore } from '@immota/bus';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import type { VehicleState } from '../state/vehicle-state.ts';

/** Approvals that are remembered: a workshop gives one an update. */
const APPROVALS_MAX = 512;
/** 64 bits have twenty digits at most. */
const counter = z.string().regex(/^(?:0|[1-9][0-9]{0,19})$/u);
const APPROVALS = jsonValue('used-approvals', z.array(z.string()));

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

/**
 * Remembers which approvals of technicians were used.
 *
 * @returns `useOnce` of an `ApprovalContext`. When more are remembered than it holds, all further ones
 * are refused: forgetting the oldest would make it good again.
 */
export function approvalMemoryOf(state: VehicleState): (id: string) => boolean {
  return (id) =>
    state.transaction(() => {
      const used = state.values.load(APPROVALS) ?? [];
      if (used.includes(id) || used.length >= APPROVALS_MAX) return false;
      state.values.save(APPROVALS, [...used, id]);
      return true;
    });
}
