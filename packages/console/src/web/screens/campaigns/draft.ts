/** A campaign while it is written: percents and hours for people, the contract's permille and minutes beneath. */
import type { Answer, Input } from '../../client/routes.ts';

type Plan = NonNullable<Input<'createCampaign'>['body']>;

/** One wave as the form has it. */
export interface WaveDraft {
  readonly name: string;
  readonly upToPercent: number;
  readonly successPercent: number;
  readonly outcomesMin: number;
  readonly soakHours: number;
  readonly isManual: boolean;
}

/** A campaign as the form has it. */
export interface Draft {
  readonly name: string;
  readonly releaseId: string;
  readonly query: string;
  readonly filingNumber: string;
  readonly waves: readonly WaveDraft[];
  readonly failurePercentMax: number;
  readonly falseHoldPercent: number;
  readonly controlPercent: number;
  readonly harmPercentMax: number;
  readonly priority: number;
  readonly joins: boolean;
  readonly precondition: string;
  readonly windowFrom: string;
  readonly windowTo: string;
  /** 1 Monday … 7 Sunday, of a window; every day when empty. */
  readonly days: readonly number[];
  /** `2026-12-31T23:59`, in UTC; empty for no end. */
  readonly endsAt: string;
  readonly network: 'any' | 'unmetered' | 'wifi';
  readonly attemptsMax: number;
  readonly penaltyHours: number;
  readonly spreadMinutes: number;
  /** 0 for no cap. */
  readonly vehiclesPerHour: number;
}

const WAVE = { successPercent: 95, isManual: false } as const;

/** Begins with what most campaigns want: a few, some, then all. */
export function beginDraft(given: { readonly query?: string; readonly releaseId?: string }): Draft {
  return {
    name: '',
    releaseId: given.releaseId ?? '',
    query: given.query ?? '',
    filingNumber: '',
    waves: [
      { ...WAVE, name: 'Canary', upToPercent: 1, outcomesMin: 20, soakHours: 24 },
      { ...WAVE, name: 'Early', upToPercent: 10, outcomesMin: 100, soakHours: 12 },
      { ...WAVE, name: 'All', upToPercent: 100, outcomesMin: 1, soakHours: 0 },
    ],
    failurePercentMax: 2,
    falseHoldPercent: 5,
    controlPercent: 2,
    harmPercentMax: 2,
    priority: 500,
    joins: false,
    precondition: '',
    windowFrom: '',
    windowTo: '',
    days: [],
    endsAt: '',
    network: 'any',
    attemptsMax: 3,
    penaltyHours: 24,
    spreadMinutes: 0,
    vehiclesPerHour: 0,
  };
}

/** Reads a campaign back into the form. */
export function draftOf(campaign: Answer<'getCampaign'>): Draft {
  const { name, releaseId, query, filingNumber = '', waves, guard, policy } = campaign;
  return {
    name,
    releaseId,
    query,
    filingNumber,
    waves: waves.map((wave) => ({
      name: wave.name,
      upToPercent: wave.upToPermille / 10,
      successPercent: wave.successPermille / 10,
      outcomesMin: wave.outcomesMin,
      soakHours: wave.soakMinutes / 60,
      isManual: wave.isManual,
    })),
    failurePercentMax: guard.failurePermilleMax / 10,
    falseHoldPercent: guard.falseHoldPermille / 10,
    controlPercent: guard.controlPermille / 10,
    harmPercentMax: guard.harmPermilleMax / 10,
    priority: policy.priority,
    joins: policy.joins,
    precondition: policy.precondition,
    windowFrom: policy.window?.from ?? '',
    windowTo: policy.window?.to ?? '',
    days: policy.window?.days ?? [],
    endsAt: minuteOf(policy.endsAt),
    network: policy.network,
    attemptsMax: policy.retries.attemptsMax,
    penaltyHours: policy.retries.penaltyHours,
    spreadMinutes: policy.spreadMinutes,
    vehiclesPerHour: policy.rate.vehiclesPerHour ?? 0,
  };
}

/**
 * Writes the plan that is sent. What the form does not show is kept from the campaign as it was.
 *
 * @param before - the policy of the campaign that is changed, if there is one.
 */
export function planOf(draft: Draft, before?: Answer<'getCampaign'>['policy']): Plan {
  const { name, releaseId, query, filingNumber } = draft;
  const hasWindow = draft.windowFrom !== '' && draft.windowTo !== '';
  const { vehiclesPerHour: _, ...otherRates } = before?.rate ?? {};
  const days = draft.days.toSorted((one, other) => one - other);
  // The form knows no seconds: an end that nobody touched stays as it was.
  const endsAt = draft.endsAt === minuteOf(before?.endsAt) ? before?.endsAt : `${draft.endsAt}:00Z`;
  return {
    name: name.trim(),
    releaseId,
    query: query.trim(),
    ...(filingNumber.trim() === '' ? {} : { filingNumber: filingNumber.trim() }),
    waves: draft.waves.map((wave) => ({
      name: wave.name.trim(),
      upToPermille: permille(wave.upToPercent),
      successPermille: permille(wave.successPercent),
      outcomesMin: wave.outcomesMin,
      soakMinutes: Math.round(wave.soakHours * 60),
      isManual: wave.isManual,
    })),
    guard: {
      failurePermilleMax: permille(draft.failurePercentMax),
      falseHoldPermille: permille(draft.falseHoldPercent),
      controlPermille: permille(draft.controlPercent),
      harmPermilleMax: permille(draft.harmPercentMax),
    },
    policy: {
      priority: draft.priority,
      joins: draft.joins,
      precondition: draft.precondition.trim(),
      ...(hasWindow
        ? {
            window: {
              from: draft.windowFrom,
              to: draft.windowTo,
              ...(days.length === 0 ? {} : { days }),
            },
          }
        : {}),
      network: draft.network,
      retries: { attemptsMax: draft.attemptsMax, penaltyHours: draft.penaltyHours },
      spreadMinutes: draft.spreadMinutes,
      rate: {
        ...otherRates,
        ...(draft.vehiclesPerHour > 0 ? { vehiclesPerHour: draft.vehiclesPerHour } : {}),
      },
      ...(draft.endsAt === '' || endsAt === undefined ? {} : { endsAt }),
    },
  };
}

/** An instant as a field for date and time has it, in UTC. */
function minuteOf(instant = ''): string {
  return instant === '' ? '' : new Date(instant).toISOString().slice(0, 16);
}

/** Whole permille, since fractions are not signed. */
function permille(percent: number): number {
  return Math.round(percent * 10);
}
