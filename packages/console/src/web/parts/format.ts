/** Numbers, sizes, spans and instants in the reader's language. */

/** What formats for one language. */
export interface Format {
  readonly number: (value: number) => string;
  /** A share of 0 to 1, with one digit below 10 %. */
  readonly share: (value: number) => string;
  readonly permille: (value: number) => string;
  readonly bytes: (value: number) => string;
  readonly hours: (value: number) => string;
  readonly minutes: (value: number) => string;
  readonly instant: (iso: string) => string;
  readonly instantUtc: (iso: string) => string;
  readonly date: (iso: string) => string;
  readonly ago: (iso: string, nowMs: number) => string;
}

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;
const SPANS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

const made = new Map<string, Format>();

/**
 * Makes what formats for a language; made once for each.
 *
 * @param language - a BCP 47 tag.
 * @param timeZone - the reader's own when left out.
 */
export function formatFor(language: string, timeZone?: string): Format {
  const key = `${language} ${timeZone ?? ''}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const format = makeFormat(language, timeZone);
  made.set(key, format);
  return format;
}

function makeFormat(language: string, timeZone: string | undefined): Format {
  const number = new Intl.NumberFormat(language);
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const zone = timeZone === undefined ? {} : { timeZone };
  const instant = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    ...zone,
  });
  const utc = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    timeZone: 'UTC',
  });
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', ...zone });
  const unit = (name: string, value: number, digits: number): string =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    }).format(value);
  return {
    number: (value) => number.format(value),
    share: (value) => formatShare(language, value),
    permille: (value) => formatShare(language, value / 1000),
    bytes: (value) => {
      const power = Math.min(
        BYTE_UNITS.length - 1,
        value < 1 ? 0 : Math.floor(Math.log10(value) / 3),
      );
      return unit(BYTE_UNITS[power] ?? 'byte', value / 1000 ** power, power === 0 ? 0 : 1);
    },
    hours: (value) => (value >= 48 ? unit('day', value / 24, 1) : unit('hour', value, 1)),
    minutes: (value) => unit('minute', value, value < 10 ? 1 : 0),
    instant: (iso) => instant.format(new Date(iso)),
    instantUtc: (iso) => `${utc.format(new Date(iso))} UTC`,
    date: (iso) => date.format(new Date(iso)),
    ago: (iso, nowMs) => {
      const span = Date.parse(iso) - nowMs;
      const [name, ms] = SPANS.find(([, length]) => Math.abs(span) >= length) ?? ['second', 1000];
      return relative.format(Math.round(span / ms), name);
    },
  };
}

function formatShare(language: string, value: number): string {
  const digits = Math.abs(value) < 0.01 ? 2 : Math.abs(value) < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(language, {
    style: 'percent',
    maximumFractionDigits: digits,
  }).format(value);
}
