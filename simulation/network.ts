/**
 * The way between vehicles and the cloud: slow, lossy, and with a man in the middle who sees and changes
 * everything above TLS. The fetchers are what a Primary is given in the place of HTTPS.
 */
import { type Fetcher, type FetchRequest, type FetchResponse, VehicleFault } from '@immota/vehicle';
import type { Chance } from './chance.ts';
import type { Door, DoorAnswer, DoorRequest } from './door.ts';
import type { Faults, NetworkFault } from './faults.ts';
import type { Forger } from './forger.ts';
import type { Ledger } from './ledger.ts';
import type { Power } from './power.ts';
import type { SimulatedCloud } from './simulated-cloud.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';

/** What a network is made of. */
export interface NetworkSetup {
  readonly time: SimulatedTime;
  readonly cloud: SimulatedCloud;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly forger: Forger;
  readonly ledger: Ledger;
  readonly story: Story;
}

/** A vehicle at the network. */
export interface Subscriber {
  readonly vehicleId: string;
  readonly door: Door;
}

/** As the man in the middle keeps answers, newest last. */
const KEPT_ANSWERS = 6;
const LATENCY_MIN_MS = 20;
const LATENCY_MAX_MS = 400;
const PART_BYTES = 262_144;
const PART_MS = 150;
const SLOW_PART_BYTES = 2000;
const SLOW_PART_MS = 1500;
const LATE_ECHO_MAX_MS = 1_800_000;
const DELAY_MAX_MS = 55_000;
/** Longer than anybody waits. */
const NEVER_MS = 100_000_000;

/** See the head of the file. */
export class Network {
  readonly #setup: NetworkSetup;
  readonly #kept = new Map<string, DoorAnswer[]>();

  constructor(setup: NetworkSetup) {
    this.#setup = setup;
  }

  /** The fetcher of a vehicle, for as long as its power is on. */
  fetcherFor(subscriber: Subscriber, power: Power): Fetcher {
    return {
      fetch: async (request) => {
        power.step('request');
        const signal = AbortSignal.any([request.signal, power.signal]);
        return await this.#exchange(subscriber, { ...request, signal }, power);
      },
      close: () => undefined,
    };
  }

