/** Testers and ECUs that know nothing of a gateway speak through one, on buses that keep real time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canBitRate,
  extendedAddress,
  type IsoTpAddress,
  type IsoTpSettings,
  normalAddress,
} from '@immota/bus';
import {
  createCanHub,
  createGateway,
  openIsoTpEndpoint,
  openIsoTpTester,
  parseGatewayRules,
  type Refusal,
} from '@immota/vehicle';
import { RULES } from '../support/gateway-world.ts';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';

const NORMAL = normalAddress({ txId: 0x7e0, rxId: 0x7e8, functionalId: 0x7df });
const EXTENDED = extendedAddress({ txId: 0x6f1, rxId: 0x640, ecu: 0x40, tester: 0xf1 });

describe('createGateway(), between ends of ISO-TP', () => {
  for (const [title, address, bus, settings] of [
    ['classic frames', NORMAL, 'chassis', {}],
    ['blocks of three, with pauses', NORMAL, 'chassis', { blockSize: 3, separationTimeUs: 500 }],
    ['CAN FD', NORMAL, 'chassis', { isFd: true }],
    ['extended addressing', EXTENDED, 'body', { blockSize: 8 }],
  ] as const) {
    it(`carries requests and answers of any length: ${title}`, async () => {
      const world = makeWorld(address, bus, settings);
      for (const lengthBytes of [1, 3, 7, 8, 20, 62, 63, 200, 4095]) {
        const message = Uint8Array.from({ length: lengthBytes }, (_, index) => index * 7);
        message[0] = 0x22;
        assert.deepEqual(await world.ask(message), message.toReversed());
      }
      assert.deepEqual(world.refusals, []);
      world.close();
    });

    it(`lets nothing of a request reach an ECU that it may not have: ${title}`, async () => {
      const world = makeWorld(address, bus, settings);
      for (const lengthBytes of [1, 3, 7, 8, 62, 200]) {
        const message = new Uint8Array(lengthBytes).fill(0x22);
        message[0] = 0x2e;
        assert.equal(await world.ask(message), undefined);
      }
      assert.deepEqual(world.heard, []);
      assert.ok(world.refusals.every(({ service }) => service === 0x2e));
      assert.equal(world.refusals.length, 6);
      world.close();
    });
  }
});

interface World {
  readonly refusals: readonly Refusal[];
  /** Requests that reached the ECU. */
  readonly heard: readonly Uint8Array[];
  /** Undefined when the request got nowhere. */
  ask(message: Uint8Array): Promise<Uint8Array | undefined>;
  close(): void;
}

function makeWorld(address: IsoTpAddress, bus: string, settings: IsoTpSettings): World {
  const time: JumpingTimer = jumpingTimer();
  const rate = canBitRate(500_000, 2_000_000);
  const names = ['obd', 'chassis', 'body'];
  const hubs = new Map(names.map((name) => [name, createCanHub({ timer: time, rate })]));
  const refusals: Refusal[] = [];
  const heard: Uint8Array[] = [];
  const [reading] = RULES.diagnostics;
  const many = { burst: 10_000, perSecond: 10_000 };
  const gateway = createGateway({
    buses: new Map([...hubs].map(([name, hub]) => [name, hub.connect()])),
    rules: parseGatewayRules({
      ...RULES,
      frames: [],
      pairs: RULES.pairs.map((pair) => ({ ...pair, rate: many })),
      diagnostics: [{ ...reading, allow: [{ service: 0x22 }] }],
    }),
    timer: time,
    report: (refusal) => refusals.push(refusal),
    isParked: () => false,
  });
  const place = (name: string): Parameters<typeof openIsoTpTester>[0] => {
    const hub = hubs.get(name);
    assert.ok(hub !== undefined);
    return { bus: hub.connect(), timer: hub.timer, settings };
  };
  const tester = openIsoTpTester(place('obd'));
  openIsoTpEndpoint({ ...place(bus), testers: [address] }).serve((request) => {
    // An echo is no harm: it shows that all bytes came.
    if (request.bytes[0] !== 0x22) heard.push(request.bytes);
    void request.respond(request.bytes.toReversed());
  });
  const channel = tester.channelTo(address);
  return {
    refusals,
    heard,
    ask: async (message) => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
      const end = channel.listen(resolve);
      await time.until(channel.send(message)).catch(() => resolve(undefined));
      const patience = time.pass(5000).then(() => resolve(undefined));
      const answer = await promise;
      await patience;
      end();
      return answer;
    },
    close: () => {
      gateway.close();
      tester.close();
      for (const hub of hubs.values()) hub.close();
    },
  };
}
