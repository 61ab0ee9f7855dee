/**
 * A step during which the vehicle is not fit to drive. The immobiliser is asked first, and lets go only
 * when the vehicle is whole again; whatever goes wrong between leaves it holding.
 */
import type { Timer } from '../ports.ts';
import { checkConditions, type Condition, type UnmetCondition } from './condition.ts';
import { ConditionFault } from './condition-fault.ts';
import type { VehicleSignals } from './vehicle-signals.ts';
import { watchConditions } from './watch-conditions.ts';

/** What keeps a vehicle from driving off. A port; a hold outlives restarts of whoever asked for it. */
export interface Immobiliser {
  /** Fulfils when the vehicle cannot be driven; rejects when that cannot be had. */
  hold(reason: string): Promise<void>;
  release(): Promise<void>;
}

/** How a step left the vehicle. */
export type StepEnding = 'fit-to-drive' | 'unfit';

/** See the head of the file. */
export interface ImmobilisedStepOptions {
  readonly immobiliser: Immobiliser;
  /** For whoever turns the key in vain. */
  readonly reason: string;
  readonly conditions: readonly Condition[];
  readonly signals: VehicleSignals;
  readonly timer: Timer;
  /** See `watchConditions`. */
  readonly graceMs?: number | undefined;
  /**
   * The step. When the signal aborts, a condition has ceased to hold: it ends as soon as that is safe.
   *
   * @returns how it left the vehicle; the immobiliser holds on after `unfit`, and after a failure.
   */
  readonly run: (signal: AbortSignal) => Promise<StepEnding>;
}

/** How it went. */
export interface ImmobilisedStepResult {
  readonly ending: StepEnding;
  /** Conditions that ceased to hold on the way. */
  readonly ceased: readonly UnmetCondition[];
}

/**
 * Runs a step.
 *
 * @throws ConditionFault CONDITION_UNMET before anything was begun; IMMOBILISER_REFUSED; whatever the
 * step throws.
 */
export async function runImmobilised(
  options: ImmobilisedStepOptions,
): Promise<ImmobilisedStepResult> {
  const { immobiliser, reason, conditions, signals, timer, graceMs, run } = options;
  checkConditions(conditions, signals, timer.elapsedMs());
  await holdVehicle(immobiliser, reason);
  try {
    // Asked again: somebody may have driven off while the immobiliser was being asked.
    checkConditions(conditions, signals, timer.elapsedMs());
  } catch (error) {
    await immobiliser.release();
    throw error;
  }
  const controller = new AbortController();
  let ceased: readonly UnmetCondition[] = [];
  const stop = watchConditions({
    conditions,
    signals,
    timer,
    graceMs,
    onCeased: (unmet) => {
      ceased = unmet;
      controller.abort(new ConditionFault('CONDITION_UNMET', 'Cannot go on: a condition ceased'));
    },
  });
  try {
    const ending = await run(controller.signal);
    if (ending === 'fit-to-drive') await immobiliser.release();
    return { ending, ceased };
  } finally {
    stop();
  }
}

async function holdVehicle(immobiliser: Immobiliser, reason: string): Promise<void> {
  try {
    await immobiliser.hold(reason);
  } catch (error) {
    throw new ConditionFault(
      'IMMOBILISER_REFUSED',
      'Cannot begin: the vehicle could be driven meanwhile',
      { cause: error },
    );
  }
}
