import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createDiagnosticRouter,
  type DiagnosticChannel,
  type DiagnosticRouter,
  type DiagnosticRouterOptions,
  type RoutedRequest,
} from '@immota/vehicle';
import { jumpingTimer, type JumpingTimer } from '../support/jumping-timer.ts';
import { ask, openBench, TESTER } from './doip-bench.ts';

const BRAKES = 0x2001;
const ENGINE = 0x2002;
const GROUP = 0xe400;
const EMPTY = 0xe401;
const OTHER = 0x0e81;

/** An ECU on a bus: it keeps what it was sent, and says what a test wants. */
class Ecu implements DiagnosticChannel {
  readonly messageMaxBytes = 4095;
  readonly heard: string[] = [];
  /** What a request is answered with, at once; undefined for nothing. */
  answer: ((request: Uint8Array) => readonly string[]) | undefined;
  /** How long the bus takes. */
  busMs = 0;
  isBroken = false;
  isClosed = false;
  readonly #timer: JumpingTimer;
  readonly #listeners = new Set<(message: Uint8Array) => void>();

  constructor(timer: JumpingTimer) {
    this.#timer = timer;
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.isBroken) throw new TypeError('the bus is cut');
    this.heard.push(message.toHex());
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timer.schedule(this.busMs, resolve);
    await promise;
    for (const answer of this.answer?.(message) ?? []) this.say(answer);
  }

  say(hex: string): void {
    for (const listener of this.#listeners) listener(Uint8Array.fromHex(hex));
  }

  listen(listener: (message: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.resolve();
  }
}

interface World {
  readonly timer: JumpingTimer;
  readonly brakes: Ecu;
  readonly engine: Ecu;
  readonly router: DiagnosticRouter;
  /** What testers heard: who, from whom, what. */
  readonly heard: string[];
  /** Sends a request; gives the code of a refusal. */
  send(tester: number, target: number, hex: string): number | undefined;
  leave(tester: number): void;
}

function makeWorld(options: Partial<DiagnosticRouterOptions> = {}): World {
  const timer = jumpingTimer();
  const brakes = new Ecu(timer);
  const engine = new Ecu(timer);
  const router = createDiagnosticRouter({
    ecus: new Map([
      [BRAKES, brakes],
      [ENGINE, engine],
    ]),
    groups: new Map([
      [GROUP, [BRAKES, ENGINE]],
      [EMPTY, []],
    ]),
    permit: () => 'permit',
    timer,
    ...options,
  });
  const heard: string[] = [];
  const gone = new Set<number>();
  const send = (tester: number, target: number, hex: string): number | undefined => {
    const respondAs = async (source: number, message: Uint8Array): Promise<void> => {
      heard.push(`${tester.toString(16)} ${source.toString(16)} ${message.toHex()}`);
      await Promise.resolve();
    };
    const request: RoutedRequest = {
      tester,
      target,
      isFunctional: false,
      bytes: Uint8Array.fromHex(hex),
      respond: (message) => respondAs(target, message),
      respondAs,
      isGone: () => gone.has(tester),
    };
    const found = router.route(target);
    return typeof found === 'number' ? found : found.deliver(request);
  };
  return { timer, brakes, engine, router, heard, send, leave: (tester) => void gone.add(tester) };
}

function positive(request: Uint8Array): readonly string[] {
  return [Uint8Array.of((request[0] ?? 0) + 0x40, request[1] ?? 0).toHex()];
}

describe('createDiagnosticRouter()', () => {
  it('carries a request to the ECU, and its answers to whoever asked', async () => {
    const world = makeWorld();
    world.brakes.answer = () => ['7f3178', '7101'];
    assert.equal(world.send(TESTER, BRAKES, '3101ff00'), undefined);
    await world.timer.pass(1);
    assert.deepEqual(world.brakes.heard, ['3101ff00']);
    assert.deepEqual(world.heard, ['e80 2001 7f3178', 'e80 2001 7101']);
    assert.deepEqual(world.engine.heard, []);
  });

  it('gives an ECU one request at a time, in order, whoever asks', async () => {
    const world = makeWorld();
    for (const [tester, hex] of [
      [TESTER, '2201'],
      [OTHER, '2202'],
      [TESTER, '2203'],
    ] as const) {
      assert.equal(world.send(tester, BRAKES, hex), undefined);
    }
    await world.timer.pass(10);
    assert.deepEqual(world.brakes.heard, ['2201']);
    world.brakes.say('6201');
    await world.timer.pass(10);
    assert.deepEqual(world.brakes.heard, ['2201', '2202']);
    world.brakes.say('7f2278');
    await world.timer.pass(4000);
    assert.equal(world.brakes.heard.length, 2);
    world.brakes.say('6202');
    await world.timer.pass(10);
    world.brakes.say('7f2231');
    assert.deepEqual(world.heard, [
      'e80 2001 6201',
      'e81 2001 7f2278',
      'e81 2001 6202',
      'e80 2001 7f2231',
    ]);
  });

  it('serves different ECUs at the same time', async () => {
    const world = makeWorld();
    for (const ecu of [world.brakes, world.engine]) {
      ecu.busMs = 1000;
      ecu.answer = positive;
    }
    world.send(TESTER, BRAKES, '3601');
    world.send(TESTER, ENGINE, '3601');
    await world.timer.pass(1000);
    assert.deepEqual(world.heard, ['e80 2001 7601', 'e80 2002 7601']);
  });

  it('waits five seconds for an ECU, anew after each "pending", and then serves the next', async () => {
    const world = makeWorld();
    world.send(TESTER, BRAKES, '3101ff00');
    world.send(OTHER, BRAKES, '2201');
    await world.timer.pass(4999);
    world.brakes.say('7f3178');
    await world.timer.pass(4999);
    assert.equal(world.brakes.heard.length, 1);
    await world.timer.pass(2);
    assert.deepEqual(world.brakes.heard, ['3101ff00', '2201']);
  });

  it('keeps a late answer from another tester, and hands it on to its own', async () => {
    const world = makeWorld();
    world.send(TESTER, BRAKES, '3101ff00');
    await world.timer.pass(6000);
    world.brakes.say('7101');
    assert.deepEqual(world.heard, ['e80 2001 7101']);
    world.send(OTHER, BRAKES, '2201');
    await world.timer.pass(1);
    world.brakes.say('7102');
    assert.deepEqual(world.heard, ['e80 2001 7101']);
    world.brakes.say('6201');
    assert.deepEqual(world.heard, ['e80 2001 7101', 'e81 2001 6201']);
  });

  it('lets a tester go on after a request that wants no answer, and others after a pause', async () => {
    const world = makeWorld();
    world.send(TESTER, BRAKES, '3e80');
    world.send(TESTER, BRAKES, '3680');
    await world.timer.pass(1);
    assert.deepEqual(world.brakes.heard, ['3e80', '3680']);
    world.brakes.say('7680');
    world.send(TESTER, BRAKES, '3e80');
    world.send(OTHER, BRAKES, '2201');
    await world.timer.pass(50);
    assert.equal(world.brakes.heard.length, 3);
    await world.timer.pass(60);
    assert.equal(world.brakes.heard.length, 4);
  });

  it('refuses with 05 what its queues do not hold, by number and by bytes', async () => {
    const world = makeWorld({ queueMax: 2 });
    const codes = [1, 2, 3, 4].map(() => world.send(TESTER, BRAKES, '2201'));
    assert.deepEqual(codes, [undefined, undefined, undefined, 0x05]);
    assert.equal(world.send(TESTER, ENGINE, '2201'), undefined);
    const small = makeWorld({ queueMaxBytes: 4 });
    small.brakes.answer = positive;
    assert.equal(small.send(TESTER, BRAKES, '2201ff'), undefined);
    assert.equal(small.send(TESTER, ENGINE, '2201'), 0x05);
    await small.timer.pass(1);
    assert.equal(small.send(TESTER, ENGINE, '2201'), undefined);
  });

  it('refuses with 03, 04 and 07 what no ECU can take', () => {
    const world = makeWorld();
    assert.equal(world.send(TESTER, 0x2fff, '2201'), 0x03);
    assert.equal(world.send(TESTER, BRAKES, '36'.repeat(4096)), 0x04);
    assert.equal(world.send(TESTER, BRAKES, '36'.repeat(4095)), undefined);
    assert.equal(world.send(TESTER, EMPTY, '2201'), 0x07);
  });

  it('refuses with 08 for a second after the bus failed, and tells of what it lost', async () => {
    const lost: number[] = [];
    const world = makeWorld({ onFailed: (target) => void lost.push(target) });
    world.brakes.isBroken = true;
    assert.equal(world.send(TESTER, BRAKES, '2201'), undefined);
    await world.timer.pass(1);
    assert.deepEqual(lost, [BRAKES]);
    assert.equal(world.send(TESTER, BRAKES, '2201'), 0x08);
    world.brakes.isBroken = false;
    await world.timer.pass(1000);
    assert.equal(world.send(TESTER, BRAKES, '2201'), undefined);
    assert.deepEqual(world.brakes.heard, ['2201']);
  });

  it('asks a group by asking its members, and keeps silent who is not concerned', async () => {
    const world = makeWorld();
    world.brakes.answer = positive;
    world.engine.answer = () => ['7f2231'];
    assert.equal(world.send(TESTER, GROUP, '22f190'), undefined);
    await world.timer.pass(1);
    assert.deepEqual(world.engine.heard, ['22f190']);
    assert.deepEqual(world.heard, ['e80 2001 62f1']);
  });

  it('does not carry requests of a tester who has left', async () => {
    const world = makeWorld();
    world.send(TESTER, BRAKES, '2201');
    world.send(OTHER, BRAKES, '2202');
    world.send(TESTER, BRAKES, '2203');
    world.leave(OTHER);
    await world.timer.pass(1);
    world.brakes.say('6201');
    await world.timer.pass(1);
    assert.deepEqual(world.brakes.heard, ['2201', '2203']);
  });

  it('closes its channels, and refuses with 06 from then on', async () => {
    const world = makeWorld();
    world.send(TESTER, BRAKES, '2201');
    world.send(TESTER, BRAKES, '2202');
    await world.router.close();
    assert.equal(world.brakes.isClosed, true);
    assert.equal(world.send(TESTER, BRAKES, '2203'), 0x06);
    await world.timer.pass(10_000);
    assert.deepEqual(world.brakes.heard, ['2201']);
  });
});

describe('The firewall of a diagnostic router', () => {
  it('sees each whole message, and refuses by the code it likes', async () => {
    const seen: string[] = [];
    const world = makeWorld({
      permit: (tester, target, message) => {
        seen.push(`${tester.toString(16)} ${target.toString(16)} ${message.toHex()}`);
        return message[0] === 0x10 && tester !== TESTER ? { nackCode: 0x06 } : 'permit';
      },
    });
    assert.equal(world.send(OTHER, BRAKES, '1002'), 0x06);
    assert.equal(world.send(OTHER, BRAKES, '2201'), undefined);
    await world.timer.pass(1);
    assert.deepEqual(world.brakes.heard, ['2201']);
    assert.deepEqual(seen, ['e81 2001 1002', 'e81 2001 2201']);
  });

  it('is asked for each member of a group', async () => {
    const world = makeWorld({
      permit: (_tester, target) => (target === ENGINE ? { nackCode: 0x03 } : 'permit'),
    });
    assert.equal(world.send(TESTER, GROUP, '1003'), undefined);
    await world.timer.pass(1);
    assert.deepEqual([world.brakes.heard, world.engine.heard], [['1003'], []]);
    const closed = makeWorld({
      permit: (_tester, target) => (target === GROUP ? 'permit' : { nackCode: 0x06 }),
    });
    assert.equal(closed.send(TESTER, GROUP, '1003'), 0x06);
    const shut = makeWorld({ permit: () => ({ nackCode: 0x03 }) });
    assert.equal(shut.send(TESTER, GROUP, '1003'), 0x03);
  });

  it('stands between a tester on DoIP and a bus it may not reach', async (t) => {
    const timer = jumpingTimer();
    const brakes = new Ecu(timer);
    const engine = new Ecu(timer);
    engine.answer = positive;
    const router = createDiagnosticRouter({
      ecus: new Map([
        [BRAKES, brakes],
        [ENGINE, engine],
      ]),
      permit: (_tester, target) => (target === BRAKES ? { nackCode: 0x03 } : 'permit'),
      timer,
    });
    t.after(() => router.close());
    const bench = await openBench(t, { route: router.route, isGateway: true });
    const connection = await bench.connect();
    const refused = connection.openChannel(BRAKES).send(Uint8Array.of(0x10, 0x02));
    await assert.rejects(refused, { code: 'MESSAGE_REFUSED', wireCode: 0x03 });
    assert.deepEqual(brakes.heard, []);
    const answer = ask(connection, Uint8Array.of(0x22, 0x01), ENGINE);
    assert.deepEqual([...(await timer.until(answer))], [0x62, 0x01]);
  });
});
