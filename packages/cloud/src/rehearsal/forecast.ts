/**
 * When vehicles will have the release: simulated over how often each was seen and at which hours, through
 * waves, soaking, spread and caps. A pure function of its input; its seed repeats it.
 *
 * What is not known is drawn anew in each run: whether the fleet comes more or less often than it did, and
 * how long a vehicle takes from its contact to its report. The band is what nine runs in ten lie above and below.
 */
import { exponential, normal, type Random, seededRandom } from './random.ts';

/** Runs; enough for the tenth and the ninetieth percentile. */
const RUNS = 24;
/** How far a fleet's rate of contacts may be off what was learned: a third, two times in three. */
const RATE_DEVIATION = 0.3;
/** A vehicle that was silent for so long is not expected to come. */
const GONE_HOURS = 90 * 24;
/** Of a vehicle that came once: it comes again once a week. */
const UNKNOWN_GAP_HOURS = 168;
/** Hours drawn for one contact: after so many the hour does not matter any more. */
const DRAWS_MAX = 64;
/** Somebody opens a wave by hand within a day. */
const MANUAL_HOURS = 24;
/** Where nothing was learned yet: an update is done with one drive, or with the next ones. */
const LAGS_UNKNOWN = [1, 2, 4, 12, 24, 48] as const;
/** Points of the curve, in hours; the last is its end. */
const GRID = [
  0, 1, 2, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504, 720, 1080, 1440, 2160,
] as const;

/** How a sampled vehicle comes. */
export interface ContactPattern {
  /** Vehicles of the fleet that it stands for. */
  readonly weight: number;
  /** Hours between contacts; undefined when it came once at most. */
  readonly gapHours: number | undefined;
  /** Contacts by hour of the day in UTC; undefined when none is known. */
  readonly hours: Uint8Array | undefined;
  /** Since its last contact; undefined when it was never seen. */
  readonly silentHours: number | undefined;
  /** Bundles one after the other. */
  readonly steps: number;
  /** From 1 on. */
  readonly wave: number;
}

/** What is forecast. */
export interface ForecastInput {
  readonly vehicles: readonly ContactPattern[];
  readonly waves: readonly {
    readonly soakMinutes: number;
    readonly outcomesMin: number;
    readonly isManual: boolean;
  }[];
  readonly spreadHours: number;
  /** Offers an hour; undefined without a cap. */
  readonly offersPerHour: number | undefined;
  /** Hours from a contact to the report of its update, as vehicles took them; may be empty. */
  readonly lags: readonly number[];
  /** Hour of the day at which it starts, in UTC. */
  readonly startHour: number;
  readonly seed: string;
}

