/**
 * What a campaign asks of the vehicle: `policy` in the custom part of signed Director Targets. What of it
 * cannot be read holds the update back, since it was meant to hold something back.
 */
import { Fault, type JsonObject, member } from '@immota/base';
import { z } from 'zod';
import { type Condition, parseConditions } from '../conditions/condition.ts';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';

const DAYS_IN_WEEK = 7;
const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/u);

const windowSchema = z.strictObject({
  from: timeOfDay,
  to: timeOfDay,
  days: z.array(z.int().min(1).max(DAYS_IN_WEEK)).min(1).max(DAYS_IN_WEEK).optional(),
});

const policySchema = z.strictObject({
  conditions: z.unknown().optional(),
  window: windowSchema.optional(),
  network: z.enum(['any', 'unmetered', 'wifi']).default('any'),
  endsAt: z.string().optional(),
});

/** Vehicle-local hours; `to` that is not after `from` is on the next day. Days are those of `from`, 1 Monday to 7 Sunday. */
export type InstallWindow = Readonly<z.infer<typeof windowSchema>>;

/** Which networks images may be fetched by. */
export type AllowedNetwork = z.infer<typeof policySchema>['network'];

/** See the head of the file. */
export interface CampaignPolicy {
  readonly conditions: readonly Condition[];
  readonly window: InstallWindow | undefined;
  readonly network: AllowedNetwork;
  /** From then on nothing new is begun. */
  readonly endsAt: Temporal.Instant | undefined;
}

/** Thrown when a campaign holds its update back: what was measured is told to the Director. */
export class HeldBack extends VehicleFault {
  readonly measured: Readonly<Record<string, string | number | boolean>>;

  constructor(code: VehicleFaultCode, message: string, measured: HeldBack['measured']) {
    super(code, message);
    this.measured = measured;
  }
}

/**
 * Reads a campaign's policy.
 *
 * @param custom - of verified Director Targets.
 * @throws HeldBack POLICY_UNREADABLE, with the code of what could not be read.
 */
export function readPolicy(custom: JsonObject): CampaignPolicy {
  const value = member(custom, 'policy');
  const parsed = policySchema.safeParse(value === undefined ? {} : value);
  if (!parsed.success) throw unreadable('POLICY_MALFORMED');
  const { conditions = [], window, network, endsAt } = parsed.data;
  try {
    return {
      conditions: parseConditions(conditions),
      window,
      network,
      endsAt: endsAt === undefined ? undefined : Temporal.Instant.from(endsAt),
    };
  } catch (error) {
    if (error instanceof Fault) throw unreadable(error.code, error.message);
    if (error instanceof RangeError) throw unreadable('POLICY_MALFORMED');
    throw error;
  }
}

/**
 * Finds when a window opens next.
 *
 * @param timeZone - of the vehicle, as IANA names it.
 * @returns undefined while it is open.
 */
export function opensAt(
  { from, to, days }: InstallWindow,
  now: Temporal.Instant,
  timeZone: string,
): Temporal.Instant | undefined {
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
  // From yesterday's, which may last until this morning, to the same day of the next week.
  for (let offset = -1; offset <= DAYS_IN_WEEK; offset += 1) {
    const date = today.add({ days: offset });
    if (days?.includes(date.dayOfWeek) === false) continue;
    const opens = date.toZonedDateTime({ timeZone, plainTime: from }).toInstant();
    const lastDate = to > from ? date : date.add({ days: 1 });
    const closes = lastDate.toZonedDateTime({ timeZone, plainTime: to }).toInstant();
    if (Temporal.Instant.compare(closes, now) <= 0) continue;
    return Temporal.Instant.compare(opens, now) <= 0 ? undefined : opens;
  }
  // Each day is one of these; a clock that was set forward has swallowed the window.
  return now.add({ hours: 24 });
}

function unreadable(code: string, why = 'it is none'): HeldBack {
  return new HeldBack('POLICY_UNREADABLE', `Cannot heed the campaign's policy: ${why}`, { code });
}
