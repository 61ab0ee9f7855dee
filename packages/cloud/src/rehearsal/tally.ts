/** Adds groups of vehicles up to what a rehearsal tells. */
import { type ReasonCode, REASONS } from '@immota/api';
import type { Transfer } from './images.ts';
import type { VehicleGroup } from './page.ts';
import { SAMPLE_VEHICLES } from './page.ts';
import type { GroupPlan } from './plan-group.ts';

/** Variants told one by one, the largest first. */
const VARIANTS_MAX = 200;
/** Groups and strata of one rehearsal: a fleet with more is not much alike, and would not fit in memory. */
export const STRATA_MAX = 200_000;

interface Variant {
  readonly model: string;
  readonly market: string;
  readonly source: string;
  vehicles: number;
  plannable: number;
  steps: number;
  fullBytes: number;
  deltaBytes: number;
}

interface Blocked {
  vehicles: number;
  readonly sample: string[];
}

/** See the head of the file. */
export class Tally {
  matched = 0;
  plannable = 0;
  alreadyThere = 0;
  belowFloor = 0;
  readonly bytes = { full: 0, delta: 0, estimated: 0 };
  /** Vehicles by the number of their steps. */
  readonly steps = new Map<number, number>();
  readonly conflicts = new Map<string, number>();
  endedCertificates = 0;
  endingCertificates = 0;
  readonly #variants = new Map<string, Variant>();
  readonly #blocked = new Map<ReasonCode, Blocked>();

  add(group: VehicleGroup, plan: GroupPlan): void {
    const { vehicles, model, market } = group;
    const { outcome, source } = plan;
    this.matched += vehicles;
    const key = JSON.stringify([model, market, source]);
    const variant = this.#variants.get(key) ?? {
      model,
      market,
      source,
      vehicles: 0,
      plannable: 0,
      steps: 0,
      fullBytes: 0,
      deltaBytes: 0,
    };
    this.#variants.set(key, variant);
    variant.vehicles += vehicles;
    if (plan.isBelowFloor) this.belowFloor += vehicles;
    if (outcome.kind === 'done') this.alreadyThere += vehicles;
    if (outcome.kind === 'blocked') this.#block(outcome.reason, group);
    if (outcome.kind !== 'plannable') return;
    this.plannable += vehicles;
    variant.plannable += vehicles;
    variant.steps = Math.max(variant.steps, outcome.steps);
    this.steps.set(outcome.steps, (this.steps.get(outcome.steps) ?? 0) + vehicles);
    this.#weigh(variant, outcome.bytes, vehicles);
  }

  #weigh(variant: Variant, { full, delta, estimated }: Transfer, vehicles: number): void {
    this.bytes.full += full * vehicles;
    this.bytes.delta += delta * vehicles;
    this.bytes.estimated += estimated * vehicles;
    variant.fullBytes += full * vehicles;
    variant.deltaBytes += delta * vehicles;
  }

  #block(reason: ReasonCode, { vehicles, sample }: VehicleGroup): void {
    const blocked = this.#blocked.get(reason) ?? { vehicles: 0, sample: [] };
    this.#blocked.set(reason, blocked);
    blocked.vehicles += vehicles;
    blocked.sample.push(...sample.slice(0, SAMPLE_VEHICLES - blocked.sample.length));
  }

  /** Vehicles of each stratum, in the order in which waves take them. */
  strata(): readonly number[] {
    return [...this.#variants]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { vehicles }]) => vehicles);
  }

  variants(): readonly Readonly<Variant>[] {
    return [...this.#variants.values()]
      .toSorted((a, b) => b.vehicles - a.vehicles)
      .slice(0, VARIANTS_MAX);
  }

  blocked(): readonly {
    readonly reason: ReasonCode;
    readonly meaning: string;
    readonly nextStep: string;
    readonly vehicles: number;
    readonly sample: readonly string[];
  }[] {
    return [...this.#blocked]
      .toSorted(([, a], [, b]) => b.vehicles - a.vehicles)
      .map(([reason, { vehicles, sample }]) => {
        const { meaning, nextStep } = REASONS[reason];
        return { reason, meaning, nextStep, vehicles, sample };
      });
  }
}
