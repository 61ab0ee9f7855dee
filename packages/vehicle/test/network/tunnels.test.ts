import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import {
  canFrame,
  type CanFrame,
  decodeCannelloni,
  encodeCannelloni,
  encodePythonCan,
  normalAddress,
  PYTHON_CAN_GROUP_IPV6,
} from '@immota/bus';
import {
  type CannelloniBus,
  openCannelloni,
  openIsoTpEndpoint,
  openIsoTpTester,
  openUdpMulticast,
  systemSurroundings,
} from '@immota/vehicle';
import { collect } from '../support/until.ts';

const HOST = '127.0.0.1';
const CLASSIC = canFrame({ id: 0x123, data: Uint8Array.of(1, 2, 3) });
const FD = canFrame({
  id: 0x18da10f1,
  isExtended: true,
  isFd: true,
  isBitRateSwitched: true,
  data: new Uint8Array(64).fill(0x5a),
});

describe('openCannelloni()', () => {
  it('carries frames of both kinds both ways', async (t) => {
    const [ours, theirs] = await pair(t);
    const heard = collect<CanFrame>();
    theirs.listen(heard.hear);
    await ours.send(CLASSIC);
    await ours.send(FD);
    assert.deepEqual(await heard.count(2), [CLASSIC, FD]);
    const back = collect<CanFrame>();
    ours.listen(back.hear);
    await theirs.send(FD);
    assert.deepEqual(await back.count(1), [FD]);
    assert.deepEqual(ours.statistics, { sent: 2, received: 1, refused: 0, lost: 0 });
  });

  it('carries ISO-TP', async (t) => {
    const [ours, theirs] = await pair(t);
    const { timer } = systemSurroundings();
    const address = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
    const endpoint = openIsoTpEndpoint({ bus: theirs, timer, testers: [address] });
    endpoint.serve((request) => void request.respond(request.bytes.toReversed()));
    const tester = openIsoTpTester({ bus: ours, timer });
    const channel = tester.channelTo(address);
    const answers = collect<Uint8Array>();
    channel.listen(answers.hear);
    const message = Uint8Array.from({ length: 2000 }, (_, index) => index);
    await channel.send(message);
    assert.deepEqual(await answers.count(1), [message.toReversed()]);
    tester.close();
    await endpoint.close();
  });

  it('numbers datagrams, counts what is lost, and drops what comes twice', async (t) => {
    const { bus, peer, port } = await withPeer(t);
    const heard = collect<CanFrame>();
    bus.listen(heard.hear);
    for (const sequence of [254, 255, 255, 0, 3]) {
      peer.send(encodeCannelloni({ sequence, frames: [CLASSIC] }), port, HOST);
    }
    await heard.count(4);
    assert.deepEqual(bus.statistics, { sent: 0, received: 4, refused: 1, lost: 2 });
    const numbers = collect<number>();
    peer.on('message', (datagram) => numbers.hear(decodeCannelloni(datagram).sequence));
    for (let count = 0; count < 3; count += 1) await bus.send(CLASSIC);
    assert.deepEqual(await numbers.count(3), [0, 1, 2]);
  });

  it('counts nonsense, and passes over strangers', async (t) => {
    const { bus, peer, port } = await withPeer(t);
    const heard = collect<CanFrame>();
    bus.listen(heard.hear);
    const stranger = createSocket('udp4');
    t.after(() => stranger.close());
    stranger.send(encodeCannelloni({ sequence: 9, frames: [FD] }), port, HOST);
    peer.send(new Uint8Array(100), port, HOST);
    peer.send(new Uint8Array(), port, HOST);
    peer.send(encodeCannelloni({ sequence: 1, frames: [CLASSIC, FD] }), port, HOST);
    assert.deepEqual(await heard.count(2), [CLASSIC, FD]);
    assert.deepEqual(bus.statistics, { sent: 0, received: 2, refused: 2, lost: 0 });
  });

  it('refuses to send too much at once, and once closed', async (t) => {
    const [ours] = await pair(t);
    const sends = await Promise.allSettled(Array.from({ length: 300 }, () => ours.send(CLASSIC)));
    assert.equal(sends.filter(({ status }) => status === 'fulfilled').length, 256);
    await ours.close();
    await assert.rejects(ours.send(CLASSIC), { code: 'CLOSED' });
    await ours.close();
  });

  it('refuses a port that is taken', async (t) => {
    const [ours] = await pair(t);
    const options = {
      peer: { address: HOST, port: 9 },
      local: { address: HOST, port: ours.port },
    };
    await assert.rejects(openCannelloni(options), { code: 'DRIVER_FAILED' });
  });
});

