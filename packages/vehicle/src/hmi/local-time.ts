/** Times as the clock at the vehicle shows them. */
import { HmiFault } from './hmi-fault.ts';

/** Nobody needs the vehicle, and no clock is set forward or back between this hour and the next. */
const NIGHT_HOUR = 3;
/** When people are up. */
const MORNING_HOUR = 8;

/** Times that have a name. */
export type NamedTime = 'hour' | 'tomorrow' | 'tonight';

/** Finds a time by its name. */
export function namedTime(
  name: NamedTime,
  timeZone: string,
  now: Temporal.Instant,
): Temporal.Instant {
  if (name === 'hour') return now.add({ hours: 1 });
  const local = now.toZonedDateTimeISO(timeZone);
  const hour = name === 'tonight' ? NIGHT_HOUR : MORNING_HOUR;
  const today = local.toPlainDate().toZonedDateTime({ timeZone, plainTime: { hour } });
  const isPast = Temporal.ZonedDateTime.compare(today, local) <= 0;
  // "Tomorrow" is tomorrow even before eight; tonight is the next time it is three.
  const days = name === 'tomorrow' || isPast ? 1 : 0;
  return local
    .toPlainDate()
    .add({ days })
    .toZonedDateTime({ timeZone, plainTime: { hour } })
    .toInstant();
}

/** Says an instant as the clock on the wall: `2026-11-22T16:00`. */
export function wallTime(at: Temporal.Instant, timeZone: string): string {
  return at.toZonedDateTimeISO(timeZone).toPlainDateTime().toString({ smallestUnit: 'minute' });
}

/** Reads what the clock on the wall would show. @throws HmiFault MALFORMED. */
export function parseWallTime(text: string, timeZone: string): Temporal.Instant {
  try {
    return Temporal.PlainDateTime.from(text, { overflow: 'reject' })
      .toZonedDateTime(timeZone)
      .toInstant();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new HmiFault('MALFORMED', 'Cannot read time: it is none', { cause: error });
    }
    throw error;
  }
}
