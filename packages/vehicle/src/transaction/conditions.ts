/**
 * Asking whether the vehicle is in a condition for a step: a port. What the conditions are, and how the
 * vehicle is kept from being driven meanwhile, is behind it.
 */

/** The steps that conditions may hold back. */
export type GateStep =
  /** ECUs boot new images; those with one bank are written. */
  | 'activate'
  /** The T-BOX boots: nobody watches for a while. */
  | 'boot-self'
  /** ECUs are brought back to their old images. */
  | 'roll-back';

/** What an update does to the vehicle, as far as conditions depend on it. */
export interface GateScope {
  /** Whether one of its ECUs is written over in its only bank: the stricter conditions hold then. */
  readonly hasOneBank: boolean;
}

/** What the conditions say. */
export interface GateVerdict {
  readonly isGo: boolean;
  /** Why not, in words; empty when it goes. */
  readonly reason: string;
}

/** See the head of the file. */
export interface ConditionsGate {
  /** Asks at the instant before a step. */
  check(step: GateStep, scope: GateScope): Promise<GateVerdict>;
  /**
   * Watches while a step goes on.
   *
   * @param onViolated - called at most once, with the reason; no further ECU is begun then.
   * @returns what ends it.
   */
  watch(step: GateStep, scope: GateScope, onViolated: (reason: string) => void): () => void;
  /**
   * Hears that the vehicle fits together: nothing has been activated that is not decided, and no ECU
   * needs a workshop. Told after each attempt and each restart, so it may hear it many times.
   */
  settle(): Promise<void>;
}

/** Holds nothing back: for a bench, and for vehicles whose conditions are kept elsewhere. */
export const ALWAYS_GO: ConditionsGate = {
  // oxlint-disable-next-line require-await -- the port is asynchronous, this answer is not
  check: async () => ({ isGo: true, reason: '' }),
  watch: () => () => undefined,
  settle: () => Promise.resolve(),
};
