/** Whether a wave has proved itself, and in words what is missing: pure. */
import type { CampaignWave } from './campaign-content.ts';
import { type Count, sumCounts } from './counts.ts';
import { isActive } from './vehicle-place.ts';

/** What became of the vehicles of a wave. */
export interface WaveOutcomes {
  /** Vehicles that the wave is for; controls are not. */
  readonly vehicles: number;
  /** Still under way, or not begun; a blocked one may never begin. */
  readonly active: number;
  readonly blocked: number;
  /** Updated, and their time of soaking is not over. */
  readonly soaking: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly failed: number;
}

/** Adds up what became of a wave. */
export function outcomesOf(counts: readonly Count[], wave: number): WaveOutcomes {
  const sums = sumCounts(
    counts.filter((count) => count.wave === wave && !count.is_control),
    kindOf,
  );
  const { active = 0, blocked = 0, soaking = 0, healthy = 0, unhealthy = 0, failed = 0 } = sums;
  const vehicles = Object.values(sums).reduce((sum, count) => sum + count, 0);
  return { vehicles, active, blocked, soaking, healthy, unhealthy, failed };
}

function kindOf({ state, stage, health }: Count): string {
  if (state === 'blocked') return 'blocked';
  if (isActive({ state })) return 'active';
  if (state === 'failed') return 'failed';
  if (state !== 'updated') return 'over';
  if (health === 'unhealthy') return 'unhealthy';
  return stage === 'healthy' ? 'healthy' : 'soaking';
}

/**
 * Says what is missing before the next wave opens.
 *
 * Blocked vehicles are not waited for: others must act on them, and a wave of few would never end.
 *
 * @returns undefined when the wave has proved itself; an operator may have to open the next one all the same.
 */
export function findMissing(wave: CampaignWave, outcomes: WaveOutcomes): string | undefined {
  const { healthy, unhealthy, failed, active, soaking } = outcomes;
  const known = healthy + unhealthy + failed;
  const isOver = active === 0 && soaking === 0;
  if (known < wave.outcomesMin && !isOver) {
    const waiting = soaking > 0 ? `, ${soaking} soak for ${wave.soakMinutes} minutes` : '';
    return `${known} of ${wave.outcomesMin} outcomes are known${waiting}`;
  }
  if (known === 0) return isOver ? undefined : 'no outcome is known';
  if (healthy * 1000 < wave.successPermille * known) {
    return `${percent(healthy / known)} of ${known} vehicles are healthy, ${percent(wave.successPermille / 1000)} must be`;
  }
  return undefined;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
