/** Which version is in force for a vehicle, as far as this process knows. */
import type { Clock } from '@immota/base';
import { VERSION_CACHE_ENTRIES } from '../limits.ts';
import { isEnding } from '../trust/lifetimes.ts';
import type { PlannedVehicle } from './plan-vehicles.ts';

/** See the head of the file. It forgets rather than being wrong. */
export class VersionCache {
  readonly #clock: Clock;
  readonly #lifetimeHours: number;
  readonly #versions = new Map<string, PlannedVehicle>();
  /** Work under way that nothing has come in between of yet. */
  readonly #claims = new Map<string, object>();

  constructor(clock: Clock, lifetimeHours: number) {
    this.#clock = clock;
    this.#lifetimeHours = lifetimeHours;
  }

  /** Finds the version in force; undefined when it is not known or ends soon. */
  find(vehicleId: string): PlannedVehicle | undefined {
    const known = this.#versions.get(vehicleId);
    if (known === undefined) return undefined;
    if (!isEnding(known.expires, this.#clock.now(), this.#lifetimeHours)) return known;
    this.#versions.delete(vehicleId);
    return undefined;
  }

  /**
   * Remembers what some work finds, unless the vehicle was to be forgotten while it ran: then it may have
   * read what is no longer in force.
   */
  async resolve(
    vehicleId: string,
    work: () => Promise<PlannedVehicle | undefined>,
  ): Promise<PlannedVehicle | undefined> {
    const claim = {};
    this.#versions.delete(vehicleId);
    this.#claims.set(vehicleId, claim);
    try {
      const found = await work();
      if (found !== undefined && this.#claims.get(vehicleId) === claim) this.#set(vehicleId, found);
      return found;
    } finally {
      if (this.#claims.get(vehicleId) === claim) this.#claims.delete(vehicleId);
    }
  }

  /** Forgets a vehicle: somebody signed for it, or its plan may have changed. */
  forget(vehicleId: string): void {
    this.#versions.delete(vehicleId);
    this.#claims.delete(vehicleId);
  }

  /** Forgets all. */
  forgetAll(): void {
    this.#versions.clear();
    this.#claims.clear();
  }

  /** The one that was remembered longest ago goes when there is no room. */
  #set(vehicleId: string, { version, expires }: PlannedVehicle): void {
    this.#versions.set(vehicleId, { version, expires });
    if (this.#versions.size <= VERSION_CACHE_ENTRIES) return;
    const { value } = this.#versions.keys().next();
    if (value !== undefined) this.#versions.delete(value);
  }
}
