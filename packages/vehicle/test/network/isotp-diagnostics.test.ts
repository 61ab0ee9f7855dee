import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canBitRate,
  canFrame,
  type IsoTpAddress,
  type IsoTpFault,
  type IsoTpSettings,
  normalAddress,
  normalFixedAddress,
} from '@immota/bus';
import {
  type CanHub,
  createCanHub,
  type DiagnosticRequest,
  type IsoTpTester,
  openIsoTpEndpoint,
  openIsoTpTester,
} from '@immota/vehicle';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';

const ENGINE = normalAddress({ txId: 0x7e0, rxId: 0x7e8, functionalId: 0x7df });
const BRAKE = normalAddress({ txId: 0x7e1, rxId: 0x7e9, functionalId: 0x7df });

describe('openIsoTpTester() and openIsoTpEndpoint()', () => {
  it('carry requests and answers of any length both ways', async () => {
    for (const settings of [{}, { isFd: true }, { blockSize: 3, separationTimeUs: 500 }]) {
      const world = makeWorld(settings);
      world.serve(ENGINE, (request) => void request.respond(request.bytes.toReversed()));
      const channel = world.tester.channelTo(ENGINE);
      for (const lengthBytes of [1, 7, 8, 62, 63, 4095]) {
        const message = pattern(lengthBytes);
        const answer = nextMessage(channel);
        await world.time.until(channel.send(message));
        assert.deepEqual(await world.time.until(answer), message.toReversed());
      }
      world.hub.close();
    }
  });

  it('ask a group in one frame, and hear all its members', async () => {
    const world = makeWorld({});
    for (const [ecu, name] of [
      [ENGINE, 1],
      [BRAKE, 2],
    ] as const) {
      world.serve(ecu, (request) => {
        assert.equal(request.isFunctional, true);
        void request.respond(Uint8Array.of(0x7e, name));
      });
    }
    const group = world.tester.channelToGroup([ENGINE, BRAKE]);
    const heard: number[] = [];
    group.listen(([, name = 0]) => heard.push(name));
    await world.time.until(group.send(Uint8Array.of(0x3e, 0x00)));
    await world.time.pass(10);
    assert.deepEqual(heard, [1, 2]);
    assert.equal(group.messageMaxBytes, 7);
    await assert.rejects(world.time.until(group.send(pattern(8))), { code: 'MESSAGE_LENGTH' });
  });

  it('tell testers with fixed addresses apart, and answer each its own', async () => {
    const world = makeWorld({});
    const testers = [0xf1, 0xf9].map((source) => normalFixedAddress({ source, target: 0x10 }));
    const endpoint = openIsoTpEndpoint({ ...world.place(), testers });
    endpoint.serve((request) => void request.respond(Uint8Array.of(0x62, request.tester)));
    for (const address of testers) {
      const channel = world.tester.channelTo(address);
      const answer = nextMessage(channel);
      await world.time.until(channel.send(Uint8Array.of(0x22, 0, 0)));
      assert.deepEqual(await world.time.until(answer), Uint8Array.of(0x62, address.tester));
    }
  });

  it('send what waits in the order it was given, and refuse what is too much', async () => {
    const world = makeWorld({});
    const heard: number[] = [];
    world.serve(ENGINE, ({ bytes }) => heard.push(bytes[0] ?? 0));
    const channel = world.tester.channelTo(ENGINE);
    const sends = Array.from({ length: 17 }, (_, index) => channel.send(pattern(20, index)));
    const one = world.tester.channelTo(ENGINE).send(pattern(20));
    await assert.rejects(one, { code: 'BUSY' });
    await world.time.until(Promise.all(sends));
    assert.deepEqual(
      heard,
      Array.from({ length: 17 }, (_, index) => index),
    );
  });

  it('fail with a code when nobody is there, and go on afterwards', async () => {
    const world = makeWorld({});
    const channel = world.tester.channelTo(ENGINE);
    const send = world.time.until(channel.send(pattern(100)));
    await assert.rejects(send, { code: 'TIMEOUT_BS' });
    await world.time.until(channel.send(Uint8Array.of(0x3e, 0x80)));
  });

  it('tell of messages that broke off', async () => {
    const lost: string[] = [];
    const world = makeWorld({});
    const endpoint = openIsoTpEndpoint({
      ...world.place(),
      testers: [ENGINE],
      onLost: ({ code }: IsoTpFault) => lost.push(code),
    });
    const served: DiagnosticRequest[] = [];
    endpoint.serve((request) => served.push(request));
    const peer = world.hub.connect();
    const data = Uint8Array.of(0x10, 0x14, 1, 2, 3, 4, 5, 6);
    await world.time.until(peer.send(canFrame({ id: 0x7e0, data })));
    await world.time.pass(1500);
    assert.deepEqual(lost, ['TIMEOUT_CR']);
    assert.equal(served.length, 0);
  });

  it('refuse to send once closed', async () => {
    const world = makeWorld({});
    const requests: DiagnosticRequest[] = [];
    const endpoint = world.serve(ENGINE, (request) => requests.push(request));
    const channel = world.tester.channelTo(ENGINE);
    await world.time.until(channel.send(pattern(3)));
    await endpoint.close();
    await assert.rejects(async () => requests[0]?.respond(pattern(1)), { code: 'CLOSED' });
    const waiting = channel.send(pattern(100));
    world.tester.close();
    await assert.rejects(waiting, { code: 'CLOSED' });
    await channel.close();
    await assert.rejects(channel.send(pattern(1)), { code: 'CLOSED' });
  });

  it('refuse a group without an address', () => {
    const world = makeWorld({});
    const alone = normalAddress({ txId: 1, rxId: 2 });
    assert.throws(() => world.tester.channelToGroup([alone]), { code: 'PARAMETER' });
  });
});

interface World {
  readonly time: JumpingTimer;
  readonly hub: CanHub;
  readonly tester: IsoTpTester;
  place(): Parameters<typeof openIsoTpTester>[0];
  serve(
    address: IsoTpAddress,
    handler: (request: DiagnosticRequest) => void,
  ): ReturnType<typeof openIsoTpEndpoint>;
}

function makeWorld(settings: IsoTpSettings): World {
  const time = jumpingTimer();
  const hub = createCanHub({ timer: time, rate: canBitRate(500_000, 2_000_000) });
  const place = (): Parameters<typeof openIsoTpTester>[0] => {
    return { bus: hub.connect(), timer: hub.timer, settings };
  };
  return {
    time,
    hub,
    tester: openIsoTpTester(place()),
    place,
    serve: (address, handler) => {
      const endpoint = openIsoTpEndpoint({ ...place(), testers: [address] });
      endpoint.serve(handler);
      return endpoint;
    },
  };
}

function nextMessage(channel: ReturnType<IsoTpTester['channelTo']>): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const end = channel.listen((message) => {
    end();
    resolve(message);
  });
  return promise;
}

function pattern(lengthBytes: number, first = 0): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, index) => first + index * 31);
}
