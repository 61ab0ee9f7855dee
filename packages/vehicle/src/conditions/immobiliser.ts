/** What keeps a vehicle from driving off. A port; a hold outlives restarts of whoever asked for it. */
export interface Immobiliser {
  /** Fulfils when the vehicle cannot be driven; rejects when that cannot be had. */
  hold(reason: string): Promise<void>;
  release(): Promise<void>;
}
