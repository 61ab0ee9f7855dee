/**
 * How long people may wait, and what follows. The terms come signed with the plan and are said before
 * the first answer. Nothing ever follows by surprise: an update that installs itself in the end has
 * been shown for days before.
 */
import type { Notice } from './notice.ts';

/** Where nothing is said: often enough to be free, seldom enough that somebody decides. */
const TIMES_DEFAULT = 10;
/** Somebody who was away finds the question on coming home, and has this long even past the last date. */
const GRACE: Temporal.Duration = Temporal.Duration.from({ hours: 72 });
/** What is put off further is forgotten. */
const FURTHEST: Temporal.Duration = Temporal.Duration.from({ hours: 14 * 24 });
/** Local hours in which a mandatory update may take the vehicle out of use by itself. */
const NIGHT = { fromHour: 1, toHour: 5 } as const;

/** What was done with a question so far. */
export interface PostponeRecord {
  readonly postponements: number;
  readonly firstAskedAt: Temporal.Instant | undefined;
}

/** What may still be done with it. */
export interface PostponeTerms {
  /** How often it may still be put off. */
  readonly left: number;
  /** Nothing is put off behind this. */
  readonly lastAt: Temporal.Instant | undefined;
  readonly isMandatory: boolean;
  /** Whether it installs itself behind the last date. */
  readonly installsItself: boolean;
}

/** Finds the terms that hold now. */
export function postponeTerms(
  { postpone, mandatory }: Notice,
  { postponements, firstAskedAt }: PostponeRecord,
  now: Temporal.Instant,
): PostponeTerms {
  const until = postpone?.until === undefined ? undefined : Temporal.Instant.from(postpone.until);
  const graceEnds = (firstAskedAt ?? now).add(GRACE);
  const lastAt = until === undefined ? undefined : later(until, graceEnds);
  const isOver = lastAt !== undefined && isAtOrAfter(now, lastAt);
  const left = Math.max(0, (postpone?.times ?? TIMES_DEFAULT) - postponements);
  return {
    left: isOver ? 0 : left,
    lastAt,
    isMandatory: mandatory,
    // What nobody has declared mandatory waits for a yes, whatever its terms say.
    installsItself: mandatory && lastAt !== undefined && postpone?.after === 'install',
  };
}

/** Tells whether the last date of an update that installs itself has passed. */
export function isDue({ installsItself, lastAt }: PostponeTerms, now: Temporal.Instant): boolean {
  return installsItself && lastAt !== undefined && isAtOrAfter(now, lastAt);
}

/** Tells whether it is deep in the night at the vehicle. */
export function isNight(now: Temporal.Instant, timeZone: string): boolean {
  const { hour } = now.toZonedDateTimeISO(timeZone);
  return hour >= NIGHT.fromHour && hour < NIGHT.toHour;
}

/** Tells whether an answer may name this time: to be asked again, or to begin. */
export function isTimeAllowed(
  at: Temporal.Instant,
  { lastAt }: PostponeTerms,
  now: Temporal.Instant,
): boolean {
  const furthest = now.add(FURTHEST);
  if (isAtOrAfter(now, at) || !isAtOrAfter(furthest, at)) return false;
  return lastAt === undefined || isAtOrAfter(lastAt, at);
}

/** The latest time that an answer may name now. */
export function furthestTime({ lastAt }: PostponeTerms, now: Temporal.Instant): Temporal.Instant {
  const furthest = now.add(FURTHEST);
  if (lastAt === undefined) return furthest;
  return isAtOrAfter(furthest, lastAt) ? lastAt : furthest;
}

function later(one: Temporal.Instant, other: Temporal.Instant): Temporal.Instant {
  return isAtOrAfter(one, other) ? one : other;
}

function isAtOrAfter(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) >= 0;
}
