/** Messages over the modelled bus, in simulated time and in real time. */
import { normalAddress } from '@immota/bus';
import { createCanHub, openIsoTpEndpoint, openIsoTpTester, type Timer } from '@immota/vehicle';
import type { Carriage } from './limit.ts';

/** The identifiers of both ways. */
export const IDENTIFIERS: readonly [to: number, from: number] = [0x7e0, 0x7e8];

/** Sends messages one after the other. @returns how long that took on the timer. */
export async function carry(
  messages: readonly Uint8Array[],
  by: Carriage,
  timer: Timer,
): Promise<number> {
  const { rate, frameBytes, blockSize, separationTimeUs } = by;
  const [txId, rxId] = IDENTIFIERS;
  const address = normalAddress({ txId, rxId });
  const messageMaxBytes = Math.max(...messages.map(({ length }) => length));
  const isFd = frameBytes > 8;
  const settings = { isFd, frameBytes, blockSize, separationTimeUs, messageMaxBytes };
  const hub = createCanHub({ timer, rate });
  const place = { timer: hub.timer, settings };
  const endpoint = openIsoTpEndpoint({ ...place, bus: hub.connect(), testers: [address] });
  let received = 0;
  endpoint.serve(({ bytes }) => {
    received += bytes.length;
  });
  const tester = openIsoTpTester({ ...place, bus: hub.connect() });
  const channel = tester.channelTo(address);
  const beginMs = timer.elapsedMs();
  for (const message of messages) await channel.send(message);
  const tookMs = timer.elapsedMs() - beginMs;
  if (received !== messages.reduce((sum, { length }) => sum + length, 0)) {
    throw new TypeError(`${received} bytes came`);
  }
  tester.close();
  await endpoint.close();
  hub.close();
  return tookMs;
}

/** Time that jumps to the next event when nobody computes. */
export class SimulatedTimer implements Timer {
  readonly #entries: { readonly atMs: number; readonly action: () => void }[] = [];
  #nowMs = 0;

  elapsedMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, action: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, action };
    const index = this.#entries.findIndex(({ atMs }) => atMs > entry.atMs);
    this.#entries.splice(index < 0 ? this.#entries.length : index, 0, entry);
    return () => {
      const found = this.#entries.indexOf(entry);
      if (found >= 0) this.#entries.splice(found, 1);
    };
  }

  /** Lets time pass until a promise is fulfilled. */
  async until<Result>(promise: Promise<Result>): Promise<Result> {
    const ended = promise.then(() => true);
    while (!(await Promise.race([ended, this.#step()])));
    return promise;
  }

  async #step(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
    const next = this.#entries.shift();
    if (next === undefined) return false;
    this.#nowMs = next.atMs;
    next.action();
    return false;
  }
}
