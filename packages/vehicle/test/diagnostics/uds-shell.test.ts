import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ask,
  DATA_IDENTIFIERS,
  readData,
  refusalOf,
  requestSeed,
  sendKey,
  startSession,
  testerPresent,
  type UdsProcedure,
} from '@immota/bus';
import {
  createUdsApplication,
  type DataPort,
  type DiagnosticRequest,
  openUdsClient,
  type RunningUdsServer,
  serveUds,
  type Timer,
  type UdsClient,
  type UdsPorts,
  wait,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';
import { layUdsWire, type UdsWire } from '../support/uds-wire.ts';

const ALL = { sessions: ['default', 'programming', 'extended'] } as const;
const { vin } = DATA_IDENTIFIERS;
const SLOW = 0xf101;
const NEVER = 0xf102;
const BROKEN = 0xf103;
const REFUSING = 0xf104;

interface Bench {
  readonly timer: JumpingTimer;
  readonly wire: UdsWire;
  readonly server: RunningUdsServer;
  readonly client: UdsClient;
  readonly failures: unknown[];
}

function bench(changes: Partial<UdsPorts> = {}): Bench {
  const timer = jumpingTimer();
  const wire = layUdsWire();
  const failures: unknown[] = [];
  const server = serveUds({
    endpoint: wire.endpoint,
    timer,
    application: createUdsApplication({ ...portsOf(timer), ...changes }),
    onFailure: (error) => failures.push(error),
  });
  const client = openUdsClient({ channel: wire.connect(0x0e00), timer });
  return { timer, wire, server, client, failures };
}

function portsOf(timer: Timer): UdsPorts {
  return {
    data: new Map([
      [vin, read(async () => Promise.resolve(Uint8Array.of(1, 2, 3)))],
      [
        SLOW,
        read(async () => {
          await wait(timer, 20_000);
          return Uint8Array.of(4);
        }),
      ],
      [NEVER, read(async () => Promise.withResolvers<Uint8Array>().promise)],
      [BROKEN, read(async () => Promise.reject(new TypeError('a bug')))],
      [REFUSING, read(async () => Promise.reject(refusalOf(0x22)))],
    ]),
  };
}

describe('serveUds() and openUdsClient()', () => {
  it('exchange requests, one after the other', async () => {
    const { client, timer } = bench();
    const all = Promise.all([
      client.ask(readData(vin)),
      client.ask(testerPresent()),
      client.ask(readData(SLOW)),
      client.ask(readData(vin)),
    ]);
    assert.deepEqual(await timer.until(all), [
      Uint8Array.of(1, 2, 3),
      undefined,
      Uint8Array.of(4),
      Uint8Array.of(1, 2, 3),
    ]);
  });

  it('wait for an ECU that works, and not for ever {14229-2:2021 7.2}', async () => {
    const { client, timer } = bench();
    assert.deepEqual(await timer.until(client.ask(readData(SLOW))), Uint8Array.of(4));
    const begunMs = timer.elapsedMs();
    const never = client.ask(readData(NEVER));
    await assert.rejects(timer.until(never), { code: 'REFUSED', responseCode: 0x10 });
    assert.equal(Math.round(timer.elapsedMs() - begunMs), 600_000);
    // It is still at it, and takes no other work.
    await assert.rejects(timer.until(client.ask(readData(vin))), {
      responseCode: 0x21,
      code: 'REFUSED',
    });
  });

  it('tell a refusal of the ECU from a bug in it', async () => {
    const { client, timer, failures } = bench();
    await assert.rejects(timer.until(client.ask(readData(REFUSING))), {
      responseCode: 0x22,
      code: 'REFUSED',
    });
    assert.equal(failures.length, 0);
    await assert.rejects(timer.until(client.ask(readData(BROKEN))), {
      responseCode: 0x10,
      code: 'REFUSED',
    });
    assert.equal(failures.length, 1);
  });

  it('keep a session alive while a procedure runs, and end it when it does not', async () => {
    const { client, timer, wire } = bench();
    assert.equal(await timer.until(client.run(waitAndAsk(), { entropy })), 7);
    const kept = wire.requests.filter((request) => request[0] === 0x3e && request[1] === 0x80);
    assert.ok(kept.length >= 14 && kept.length <= 16, `${kept.length}`);
    await timer.pass(6000);
    const sent = wire.requests.length;
    await timer.pass(60_000);
    assert.equal(wire.requests.length, sent);
  });

  it('end what is under way when they are closed, and take nothing more', async () => {
    const { client, server, timer } = bench();
    const slow = client.ask(readData(SLOW));
    const refused = assert.rejects(slow, { code: 'CLOSED' });
    await client.close();
    await refused;
    await assert.rejects(client.ask(readData(vin)), { code: 'CLOSED' });
    await client.close();
    await timer.until(server.close());
  });

  it('tell a carrier that fails', async () => {
    const { client, timer, wire } = bench();
    wire.cut(true);
    await assert.rejects(timer.until(client.ask(readData(vin))), { code: 'CLOSED' });
  });

  it('let no more than a few requests wait', async () => {
    const { client, timer } = bench();
    const all = Array.from({ length: 30 }, async () => client.ask(readData(vin)));
    const settled = await timer.until(Promise.allSettled(all));
    const refused = settled.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 13);
  });

  it('drop requests of a tester that takes no answers, before anything grows', async () => {
    const timer = jumpingTimer();
    let handler: ((request: DiagnosticRequest) => void) | undefined;
    const { promise: stuck, resolve } = Promise.withResolvers<void>();
    let answers = 0;
    const server = serveUds({
      endpoint: {
        messageMaxBytes: 4095,
        serve: (serve) => {
          handler = serve;
          return () => {
            handler = undefined;
          };
        },
        close: async () => Promise.resolve(),
      },
      timer,
      application: createUdsApplication(portsOf(timer)),
      onFailure: (error) => assert.ifError(error),
    });
    for (let index = 0; index < 1000; index += 1) {
      handler?.({
        tester: index,
        isFunctional: false,
        bytes: Uint8Array.of(0x3e, 0),
        respond: async () => {
          answers += 1;
          await stuck;
        },
      });
    }
    resolve();
    await timer.until(server.close());
    assert.ok(answers > 1 && answers <= 66, `${answers}`);
  });

  it('judge no key when the attempt cannot be counted', async () => {
    let judged = 0;
    const kept: number[] = [];
    const keys = (isBroken: boolean): UdsPorts['keys'] => ({
      levels: [1],
      failedAttempts: 0,
      policy: { attemptsMax: 3, delayMs: 10_000, bootDelayMs: 0 },
      keepAttempts: async (count) => {
        if (isBroken) throw new TypeError('the store is full');
        kept.push(count);
        await Promise.resolve();
      },
      makeSeed: async () => Promise.resolve(Uint8Array.of(1)),
      isKey: async () => {
        judged += 1;
        return Promise.resolve(true);
      },
    });
    const broken = bench({ keys: keys(true) });
    await assert.rejects(unlock(broken), { code: 'REFUSED', responseCode: 0x10 });
    assert.deepEqual([judged, broken.failures.length], [0, 1]);
    await unlock(bench({ keys: keys(false) }));
    assert.deepEqual([judged, kept], [1, [1, 0]]);
  });
});

function read(perform: () => Promise<Uint8Array>): DataPort {
  return { read: { access: ALL, perform } };
}

function* waitAndAsk(): UdsProcedure<number> {
  yield* ask(startSession('extended'));
  yield { kind: 'keepSession', isKept: true };
  yield { kind: 'pause', delayMs: 30_000 };
  yield* ask(testerPresent());
  return 7;
}

async function unlock({ client, timer }: Bench): Promise<void> {
  await timer.until(client.ask(startSession('extended')));
  await timer.until(client.ask(requestSeed(1)));
  await timer.until(client.ask(sendKey(1, Uint8Array.of(9))));
}
