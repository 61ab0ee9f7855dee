/** How near the end of something is. */
import type { Tone } from '../../parts/tone.ts';

const DAY_MS = 86_400_000;
/** The cloud warns so many days ahead as well; see the guide on operating. */
const SOON_DAYS = 30;

/** Grades an end: over, soon, or far. */
export function expiryOf(
  expiresAt: string,
  nowMs: number,
): { readonly kind: 'over' | 'soon' | 'far'; readonly tone: Tone } {
  const leftMs = Date.parse(expiresAt) - nowMs;
  if (leftMs <= 0) return { kind: 'over', tone: 'bad' };
  return leftMs < SOON_DAYS * DAY_MS
    ? { kind: 'soon', tone: 'warn' }
    : { kind: 'far', tone: 'calm' };
}
