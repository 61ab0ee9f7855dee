/** How large a harm a guard finds, with so many vehicles and so surely: what an operator is told before. */
import { isOver, type SequenceDesign } from './confidence-sequence.ts';

/** More outcomes than this only find more: what is said stays true, and the sum stays short. */
const OUTCOMES_MAX = 4000;
/** Halvings: a tenth of a permille is more than anybody plans with. */
const BISECTIONS = 14;

/** What is asked. */
export interface DetectionQuestion {
  /** The limit, between 0 and 1. */
  readonly limit: number;
  readonly design: SequenceDesign;
  /** Vehicles that will have an outcome. */
  readonly outcomes: number;
  /** How surely it must be found, 0.8 for four times in five. */
  readonly power: number;
}

/**
 * Finds the smallest true failure rate that is found to be over the limit with the stated power.
 *
 * @returns undefined when not even a failure of every vehicle would be found with so few.
 */
export function detectableRate(question: DetectionQuestion): number | undefined {
  const boundary = boundaryOf(question);
  if (powerAt(1, boundary) < question.power) return undefined;
  let low = question.limit;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (powerAt(middle, boundary) >= question.power) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Computes how surely a true rate is found within some outcomes, looked at after each of them.
 *
 * @param rate - the true rate.
 */
export function detectionPower(rate: number, question: Omit<DetectionQuestion, 'power'>): number {
  return powerAt(rate, boundaryOf(question));
}

/** For each number of outcomes the fewest failures that break the limit; it never goes down. */
function boundaryOf({
  limit,
  design,
  outcomes,
}: Omit<DetectionQuestion, 'power'>): readonly number[] {
  const boundary: number[] = [0];
  let bad = 1;
  for (let count = 1; count <= Math.min(outcomes, OUTCOMES_MAX); count += 1) {
    while (bad <= count && !isOver({ outcomes: count, bad }, limit, design)) bad += 1;
    boundary.push(bad);
  }
  return boundary;
}

/** The chance to cross the boundary, summed exactly over all ways that have not crossed it. */
function powerAt(rate: number, boundary: readonly number[]): number {
  // chances[failures] of those ways that are still below the boundary.
  let chances = new Float64Array([1]);
  let crossed = 0;
  for (let count = 1; count < boundary.length; count += 1) {
    const edge = boundary[count] ?? count + 1;
    const next = new Float64Array(Math.min(edge, count + 1));
    for (let bad = 0; bad < chances.length; bad += 1) {
      const chance = chances[bad] ?? 0;
      if (bad < next.length) next[bad] = (next[bad] ?? 0) + chance * (1 - rate);
      else crossed += chance * (1 - rate);
      if (bad + 1 < next.length) next[bad + 1] = (next[bad + 1] ?? 0) + chance * rate;
      else crossed += chance * rate;
    }
    chances = next;
  }
  return crossed;
}
