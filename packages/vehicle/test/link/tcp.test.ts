import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { parseEcuIdentifier, parseTargetName, parseVehicleIdentifier } from '@immota/uptane';
import {
  connectSecondary,
  createVehicleLinkCredentials,
  type LinkCredential,
  loadLinkCredential,
  saveLinkCredential,
  type SecondaryLink,
} from '@immota/vehicle';
import { encodeFrame, encodeFrameHead, type FrameKind } from '../../src/link/frame.ts';
import {
  CONNECT_TIMEOUT_MS,
  FRAME_PAYLOAD_MAX_BYTES,
  PARTIAL_MESSAGE_MAX_MS,
  SILENCE_MAX_MS,
  WINDOW_BYTES,
} from '../../src/link/limits.ts';
import { encodeOffer, encodePull } from '../../src/link/message.ts';
import { entropy, makeFolder } from '../support/folder.ts';
import { type ManualSurroundings, manualSurroundings } from '../support/manual-timer.ts';
import { handOver, linkCredentials, readReport, recipientOf, runNode } from '../support/nodes.ts';
import { rawClient, rawServer } from '../support/raw-peer.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { BRAKE, buildImage, makeVehicleWorld, offerOf, VEHICLE } from '../support/vehicle-world.ts';

const NOTHING: Uint8Array = new Uint8Array();
const OTHER_ECU = parseEcuIdentifier('STEERING-1');

function frame(kind: FrameKind, payload: Uint8Array = NOTHING, number = 1): Uint8Array {
  return encodeFrame({ kind, number, payload, hasMore: false });
}

async function credentialOf(node: 'primary' | 'brake'): Promise<LinkCredential> {
  const { primary, secondaries } = await linkCredentials();
  const credential = node === 'primary' ? primary : secondaries.get(BRAKE);
  assert.ok(credential !== undefined);
  return credential;
}

/** A Primary's link to a port that somebody else than a node may hold. */
async function linkTo(
  test: Pick<TestContext, 'after'>,
  port: number,
  surroundings: ManualSurroundings = manualSurroundings(),
): Promise<SecondaryLink> {
  const link = connectSecondary({
    host: '127.0.0.1',
    port,
    ecuIdentifier: BRAKE,
    credential: await credentialOf('primary'),
    timer: surroundings.timer,
  });
  test.after(async () => link.close());
  return link;
}