describe('openUdpMulticast()', () => {
  it('carries frames to all that joined, and not back to who sent them', async (t) => {
    const options = { port: await freePort(), interfaceAddress: HOST };
    const [first, second, third] = await Promise.all([
      openUdpMulticast(options),
      openUdpMulticast(options),
      openUdpMulticast(options),
    ]);
    t.after(async () => {
      for (const bus of [first, second, third]) await bus.close();
    });
    const [own, others, more] = [collect<CanFrame>(), collect<CanFrame>(), collect<CanFrame>()];
    first.listen(own.hear);
    second.listen(others.hear);
    third.listen(more.hear);
    await first.send(CLASSIC);
    await first.send(FD);
    assert.deepEqual(await others.count(2), [CLASSIC, FD]);
    assert.deepEqual(await more.count(2), [CLASSIC, FD]);
    await second.send(FD);
    assert.deepEqual(await own.count(1), [FD]);
    assert.deepEqual(others.values, [CLASSIC, FD]);
  });

  it('counts nonsense', async (t) => {
    const port = await freePort();
    const bus = await openUdpMulticast({ port, interfaceAddress: HOST });
    t.after(() => bus.close());
    const heard = collect<CanFrame>();
    bus.listen(heard.hear);
    const stranger = createSocket('udp4');
    t.after(() => stranger.close());
    stranger.bind({ port: 0, address: HOST }, () => stranger.setMulticastInterface(HOST));
    await new Promise((resolve) => stranger.once('listening', () => resolve(undefined)));
    const frame = encodePythonCan(CLASSIC);
    stranger.send(frame.subarray(1), port, '239.74.163.2');
    stranger.send(frame, port, '239.74.163.2');
    assert.deepEqual(await heard.count(1), [CLASSIC]);
    assert.equal(bus.statistics.refused, 1);
  });

  it('joins the group of IPv6 that python-can takes by default', async (t) => {
    const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
      each?.some(({ family, internal }) => family === 'IPv6' && !internal),
    );
    if (!hasIpv6) {
      t.skip('not run: this machine has no IPv6');
      return;
    }
    const options = { group: PYTHON_CAN_GROUP_IPV6, port: await freePort() };
    const [first, second] = [await openUdpMulticast(options), await openUdpMulticast(options)];
    t.after(async () => {
      await first.close();
      await second.close();
    });
    const [own, others] = [collect<CanFrame>(), collect<CanFrame>()];
    first.listen(own.hear);
    second.listen(others.hear);
    const isCarried = await first.send(FD).then(
      () => true,
      () => false,
    );
    if (!isCarried) {
      t.skip('not run: this machine has no network for multicast of IPv6');
      return;
    }
    assert.deepEqual(await others.count(1), [FD]);
    await second.send(CLASSIC);
    assert.deepEqual(await own.count(1), [CLASSIC]);
  });

  it('refuses an address that is no group, and an interface that is none', async () => {
    await assert.rejects(openUdpMulticast({ group: HOST, port: await freePort() }), {
      code: 'DRIVER_FAILED',
    });
    const options = { port: await freePort(), interfaceAddress: '192.0.2.123' };
    await assert.rejects(openUdpMulticast(options), { code: 'DRIVER_FAILED' });
  });
});

async function pair(t: TestContext): Promise<readonly [CannelloniBus, CannelloniBus]> {
  const local = { address: HOST, port: 0 };
  const port = await freePort();
  const first = await openCannelloni({ peer: { address: HOST, port }, local });
  const second = await openCannelloni({
    peer: { address: HOST, port: first.port },
    local: { address: HOST, port },
  });
  t.after(async () => {
    await first.close();
    await second.close();
  });
  return [first, second];
}

async function withPeer(
  t: TestContext,
): Promise<{ readonly bus: CannelloniBus; readonly peer: Socket; readonly port: number }> {
  const peer = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  peer.bind({ port: 0, address: HOST }, resolve);
  await promise;
  const bus = await openCannelloni({
    peer: { address: HOST, port: peer.address().port },
    local: { address: HOST, port: 0 },
  });
  t.after(async () => {
    peer.close();
    await bus.close();
  });
  return { bus, peer, port: bus.port };
}

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind({ port: 0, address: HOST }, resolve);
  await promise;
  const { port } = socket.address();
  const closed = Promise.withResolvers<void>();
  socket.close(closed.resolve);
  await closed.promise;
  return port;
}
