/**
 * How fast several transfers go at once: each as fast as its ECU takes it, all on a bus together no faster
 * than the bus, all together no faster than the gateway; what is scarce is shared evenly. A fluid model:
 * it knows bytes per second and no frames.
 */

/** One transfer, and what it goes through. */
export interface Transfer {
  readonly lengthBytes: number;
  /** What its ECU can take. */
  readonly bytesPerSecond: number;
  readonly bus: string;
}

/** What transfers share. */
export interface Capacity {
  /** Bytes per second of a bus; undefined when it holds nobody back. */
  readonly busOf: (bus: string) => number | undefined;
  readonly gatewayBytesPerSecond: number | undefined;
}

/** Picks what is begun next, or nothing. */
export type Picker = (
  waiting: readonly Transfer[],
  running: readonly Transfer[],
) => Transfer | undefined;

/** A part of a byte: what is less is done. */
const DONE_BYTES = 1e-6;
/** Nobody stands still for ever, whatever a layout says. */
const RATE_MIN = 1e-3;

/** Foretells how long transfers take together, in milliseconds. */
export function elapse(transfers: readonly Transfer[], capacity: Capacity, pick: Picker): number {
  let waiting = [...transfers];
  const left = new Map<Transfer, number>();
  let seconds = 0;
  for (let events = 0; events <= transfers.length * 2; events += 1) {
    for (;;) {
      const next = pick(waiting, [...left.keys()]);
      if (next === undefined) break;
      waiting = waiting.filter((transfer) => transfer !== next);
      left.set(next, next.lengthBytes);
    }
    if (left.size === 0) break;
    const rates = shareOut([...left.keys()], capacity);
    const until = Math.min(...[...left].map(([one, bytes]) => bytes / (rates.get(one) ?? 1)));
    seconds += until;
    for (const [one, bytes] of left) {
      const rest = bytes - until * (rates.get(one) ?? 1);
      if (rest <= DONE_BYTES) left.delete(one);
      else left.set(one, rest);
    }
  }
  return seconds * 1000;
}

/** Shares out what is scarce: all grow evenly until something holds them. */
export function shareOut(
  transfers: readonly Transfer[],
  { busOf, gatewayBytesPerSecond }: Capacity,
): ReadonlyMap<Transfer, number> {
  const rates = new Map<Transfer, number>();
  let open = [...transfers];
  while (open.length > 0) {
    const growing = open;
    const levelOf = (limit: number | undefined, isOn: (one: Transfer) => boolean): number => {
      if (limit === undefined) return Infinity;
      const used = transfers.filter(isOn).reduce((sum, one) => sum + (rates.get(one) ?? 0), 0);
      return (limit - used) / growing.filter(isOn).length;
    };
    const levels = growing.map((one) => {
      const bus = levelOf(busOf(one.bus), (other) => other.bus === one.bus);
      const gateway = levelOf(gatewayBytesPerSecond, () => true);
      return Math.min(one.bytesPerSecond, bus, gateway);
    });
    const lowest = Math.min(...levels);
    // Those that are held at the lowest level stay there; the others go on growing.
    const held = growing.filter((_, index) => (levels[index] ?? 0) <= lowest);
    for (const one of held) rates.set(one, Math.max(lowest, RATE_MIN));
    open = growing.filter((one) => !held.includes(one));
  }
  return rates;
}