  async #exchange(
    subscriber: Subscriber,
    request: FetchRequest,
    power: Power,
  ): Promise<FetchResponse> {
    const { time, chance, faults, story } = this.#setup;
    const { signal, url } = request;
    const fault = faults.drawNetwork();
    const asked = doorRequest(request);
    const what = `${subscriber.vehicleId.slice(-1)} ${asked.method} ${asked.path}`;
    if (fault !== undefined) story.tell(fault, what);
    await time.wait(chance.between(LATENCY_MIN_MS, LATENCY_MAX_MS), signal);
    if (fault === 'request-lost') throw broken(url);
    if (fault === 'silence') await time.wait(NEVER_MS, signal);
    const answer = await this.#answer(subscriber, asked, fault);
    story.tell('exchange', `${what} ${answer?.status ?? 'no answer'}`);
    await time.wait(this.#answerDelay(fault), signal);
    power.step('answer');
    if (answer === undefined || fault === 'answer-lost') throw broken(url);
    const changed = this.#change(subscriber, asked, answer, fault);
    const body = this.#deliver(changed.body, { url, signal, power, fault });
    return { status: changed.status, headers: changed.headers, body };
  }

  #answerDelay(fault: NetworkFault | undefined): number {
    const { chance } = this.#setup;
    const most = fault === 'delayed' ? DELAY_MAX_MS : LATENCY_MAX_MS;
    return chance.between(LATENCY_MIN_MS, most);
  }

  async #answer(
    subscriber: Subscriber,
    asked: DoorRequest,
    fault: NetworkFault | undefined,
  ): Promise<DoorAnswer | undefined> {
    const { time, chance } = this.#setup;
    const sent = fault === 'flipped-request' ? this.#flipRequest(asked) : asked;
    const answer = await this.#ask(subscriber, sent);
    if (fault === 'duplicated') return (await this.#ask(subscriber, sent)) ?? answer;
    if (fault === 'echoed-later') {
      time.schedule(chance.between(0, LATE_ECHO_MAX_MS), () => {
        void this.#ask(subscriber, sent);
      });
    }
    return answer;
  }

  async #ask(subscriber: Subscriber, asked: DoorRequest): Promise<DoorAnswer | undefined> {
    const { cloud, ledger, story } = this.#setup;
    const { vehicleId, door } = subscriber;
    ledger.manifestSent(vehicleId, asked);
    const answer = await cloud.ask(door, asked);
    if (answer === undefined) return undefined;
    if (answer.status >= 500) {
      story.fail('broken', `${asked.method} ${asked.path}: ${Buffer.from(answer.body).toString()}`);
    }
    if (answer.status === 200) {
      ledger.manifestAnswered(vehicleId, asked);
      this.#keep(vehicleId, asked, answer);
    }
    return answer;
  }

  #keep(vehicleId: string, { method, path }: DoorRequest, answer: DoorAnswer): void {
    if (method !== 'GET') return;
    const key = `${vehicleId} ${path}`;
    const kept = this.#kept.get(key) ?? [];
    const last = kept.at(-1)?.body;
    if (last !== undefined && Buffer.compare(last, answer.body) === 0) return;
    this.#kept.set(key, [...kept, answer].slice(-KEPT_ANSWERS));
  }

  /** What the man in the middle, or the noise, makes of an answer. */
  #change(
    { vehicleId }: Subscriber,
    { path }: DoorRequest,
    answer: DoorAnswer,
    fault: NetworkFault | undefined,
  ): DoorAnswer {
    const { chance, forger } = this.#setup;
    switch (fault) {
      case 'flipped':
        return { ...answer, body: flip(answer.body, chance) };
      case 'truncated':
        return { ...answer, body: answer.body.subarray(0, chance.below(answer.body.length + 1)) };
      case 'server-error':
        return emptyAnswer(chance.pick([500, 502, 503, 429, 404, 403]));
      case 'redirected':
        return { ...emptyAnswer(302), headers: new Map([['location', 'https://evil.invalid/']]) };
      case 'replayed':
        return chance.pick(this.#kept.get(`${vehicleId} ${path}`) ?? [answer]);
      case 'foreign':
        return this.#foreign(vehicleId, path) ?? answer;
      case 'forged':
        return { ...answer, body: forger.forge(path, answer.body) };
      case 'planted':
        return { ...answer, body: forger.plant(answer.body.length) };
      // These strike the way and not what travels on it.
      case 'request-lost':
      case 'answer-lost':
      case 'silence':
      case 'duplicated':
      case 'echoed-later':
      case 'reset':
      case 'flipped-request':
      case 'slow':
      case 'delayed':
      case undefined:
        return answer;
    }
  }

  /** What another vehicle was last told. */
  #foreign(vehicleId: string, path: string): DoorAnswer | undefined {
    const { chance } = this.#setup;
    const others = [...this.#kept].filter(
      ([key]) => key.endsWith(` ${path}`) && !key.startsWith(vehicleId),
    );
    return others.length === 0 ? undefined : chance.pick(others)[1].at(-1);
  }

  async *#deliver(
    body: Uint8Array,
    way: {
      readonly url: string;
      readonly signal: AbortSignal;
      readonly power: Power;
      readonly fault: NetworkFault | undefined;
    },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { time, chance } = this.#setup;
    const { url, signal, power, fault } = way;
    const isSlow = fault === 'slow';
    const end = fault === 'reset' ? chance.below(body.length + 1) : body.length;
    const partBytes = isSlow ? SLOW_PART_BYTES : PART_BYTES;
    for (let offset = 0; offset < end; offset += partBytes) {
      if (offset > 0 || isSlow) await time.wait(isSlow ? SLOW_PART_MS : PART_MS, signal);
      power.step('part');
      yield body.slice(offset, Math.min(end, offset + partBytes));
    }
    if (fault === 'reset') throw broken(url);
  }

  #flipRequest(asked: DoorRequest): DoorRequest {
    const { chance } = this.#setup;
    return asked.body === undefined ? asked : { ...asked, body: flip(asked.body, chance) };
  }
}

/** Changes one bit. */
export function flip(bytes: Uint8Array, chance: Chance): Uint8Array {
  const changed = bytes.slice();
  const index = chance.below(Math.max(1, changed.length));
  const mask = 1 << chance.below(8);
  if (changed.length > 0) changed[index] = (changed[index] ?? 0) ^ mask;
  return changed;
}

function doorRequest({ method, url, headers = {}, body }: FetchRequest): DoorRequest {
  return { method, path: new URL(url).pathname, headers, body };
}

function emptyAnswer(status: number): DoorAnswer {
  return { status, headers: new Map(), body: new Uint8Array() };
}

function broken(url: string): VehicleFault {
  return new VehicleFault('NETWORK', `Cannot reach ${url}: the connection broke`);
}
