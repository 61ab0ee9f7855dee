/**
 * Whether the vehicle is in a condition for a step of its update: standing conditions over its signals,
 * asked before a step and all through it, and an immobiliser that holds from the first step on until all
 * of the vehicle fits together again; a vehicle that needs a workshop stays where it is.
 */
import { describeUnmet, findUnmetConditions, type Condition } from '../conditions/condition.ts';
import { assessEnergy, type EnergyLoad } from '../conditions/energy-budget.ts';
import type { Immobiliser } from '../conditions/immobiliser.ts';
import {
  ACTIVATE_CONDITIONS,
  ONE_BANK_CONDITIONS,
  PARKED,
} from '../conditions/standing-conditions.ts';
import type { VehicleSignals } from '../conditions/vehicle-signals.ts';
import { watchConditions } from '../conditions/watch-conditions.ts';
import type { Timer } from '../ports.ts';
import type { ConditionsGate, GateScope, GateStep } from '../transaction/conditions.ts';
import { VOLTAGE_DIP_MS } from './limits.ts';

/** What a gate stands on. */
export interface SafeGateOptions {
  readonly signals: VehicleSignals;
  readonly timer: Timer;
  readonly immobiliser: Immobiliser;
  /** What the update is going to draw; the batteries must hold that, and the way back. Nothing when left out. */
  readonly loads?: (() => readonly EnergyLoad[]) | undefined;
}

/** Makes a gate. Whatever it cannot measure holds it shut. */
export function createSafeGate(options: SafeGateOptions): ConditionsGate {
  const { signals, timer, immobiliser } = options;
  const reasonNow = (step: GateStep, scope: GateScope): string => {
    const conditions = conditionsOf(step, scope);
    const unmet = describeAll(findUnmetConditions(conditions, signals, timer.elapsedMs()));
    // On the way back nothing is left to weigh: it needs what it needs.
    const short = step === 'roll-back' ? '' : shortage(options);
    return [unmet, short].filter((one) => one !== '').join('; ');
  };
  return {
    check: async (step, scope) => {
      const before = reasonNow(step, scope);
      if (before !== '') return { isGo: false, reason: before };
      try {
        await immobiliser.hold('software is being installed');
      } catch {
        return { isGo: false, reason: 'the vehicle could be driven meanwhile' };
      }
      // Asked again: somebody may have driven off while the immobiliser was being asked.
      const reason = reasonNow(step, scope);
      return { isGo: reason === '', reason };
    },
    watch: (step, scope, onViolated) =>
      watchConditions({
        conditions: conditionsOf(step, scope),
        signals,
        timer,
        graceMs: VOLTAGE_DIP_MS,
        onCeased: (unmet) => onViolated(describeAll(unmet)),
      }),
    settle: async () => immobiliser.release(),
  };
}

function conditionsOf(step: GateStep, { hasOneBank }: GateScope): readonly Condition[] {
  // A vehicle that is half changed over is worst off: it goes back as soon as it stands.
  if (step === 'roll-back') return PARKED;
  return hasOneBank ? ONE_BANK_CONDITIONS : ACTIVATE_CONDITIONS;
}

/** Why the batteries do not hold enough, in words; empty when they do. */
function shortage({ loads, signals, timer }: SafeGateOptions): string {
  if (loads === undefined) return '';
  const budget = assessEnergy(loads(), signals, timer.elapsedMs());
  if (budget.isCovered) return '';
  const { neededWattHours, lowVoltageWattHours, tractionWattHours } = budget;
  const usable = lowVoltageWattHours + tractionWattHours;
  return `the batteries hold ${neededWattHours.toFixed(1)} Wh to spare (${usable.toFixed(1)} Wh are usable)`;
}

function describeAll(unmet: ReturnType<typeof findUnmetConditions>): string {
  return unmet.map((one) => describeUnmet(one)).join('; ');
}
