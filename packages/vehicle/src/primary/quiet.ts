/**
 * The time between two updates: a check-in is one small request on a connection that is mostly open
 * already, answered by "no change".
 *
 * That answer proves nothing, so it is believed only while the Timestamp at hand is good {uptane L8}, an
 * attested time is near, and a full cycle was not long ago: whoever holds new metadata back gains
 * nothing beyond that.
 */
import { Fault } from '@immota/base';
import { AKTUALIZR, decodeTimestamp, limits } from '@immota/uptane';
import { requestSmall } from '../download/request.ts';
import { listAttacks } from './attack-log.ts';
import { carriedTime, knownTime } from './attested-time.ts';
import type { PrimaryContext } from './context.ts';
import { findOutcome } from './installation.ts';
import { metadataUrl } from './metadata-source.ts';
import { listTechnicianWords } from './technician-stop.ts';
import { findTransaction, listDebts } from './transaction-store.ts';

/** For how long "no change" may be believed. Both clocks must agree: one stops when the machine sleeps. */
export interface QuietSpell {
  /** What the gateway called the Timestamp. */
  readonly tag: string;
  readonly timerUntilMs: number;
  readonly clockFromMs: number;
  readonly clockUntilMs: number;
}

/**
 * Begins a quiet spell, at the end of a cycle that left nothing to do.
 *
 * @param tag - undefined where the gateway gives none.
 * @returns undefined when something is still to be told, or the Timestamp is no longer good.
 */
export function beginQuiet(
  context: PrimaryContext,
  tag: string | undefined,
): QuietSpell | undefined {
  const isOpen =
    findTransaction(context) !== undefined ||
    listDebts(context).length > 0 ||
    findOutcome(context) !== undefined ||
    listAttacks(context).length > 0 ||
    listTechnicianWords(context).length > 0;
  if (tag === undefined || isOpen) return undefined;
  const { timer, clock } = context.surroundings;
  const spanMs = spanOf(context);
  if (spanMs <= 0) return undefined;
  const clockFromMs = clock.now().epochMilliseconds;
  const timerUntilMs = timer.elapsedMs() + spanMs;
  return { tag, timerUntilMs, clockFromMs, clockUntilMs: clockFromMs + spanMs };
}

/**
 * Asks whether anything is new.
 *
 * @returns true when nothing is; false also when the spell is over.
 * @throws VehicleFault as `requestSmall`.
 */
export async function isUnchanged(context: PrimaryContext, quiet: QuietSpell): Promise<boolean> {
  const { timer, clock } = context.surroundings;
  const nowMs = clock.now().epochMilliseconds;
  if (timer.elapsedMs() >= quiet.timerUntilMs) return false;
  if (nowMs < quiet.clockFromMs || nowMs >= quiet.clockUntilMs) return false;
  const { status } = await requestSmall(context.network(), {
    method: 'GET',
    url: metadataUrl(context, 'director', 'timestamp.json'),
    headers: { 'if-none-match': quiet.tag },
    lengthMaxBytes: limits.TIMESTAMP_MAX_BYTES,
  });
  return status === 304;
}

function spanOf(context: PrimaryContext): number {
  const { state, policy, surroundings } = context;
  const bytes = state.metadata.load('director', 'timestamp');
  if (bytes === undefined) return 0;
  try {
    const now = carriedTime(context, policy.timeMaxAgeMs);
    const { body } = decodeTimestamp(AKTUALIZR, bytes, limits.TIMESTAMP_MAX_BYTES);
    const { clockAt } = knownTime(context);
    const ageMs = surroundings.clock.now().epochMilliseconds - clockAt.epochMilliseconds;
    const goodMs = body.expires.epochMilliseconds - now.epochMilliseconds;
    return Math.min(goodMs, policy.timeMaxAgeMs - ageMs, policy.fullCycleAfterMs);
  } catch (error) {
    if (error instanceof Fault) return 0;
    throw error;
  }
}
