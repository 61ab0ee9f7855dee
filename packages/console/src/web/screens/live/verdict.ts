/** How the answer of a test looks. */
import type { Tone } from '../../parts/tone.ts';

/** By what the test says. */
export const VERDICT_TONES: Readonly<Record<'unknown' | 'within' | 'exceeded', Tone>> = {
  unknown: 'calm',
  within: 'good',
  exceeded: 'bad',
};
