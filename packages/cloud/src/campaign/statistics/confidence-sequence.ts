/**
 * A confidence sequence for a rate: bounds that hold at every moment at once, however often somebody
 * looks. An interval made for one look would hold every long campaign in the end.
 *
 * The outcomes' likelihood under a mixture of rates, divided by that under one rate p, is a martingale
 * that starts at 1 when p is the true rate; so it ever reaches 1/α with a probability of at most α
 * (Ville). Rates that it has not ruled out so are the interval. The mixture is half a flat guess at any
 * rate (Jeffreys) and half one that expects rates near the one that matters, so that both a small
 * excess and a disaster are found soon.
 *
 * @source Robbins 1970, "Statistical methods related to the law of the iterated logarithm";
 * Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences"
 */
import { assert } from '@immota/base';
import { logBeta } from './beta.ts';

/** Halvings of an interval in [0, 1]: beyond any digit that is shown. */
const BISECTIONS = 50;

/** Outcomes that are known. */
export interface Outcomes {
  /** How many there are. */
  readonly outcomes: number;
  /** How many of them are bad. */
  readonly bad: number;
}

/** A rate with what is known of it; each between 0 and 1. */
export interface RateInterval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** What a sequence is made for. */
export interface SequenceDesign {
  /** The rate that matters: bounds are tightest near it. Between 0 and 1, both excluded. */
  readonly expected: number;
  /** How often the bounds may ever miss the true rate. */
  readonly alpha: number;
}

/**
 * Finds the bounds of a rate.
 *
 * @returns with no outcomes at all, that nothing is known: 0 to 1.
 */
export function rateInterval(known: Outcomes, design: SequenceDesign): RateInterval {
  const { outcomes, bad } = known;
  assert(bad >= 0 && bad <= outcomes, 'there are no more bad outcomes than outcomes');
  if (outcomes === 0) return { estimate: 0, low: 0, high: 1 };
  const estimate = bad / outcomes;
  const isRuledOut = (rate: number): boolean => isExcluded(known, rate, design);
  return {
    estimate,
    low: bad === 0 ? 0 : bisect(0, estimate, (rate) => !isRuledOut(rate)),
    high: bad === outcomes ? 1 : bisect(estimate, 1, isRuledOut),
  };
}

/**
 * Tells whether a rate is known to be exceeded: the lower bound is over it.
 *
 * @param rate - the limit.
 */
export function isOver(known: Outcomes, rate: number, design: SequenceDesign): boolean {
  return known.bad > rate * known.outcomes && isExcluded(known, rate, design);
}

/** Whether the outcomes rule a rate out, on whichever side. */
function isExcluded(known: Outcomes, rate: number, { expected, alpha }: SequenceDesign): boolean {
  const { outcomes, bad } = known;
  if (outcomes === 0) return false;
  const good = outcomes - bad;
  const under =
    (bad === 0 ? 0 : bad * Math.log(rate)) + (good === 0 ? 0 : good * Math.log1p(-rate));
  const flat = mixed(known, 0.5, 0.5);
  // Mean at twice the rate that matters, and no more sure of it than one outcome would make it.
  const near = mixed(known, 1, Math.max(1 / (2 * expected) - 1, 0.5));
  const larger = Math.max(flat, near);
  const evidence =
    larger + Math.log((Math.exp(flat - larger) + Math.exp(near - larger)) / 2) - under;
  return evidence >= -Math.log(alpha);
}

/** The logarithm of the outcomes' likelihood, averaged over rates as Beta(a, b) has them. */
function mixed({ outcomes, bad }: Outcomes, a: number, b: number): number {
  return logBeta(a + bad, b + outcomes - bad) - logBeta(a, b);
}

/** The first place from which a condition holds; it holds from there to `high`. */
function bisect(low: number, high: number, holds: (at: number) => boolean): number {
  let from = low;
  let to = high;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (from + to) / 2;
    if (holds(middle)) to = middle;
    else from = middle;
  }
  return to;
}