describe('connectSecondary()', () => {
  it('keeps one connection for all requests, and makes it again when it broke', async (test) => {
    const world = await makeVehicleWorld();
    let proxy: TcpProxy | undefined;
    const { link } = await runNode(test, world, {
      surroundings: manualSurroundings(),
      linkPort: async (port) => {
        proxy = await startProxy(test, () => port);
        return proxy.port;
      },
    });
    await Promise.all([link.getInfo(), link.status(), link.drawTimeNonce()]);
    await link.status();
    assert.equal(proxy?.count(), 1);
    proxy?.cut();
    await assert.rejects(() => link.status(), { code: 'ECU_UNREACHABLE' });
    assert.equal((await link.status()).phase, 'idle');
    assert.equal(proxy?.count(), 2);
  });
  it('finds a node again that was restarted', async (test) => {
    const node = await runNode(test, await makeVehicleWorld());
    const before = await node.link.getInfo();
    await node.restart();
    assert.deepEqual(await node.link.getInfo(), before);
  });
  it('says that nobody is there', async (test) => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    server.close();
    await once(server, 'close');
    const link = await linkTo(test, address.port);
    await assert.rejects(() => link.status(), { code: 'ECU_UNREACHABLE' });
  });
  it('gives up on a port where nobody speaks, and on an ECU that does not answer', async (test) => {
    const { promise: accepted, resolve } = Promise.withResolvers<void>();
    const mute = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => resolve());
      test.after(() => socket.destroy());
    });
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    test.after(() => mute.close());
    const address = mute.address();
    assert.ok(typeof address === 'object' && address !== null);
    const surroundings = manualSurroundings();
    const link = await linkTo(test, address.port, surroundings);
    const asked = link.status();
    await accepted;
    surroundings.advance(CONNECT_TIMEOUT_MS);
    await assert.rejects(asked, { code: 'ECU_UNREACHABLE' });

    const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
    const port = await rawServer(test, await credentialOf('brake'), (socket) => {
      socket.once('data', () => hear());
    });
    const deaf = await linkTo(test, port, surroundings);
    const unanswered = deaf.status();
    await heard;
    surroundings.advance(SILENCE_MAX_MS - 1);
    surroundings.advance(1);
    await assert.rejects(unanswered, { code: 'ECU_UNREACHABLE' });
  });
  it('trusts no node of another vehicle, no other ECU of its own, and no self-made one', async (test) => {
    const other = await createVehicleLinkCredentials({
      vehicleIdentifier: parseVehicleIdentifier('WVWZZZ1JZ3W000002'),
      secondaries: [BRAKE],
      entropy,
    });
    const own = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: [BRAKE, OTHER_ECU],
      entropy,
    });
    const wrong = [other.secondaries.get(BRAKE), own.secondaries.get(OTHER_ECU)];
    const primaries = [(await linkCredentials()).primary, own.primary];
    for (const [index, credential] of wrong.entries()) {
      assert.ok(credential !== undefined);
      const port = await rawServer(test, credential, () => undefined);
      const primary = primaries[index];
      assert.ok(primary !== undefined);
      const link = connectSecondary({
        host: '127.0.0.1',
        port,
        ecuIdentifier: BRAKE,
        credential: primary,
        timer: manualSurroundings().timer,
      });
      test.after(async () => link.close());
      await assert.rejects(() => link.status(), { code: 'ECU_UNTRUSTED' });
    }
  });
  it('ends a connection on which an ECU breaks the protocol', async (test) => {
    const offer = offerOf({ name: 'brake/fw.bin', served: new Uint8Array(10) });
    const wrongs: readonly ((socket: TLSSocket) => void)[] = [
      (socket) => socket.write(frame('data', Uint8Array.of(1))),
      (socket) => socket.write(frame('info')),
      (socket) => socket.write(Buffer.alloc(64, 0xff)),
      (socket) => socket.write(frame('answer', new Uint8Array(9), 1)),
      (socket) => {
        const pull = { request: 1, offsetBytes: 11, creditBytes: 100 };
        socket.write(frame('pull', encodePull(pull), 1));
      },
      (socket) => {
        const pull = { request: 7, offsetBytes: 0, creditBytes: 100 };
        socket.write(frame('pull', encodePull(pull), 1));
      },
    ];
    for (const wrong of wrongs) {
      const port = await rawServer(test, await credentialOf('brake'), (socket) => {
        socket.once('data', () => wrong(socket));
      });
      const link = await linkTo(test, port);
      await assert.rejects(() => link.sendImage(offer), { code: 'ECU_UNTRUSTED' });
    }
  });
  it('refuses everything once it is closed', async (test) => {
    const { link } = await runNode(test, await makeVehicleWorld());
    await link.status();
    await link.close();
    await assert.rejects(() => link.status(), { code: 'CLOSED' });
  });
  it('tells the ECU when its own source fails, and the caller by its refusal', async (test) => {
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world, { surroundings: manualSurroundings() });
    const built = await buildImage({});
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    let opened = 0;
    const broken = {
      ...offerOf(built),
      // oxlint-disable-next-line require-yield -- it breaks before it has given anything
      async *open(): AsyncGenerator<Uint8Array> {
        opened += 1;
        await Promise.reject(new RangeError('the file is gone'));
      },
    };
    await assert.rejects(() => link.sendImage(broken), { code: 'ECU_UNREACHABLE' });
    assert.ok(opened >= 2);
    await link.sendImage(offerOf(built));
    assert.equal((await link.status()).phase, 'prepared');
  });
});

