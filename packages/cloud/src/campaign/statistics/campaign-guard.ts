/**
 * When a campaign holds by itself: a pure rule over outcomes that are known from signed reports. It may
 * be asked after every report, and holds a campaign that is within its limit no more often than stated.
 */
import { isOver, type Outcomes, rateInterval, type RateInterval } from './confidence-sequence.ts';

/** What a campaign may do at worst. Rates between 0 and 1. */
export interface GuardDesign {
  /** The rate of failed updates that must not be exceeded. */
  readonly failureMax: number;
  /** How much more often treated vehicles may be unhealthy than untouched ones. */
  readonly harmMax: number;
  /** How often a campaign within its limits may be held all the same, over its whole length. */
  readonly falseHolds: number;
}

/** What a campaign did so far; the same facts in any order make the same state. */
export interface GuardState {
  /** Updates with an outcome, and those that failed. */
  readonly updates: Outcomes;
  /** Treated vehicles whose health is known, and the unhealthy ones. */
  readonly treated: Outcomes;
  /** Untouched vehicles likewise. */
  readonly control: Outcomes;
}

/** Nothing is known yet. */
export const NOTHING_KNOWN: GuardState = {
  updates: { outcomes: 0, bad: 0 },
  treated: { outcomes: 0, bad: 0 },
  control: { outcomes: 0, bad: 0 },
};

/** How a comparison stands. */
export type Verdict = 'unknown' | 'within' | 'exceeded';

/** What the guard says. */
export interface GuardReport {
  /** The rule that is broken; undefined when none is. */
  readonly broken: 'failures' | 'harm' | undefined;
  readonly failures: RateInterval & { readonly verdict: Verdict };
  readonly treated: RateInterval;
  readonly control: RateInterval;
  /** How much more often treated vehicles are unhealthy: treated minus control. */
  readonly harm: { readonly low: number; readonly high: number; readonly verdict: Verdict };
}

/** Without untouched vehicles there is nothing to compare with. */
const CONTROLS_MIN = 1;

/**
 * Judges what is known.
 *
 * The two rules share what may be missed: half for failures, a quarter for each side of the comparison.
 */
export function judge(state: GuardState, design: GuardDesign): GuardReport {
  const forFailures = { expected: design.failureMax, alpha: design.falseHolds / 2 };
  const forHealth = { expected: design.harmMax, alpha: design.falseHolds / 4 };
  const failures = rateInterval(state.updates, forFailures);
  const treated = rateInterval(state.treated, forHealth);
  const control = rateInterval(state.control, forHealth);
  const low = treated.low - control.high;
  const high = treated.high - control.low;
  const isComparable = state.control.outcomes >= CONTROLS_MIN && state.treated.outcomes > 0;
  const isFailing = isOver(state.updates, design.failureMax, forFailures);
  const isHarmful = isComparable && low > design.harmMax;
  return {
    broken: isFailing ? 'failures' : isHarmful ? 'harm' : undefined,
    failures: {
      ...failures,
      verdict: verdictOf(
        isFailing,
        state.updates.outcomes > 0 && failures.high <= design.failureMax,
      ),
    },
    treated,
    control,
    harm: { low, high, verdict: verdictOf(isHarmful, isComparable && high <= design.harmMax) },
  };
}

/**
 * Tells, quickly, whether the guard breaks; as {@link judge} does.
 *
 * @returns the rule that is broken; undefined when none is.
 */
export function findBroken(state: GuardState, design: GuardDesign): GuardReport['broken'] {
  const forFailures = { expected: design.failureMax, alpha: design.falseHolds / 2 };
  if (isOver(state.updates, design.failureMax, forFailures)) return 'failures';
  const { treated, control } = state;
  if (control.outcomes < CONTROLS_MIN || treated.outcomes === 0) return undefined;
  // The upper bound of the untouched is no less than their estimate: most states need no search for it.
  const least = control.bad / control.outcomes + design.harmMax;
  const forHealth = { expected: design.harmMax, alpha: design.falseHolds / 4 };
  if (least >= 1 || !isOver(treated, least, forHealth)) return undefined;
  return judge(state, design).broken;
}

function verdictOf(isExceeded: boolean, isWithin: boolean): Verdict {
  if (isExceeded) return 'exceeded';
  return isWithin ? 'within' : 'unknown';
}