/** A point of the curve, in vehicles. */
export interface ForecastPoint {
  readonly hours: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** See the head of the file. */
export interface Forecast {
  readonly points: readonly ForecastPoint[];
  /** Undefined when it is not reached within the curve. */
  readonly hoursTo95: number | undefined;
}

/** Forecasts. */
export function forecast(input: ForecastInput): Forecast {
  const random = seededRandom(input.seed);
  const runs = Array.from({ length: RUNS }, () => curveOf(simulate(input, random)));
  const points = GRID.map((hours, index) => {
    const reached = runs.map((curve) => curve[index] ?? 0).toSorted((a, b) => a - b);
    const at = (share: number): number => Math.round(reached[Math.floor(share * RUNS)] ?? 0);
    return { hours, low: at(0.1), middle: at(0.5), high: at(0.9) };
  });
  const all = input.vehicles.reduce((sum, { weight }) => sum + weight, 0);
  return { points, hoursTo95: crossing(points, 0.95 * all) };
}

interface Done {
  readonly hours: number;
  readonly weight: number;
}

function curveOf(done: readonly Done[]): readonly number[] {
  return GRID.map((hours) =>
    done.reduce((sum, one) => sum + (one.hours <= hours ? one.weight : 0), 0),
  );
}

function crossing(points: readonly ForecastPoint[], wanted: number): number | undefined {
  const after = points.findIndex(({ middle }) => wanted > 0 && middle >= wanted);
  const [from, to] = [points[after - 1], points[after]];
  if (to === undefined) return undefined;
  if (from === undefined || to.middle === from.middle) return to.hours;
  const share = (wanted - from.middle) / (to.middle - from.middle);
  return Math.round((from.hours + share * (to.hours - from.hours)) * 10) / 10;
}

function simulate(input: ForecastInput, random: Random): readonly Done[] {
  const pace = Math.exp(normal(random) * RATE_DEVIATION);
  const lags = input.lags.length > 0 ? input.lags : LAGS_UNKNOWN;
  const done: Done[] = [];
  let opensAt = 0;
  for (const [index, wave] of input.waves.entries()) {
    const own = input.vehicles.filter((vehicle) => vehicle.wave === index + 1);
    const offers = own.map((vehicle) => ({
      vehicle,
      at: contactAfter(vehicle, { input, pace, random }, opensAt + random() * input.spreadHours),
    }));
    const finished = underCap(offers, input.offersPerHour).map(({ vehicle, at }) => {
      let hours = at + pick(lags, random);
      for (let step = 1; step < vehicle.steps; step += 1) {
        hours = contactAfter(vehicle, { input, pace, random }, hours) + pick(lags, random);
      }
      return { hours, weight: vehicle.weight };
    });
    done.push(...finished);
    opensAt = outcomeAt(finished, wave.outcomesMin) + wave.soakMinutes / 60;
    if (input.waves[index + 1]?.isManual === true) opensAt += MANUAL_HOURS;
    if (!Number.isFinite(opensAt)) break;
  }
  return done;
}

function pick(values: readonly number[], random: Random): number {
  return values[Math.floor(random() * values.length)] ?? 0;
}

/** The next contact after an hour: rarer or more often by the hour of the day, as it came before. */
function contactAfter(
  vehicle: ContactPattern,
  run: { readonly input: ForecastInput; readonly pace: number; readonly random: Random },
  from: number,
): number {
  const { silentHours, gapHours = UNKNOWN_GAP_HOURS, hours } = vehicle;
  if (silentHours === undefined || silentHours > GONE_HOURS || !Number.isFinite(from)) {
    return Infinity;
  }
  const { input, pace, random } = run;
  const gap = Math.max(gapHours * pace, 1 / 60);
  const counts = hours === undefined ? [] : [...hours];
  const most = Math.max(0, ...counts);
  if (most === 0) return from + exponential(random, gap);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  let at = from;
  // Thinning, after Lewis and Shedler 1979: at the busiest hour's rate, and only some of them count.
  for (let draw = 0; draw < DRAWS_MAX; draw += 1) {
    at += exponential(random, (gap * mean) / most);
    const hour = Math.floor(at + input.startHour) % 24;
    if (random() * most < (counts[hour] ?? 0)) break;
  }
  return at;
}

/** Who comes when the hour's offers are made waits for the next hours. */
function underCap<Offer extends { readonly at: number; readonly vehicle: ContactPattern }>(
  offers: readonly Offer[],
  perHour: number | undefined,
): readonly Offer[] {
  if (perHour === undefined) return offers;
  let free = 0;
  return offers
    .toSorted((a, b) => a.at - b.at)
    .map((offer) => {
      const at = Math.max(offer.at, free);
      free = at + offer.vehicle.weight / perHour;
      return { ...offer, at };
    });
}

function outcomeAt(done: readonly Done[], outcomesMin: number): number {
  let known = 0;
  for (const { hours, weight } of done.toSorted((a, b) => a.hours - b.hours)) {
    known += weight;
    if (known >= outcomesMin) return hours;
  }
  // A wave without vehicles keeps nobody waiting.
  return done.length === 0 ? 0 : Infinity;
}