describe('serveSecondary()', () => {
  it('lets nobody in but the Primary of its vehicle', async (test) => {
    const world = await makeVehicleWorld();
    const { link, port } = await runNode(test, world);
    const other = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: [BRAKE],
      entropy,
    });
    const brake = await credentialOf('brake');
    const primary = await credentialOf('primary');
    const insecure = { rejectUnauthorized: false };
    const strangers = {
      'without a certificate': { tls: { ...insecure, ALPNProtocols: ['immota-link/1'] } },
      'of the same vehicle identifier with other keys': {
        credential: other.primary,
        tls: insecure,
      },
      'with a Secondary’s certificate': { credential: brake },
      'without the protocol': { credential: primary, tls: { ALPNProtocols: ['http/1.1'] } },
      'with TLS 1.2': {
        credential: primary,
        tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
      },
    } as const;
    for (const [name, options] of Object.entries(strangers)) {
      const { socket, closed } = rawClient(port, BRAKE, options);
      socket.write(frame('info'));
      assert.equal((await closed).length, 0, name);
    }
    const plain = connect(port, '127.0.0.1');
    plain.on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    plain.resume();
    await once(plain, 'close');
    assert.equal((await link.status()).phase, 'idle');
  });
  it('serves the Primary while strangers hold connections open', async (test) => {
    const { link, port } = await runNode(test, await makeVehicleWorld());
    const idle = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'));
    for (const socket of idle) socket.on('error', () => undefined);
    test.after(() => {
      for (const socket of idle) socket.destroy();
    });
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    assert.equal((await link.status()).phase, 'idle');
  });
  it('ends a connection on which the Primary breaks the protocol, says so, and serves the next {uptane J3}', async (test) => {
    const surroundings = manualSurroundings();
    const { port } = await runNode(test, await makeVehicleWorld(), { surroundings });
    const credential = await credentialOf('primary');
    const oversized = {
      kind: 'report',
      number: 1,
      payload: new Uint8Array(300_000),
      hasMore: false,
    };
    const floods: readonly Uint8Array[] = [
      encodeFrameHead(oversized as Parameters<typeof encodeFrameHead>[0]),
      Buffer.concat(Array.from({ length: 9 }, (_, index) => frame('info', NOTHING, index + 1))),
      Buffer.concat([frame('info', NOTHING, 4), frame('info', NOTHING, 4)]),
      frame('data', new Uint8Array(100), 3),
      frame('answer'),
      frame('report', Uint8Array.of(1, 2, 3)),
      frame('putMetadata', Uint8Array.of(0, 9)),
      frame('status', Uint8Array.of(1)),
    ];
    for (const flood of floods) {
      const { socket, closed } = rawClient(port, BRAKE, { credential });
      await once(socket, 'secureConnect');
      socket.write(flood);
      await closed;
      const link = await linkTo(test, port, surroundings);
      const { report } = await readReport(link);
      assert.match(report.attacksDetected, /^LINK_PROTOCOL: /);
      await link.drawTimeNonce();
      assert.equal((await readReport(link)).report.attacksDetected, '');
      await link.close();
    }
  });
  it('holds no more of an image than it has asked for {uptane I9}', async (test) => {
    const surroundings = manualSurroundings();
    const world = await makeVehicleWorld();
    const { link, port } = await runNode(test, world, { surroundings });
    const built = await buildImage({ lengthBytes: 3 * WINDOW_BYTES });
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    const { socket, closed, next } = rawClient(port, BRAKE, {
      credential: await credentialOf('primary'),
    });
    await once(socket, 'secureConnect');
    const offer = { name: parseTargetName(built.name), lengthBytes: built.served.length };
    socket.write(frame('offerImage', encodeOffer(offer), 1));
    const { kind, number } = await next();
    assert.equal(kind, 'pull');
    const part = new Uint8Array(FRAME_PAYLOAD_MAX_BYTES);
    for (let sent = 0; sent <= WINDOW_BYTES; sent += part.length) {
      socket.write(encodeFrame({ kind: 'data', number, payload: part, hasMore: true }));
    }
    await closed;
    const again = await linkTo(test, port, surroundings);
    assert.match((await readReport(again)).report.attacksDetected, /LINK_PROTOCOL: /);
    await again.sendImage(offerOf(built));
    assert.equal((await again.status()).phase, 'prepared');
  });
  it('ends a connection in the middle of a message that does not go on {uptane I9}', async (test) => {
    const surroundings = manualSurroundings();
    const { port } = await runNode(test, await makeVehicleWorld(), { surroundings });
    const { socket, closed, next } = rawClient(port, BRAKE, {
      credential: await credentialOf('primary'),
    });
    await once(socket, 'secureConnect');
    const half = frame('putTime', new Uint8Array(10), 2).subarray(0, 12);
    socket.write(Buffer.concat([frame('status'), half]));
    assert.equal((await next()).kind, 'answer');
    surroundings.advance(PARTIAL_MESSAGE_MAX_MS);
    await closed;
  });
  it('refuses an image that comes too slowly, and says so {uptane I9}', async (test) => {
    const surroundings = manualSurroundings();
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world, {
      surroundings,
      rateFloor: { bytesPerSecond: 1000, windowMs: 60_000 },
    });
    const built = await buildImage({ lengthBytes: 90_000 });
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const slow = {
      ...offerOf(built),
      async *open(offsetBytes: number): AsyncGenerator<Uint8Array> {
        yield built.served.slice(offsetBytes, offsetBytes + 100);
        // The ECU has it when it has answered another question.
        await link.status();
        setImmediate(() => surroundings.advance(60_000));
        await gate;
      },
    };
    await assert.rejects(() => link.sendImage(slow), { code: 'ECU_REFUSED' });
    open();
    assert.match((await readReport(link)).report.attacksDetected, /^SLOW_RETRIEVAL: /);
    await link.sendImage(offerOf(built));
    assert.equal((await link.status()).phase, 'prepared');
  });
  it('lets a Primary that was killed back in before its old connection is missed', async (test) => {
    const { port } = await runNode(test, await makeVehicleWorld());
    const credential = await credentialOf('primary');
    const old = rawClient(port, BRAKE, { credential });
    await once(old.socket, 'secureConnect');
    old.socket.write(frame('status'));
    await old.next();
    const link = await linkTo(test, port);
    assert.equal((await link.status()).phase, 'idle');
    await old.closed;
  });
});

describe('createVehicleLinkCredentials()', () => {
  it('gives each node its own key, below an authority that is only this vehicle’s', async () => {
    const first = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: [BRAKE, OTHER_ECU],
      entropy,
    });
    const nodes = [first.primary, ...first.secondaries.values()];
    assert.equal(new Set(nodes.map(({ privateKeyPem }) => privateKeyPem)).size, 3);
    assert.equal(new Set(nodes.map(({ authorityPem }) => authorityPem)).size, 1);
    assert.notEqual(first.primary.authorityPem, (await linkCredentials()).primary.authorityPem);
  });
  it('saves and loads a credential, and names the file that is missing', async (test) => {
    const folder = makeFolder(test);
    const credential = await credentialOf('brake');
    assert.throws(() => loadLinkCredential(folder), { code: 'BUNDLE_MALFORMED' });
    saveLinkCredential(folder, credential);
    assert.deepEqual(loadLinkCredential(folder), credential);
  });
});
