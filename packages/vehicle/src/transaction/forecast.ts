/**
 * How long a transaction takes, with a range, and who is best prepared beside whom: from how the ECUs are
 * connected and from what they have shown before.
 */
import { type Estimate, estimate, type Experience } from './experience.ts';
import { type Capacity, elapse, type Picker, type Transfer } from './flow.ts';
import type { VehicleLayout } from './layout.ts';
import type { PrepareScheduler } from './prepare-all.ts';
import { activationGroups, type TransactionEcu } from './record.ts';

/** What is foretold; milliseconds. */
export interface Forecast {
  /** Bringing images into other slots: the vehicle can be used meanwhile. */
  readonly prepare: Estimate;
  /** From the first boot of an ECU to the decision: the vehicle cannot be used. */
  readonly unusable: Estimate;
}

/** What a forecast is made of. */
export interface Foreknowledge {
  readonly layout: VehicleLayout;
  readonly experience: Experience;
}

/** At once at most: each transfer holds buffers in the T-BOX. */
const AT_ONCE_MAX = 8;
/** The same where no bus is known. */
const AT_ONCE_UNKNOWN = 4;
/** Where only the layout speaks: a bus carries other traffic, and erasing takes its time. */
const UNLEARNED_SPREAD = 0.5;
/** A boot of which nothing is known: a microcontroller takes a second, a Linux a minute and a half. */
const BOOT_UNKNOWN: Estimate = { low: 1000, likely: 20_000, high: 90_000 };
/** A transfer is begun when at least this part of what its ECU could take is free. */
const USEFUL_SHARE = 0.25;

type End = keyof Estimate;
type Rates = ReadonlyMap<TransactionEcu, Estimate>;

/**
 * Foretells a transaction.
 *
 * @returns undefined when nothing is known of how fast one of its ECUs takes an image.
 */
export function foretell(
  ecus: readonly TransactionEcu[],
  knowledge: Foreknowledge,
): Forecast | undefined {
  const rates = new Map<TransactionEcu, Estimate>();
  for (const entry of ecus) {
    const rate = rateOf(entry, knowledge);
    if (rate === undefined) return undefined;
    rates.set(entry, rate);
  }
  return {
    prepare: estimateBy((end) => prepareMs(rates, knowledge.layout, end)),
    unusable: estimateBy((end) => unusableMs(rates, knowledge, end)),
  };
}

/** Makes the scheduler: the longest first, and beside it whoever still finds room on bus and gateway. */
export function createScheduler(knowledge: Foreknowledge): PrepareScheduler {
  const { layout } = knowledge;
  const pick = pickerOf(layout);
  const transferOf = (entry: TransactionEcu): Transfer =>
    transferWith(entry, layout, rateOf(entry, knowledge)?.likely ?? Infinity);
  return {
    pick: (waiting, running) => {
      const entries = new Map(waiting.map((entry) => [transferOf(entry), entry]));
      const next = pick(
        [...entries.keys()],
        running.map((entry) => transferOf(entry)),
      );
      return next === undefined ? undefined : entries.get(next);
    },
  };
}

/** The slow end of the rates is the long end of the time. */
function estimateBy(computeMs: (rateEnd: End) => number): Estimate {
  const likely = computeMs('likely');
  // Faster ECUs may leave less room on a bus beside each other: the range is never inside out for that.
  const low = Math.min(computeMs('high'), likely);
  return { low, likely, high: Math.max(computeMs('low'), likely) };
}

/** All that have another slot, at once as the scheduler lets them. */
function prepareMs(rates: Rates, layout: VehicleLayout, end: End): number {
  const transfers = [...rates]
    .filter(([{ kind }]) => kind !== 'in-place')
    .map(([entry, rate]) => transferWith(entry, layout, rate[end]));
  return elapse(transfers, capacityOf(layout), pickerOf(layout));
}

const BOOT_END = { low: 'high', likely: 'likely', high: 'low' } as const satisfies Record<End, End>;

/** Group after group: the longest of each, written before where there is one bank. */
function unusableMs(rates: Rates, knowledge: Foreknowledge, end: End): number {
  const { layout } = knowledge;
  let sum = 0;
  for (const group of activationGroups([...rates.keys()])) {
    const written = group
      .filter(({ kind }) => kind === 'in-place')
      .map((entry) => transferWith(entry, layout, rates.get(entry)?.[end] ?? 1));
    const boots = group.map(({ ecu }) => bootOf(ecu, knowledge)[BOOT_END[end]]);
    sum += elapse(written, capacityOf(layout), ([first]) => first) + Math.max(...boots);
  }
  return sum;
}

function rateOf(
  { ecu }: TransactionEcu,
  { layout, experience }: Foreknowledge,
): Estimate | undefined {
  const learned = estimate(experience, ecu, 'bytesPerSecond');
  if (learned !== undefined) return learned;
  const own = layout.ecus.get(ecu);
  const bus = own === undefined ? undefined : layout.buses.get(own.bus)?.bytesPerSecond;
  const stated = own?.bytesPerSecond ?? bus;
  return stated === undefined ? undefined : unlearned(Math.min(stated, bus ?? stated));
}

function bootOf(ecu: string, { layout, experience }: Foreknowledge): Estimate {
  const learned = estimate(experience, ecu, 'bootMs');
  const stated = layout.ecus.get(ecu)?.bootMs;
  return learned ?? (stated === undefined ? BOOT_UNKNOWN : unlearned(stated));
}

function unlearned(likely: number): Estimate {
  const spread = likely * UNLEARNED_SPREAD;
  return { low: likely - spread, likely, high: likely + spread };
}

function transferWith(
  { ecu, kind, served }: TransactionEcu,
  layout: VehicleLayout,
  bytesPerSecond: number,
): Transfer {
  // The T-BOX writes to itself; an ECU that no layout names has a line of its own.
  const bus = kind === 'self' ? `own ${ecu}` : (layout.ecus.get(ecu)?.bus ?? `line ${ecu}`);
  return { lengthBytes: served.lengthBytes, bytesPerSecond, bus };
}

function capacityOf({ buses, gatewayBytesPerSecond }: VehicleLayout): Capacity {
  return { busOf: (bus) => buses.get(bus)?.bytesPerSecond, gatewayBytesPerSecond };
}

function pickerOf(layout: VehicleLayout): Picker {
  const { busOf, gatewayBytesPerSecond = Infinity } = capacityOf(layout);
  const atOnceMax = layout.buses.size === 0 ? AT_ONCE_UNKNOWN : AT_ONCE_MAX;
  const aloneS = ({ lengthBytes, bytesPerSecond, bus }: Transfer): number =>
    lengthBytes / Math.min(bytesPerSecond, busOf(bus) ?? Infinity);
  return (waiting, running) => {
    if (running.length >= atOnceMax) return undefined;
    const taken = (isOn: (one: Transfer) => boolean): number =>
      running.filter(isOn).reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    const hasRoom = ({ bytesPerSecond, bus }: Transfer): boolean => {
      const limits = [busOf(bus), layout.gatewayBytesPerSecond];
      if (limits.every((limit) => limit === undefined)) return true;
      const onBus = (busOf(bus) ?? Infinity) - taken((one) => one.bus === bus);
      const room = Math.min(onBus, gatewayBytesPerSecond - taken(() => true));
      return room >= bytesPerSecond * USEFUL_SHARE;
    };
    const longest = waiting.toSorted((left, right) => aloneS(right) - aloneS(left));
    return running.length === 0 ? longest[0] : longest.find((transfer) => hasRoom(transfer));
  };
}
