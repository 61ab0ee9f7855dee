import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connectDoip, discoverDoip } from '@immota/vehicle';
import type { JumpingTimer } from '../support/jumping-timer.ts';
import { activation, ask, ENTITY, GROUP, openBench, rawTester, TESTER, VIN } from './doip-bench.ts';

describe('openDoipEntity() and connectDoip()', () => {
  it('carry a request to the ECU and its answer back', async (t) => {
    const bench = await openBench(t);
    const connection = await bench.connect();
    assert.equal(connection.entityAddress, ENTITY);
    assert.equal(connection.isSecure, false);
    assert.deepEqual([...(await ask(connection, Uint8Array.of(0x3e, 0)))], [0x7e, 2]);
    assert.equal(bench.entity.socketsOpen, 1);
    await connection.close();
    const fault = await connection.closed;
    assert.equal(fault.code, 'CONNECTION_CLOSED');
  });

  it('carry a block of a mebibyte in one message', async (t) => {
    const bench = await openBench(t);
    const connection = await bench.connect();
    const block = new Uint8Array(1_048_576).map((_, index) => index % 251);
    block[0] = 0x36;
    let received: Uint8Array | undefined;
    bench.ecu.serve((request) => {
      received = request.bytes;
      void request.respond(Uint8Array.of(0x76, 1));
    });
    await ask(connection, block);
    assert.ok(received !== undefined && Buffer.compare(received, block) === 0);
  });

  it('carry several answers to one request, and none before it was acknowledged', async (t) => {
    const bench = await openBench(t);
    bench.ecu.serve((request) => {
      void request.respond(Uint8Array.of(0x7f, 0x31, 0x78));
      void request.respond(Uint8Array.of(0x71, 1));
    });
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(activation(TESTER));
    assert.equal(await tester.next(), '0006 0e8010001000000000');
    tester.send(Buffer.from('03fc8001000000060e8010003101', 'hex'));
    assert.equal(await tester.next(), '8002 10000e8000');
    assert.equal(await tester.next(), '8001 10000e807f3178');
    assert.equal(await tester.next(), '8001 10000e807101');
  });

  it('tell an ECU that a group was asked, and answer with its own address', async (t) => {
    const bench = await openBench(t);
    const asked: boolean[] = [];
    bench.ecu.serve((request) => {
      asked.push(request.isFunctional);
      void request.respond(Uint8Array.of(0x7e, 0));
    });
    const connection = await bench.connect();
    await ask(connection, Uint8Array.of(0x3e, 0), GROUP);
    await ask(connection, Uint8Array.of(0x3e, 0));
    assert.deepEqual(asked, [true, false]);
  });

  it('refuse with the code of the standard what no ECU takes', async (t) => {
    const bench = await openBench(t);
    const connection = await bench.connect();
    const unknown = connection.openChannel(0x4444);
    const request = Uint8Array.of(0x3e, 0);
    await assert.rejects(unknown.send(request), { code: 'MESSAGE_REFUSED', wireCode: 0x03 });
    const channel = connection.openChannel(ENTITY);
    const long = new Uint8Array(1_048_577);
    await assert.rejects(channel.send(long), { code: 'MESSAGE_REFUSED', wireCode: 0x04 });
    const endless = new Uint8Array(1_048_576 + 64);
    await assert.rejects(channel.send(endless), { code: 'MESSAGE_REFUSED', wireCode: 0x02 });
    const stop = bench.ecu.serve(() => undefined);
    stop();
    await assert.rejects(channel.send(request), { code: 'MESSAGE_REFUSED', wireCode: 0x06 });
  });

  it('serve many testers at one time', async (t) => {
    const bench = await openBench(t, { socketsMax: 64, strangersMax: 64 });
    const testers = Array.from({ length: 64 }, (_, index) => 0x0e00 + index);
    const connections = await Promise.all(testers.map((source) => bench.connect({ source })));
    assert.equal(bench.entity.socketsOpen, 64);
    const answers = await Promise.all(
      connections.map((connection, index) => ask(connection, new Uint8Array(index + 1).fill(0x22))),
    );
    assert.deepEqual(
      answers.map((answer) => [...answer]),
      testers.map((_, index) => [0x62, index + 1]),
    );
  });

  it('switch off Nagle’s algorithm at both ends', async (t) => {
    const { mock } = t.mock.method(Socket.prototype, 'setNoDelay');
    const bench = await openBench(t);
    const connection = await bench.connect();
    await ask(connection, Uint8Array.of(0x3e, 0));
    const switched = mock.calls.map((call) => [...call.arguments]);
    assert.deepEqual(switched, [[true], [true]]);
    assert.equal(new Set(mock.calls.map((call) => call.this)).size, 2);
  });

  it('send an acknowledgement and the answer after it in one write', async (t) => {
    const bench = await openBench(t);
    const connection = await bench.connect();
    const segments: number[] = [];
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(activation(0x0e81));
    await tester.next();
    const before = tester.bytesRead();
    tester.send(Buffer.from('03fc8001000000060e8110003e00', 'hex'));
    await tester.next();
    segments.push(tester.bytesRead() - before);
    assert.deepEqual(segments, [13 + 14]);
    await connection.close();
  });

  it('replace a tester who does not answer its alive check', async (t) => {
    const bench = await openBench(t);
    const silent = await rawTester(t, bench.entity.tcpPort);
    silent.send(activation(TESTER));
    assert.equal(await silent.next(), '0006 0e8010001000000000');
    const successor = bench.connect();
    assert.equal(await silent.next(), '0007');
    await bench.timer.pass(500);
    const connection = await successor;
    assert.deepEqual([...(await ask(connection, Uint8Array.of(0x22)))], [0x62, 1]);
    assert.equal(await silent.next(), undefined);
  });

  it('keep a tester who answers its alive check', async (t) => {
    const bench = await openBench(t);
    const first = await bench.connect();
    await assert.rejects(bench.connect(), { code: 'ACTIVATION_REFUSED', wireCode: 0x03 });
    assert.deepEqual([...(await ask(first, Uint8Array.of(0x22)))], [0x62, 1]);
  });

  it('fail when nobody is there, when nobody answers, and when the entity goes', async (t) => {
    const bench = await openBench(t);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { port } = address;
    const { timer } = bench;
    const silent = connectDoip({ host: '127.0.0.1', port, timer, source: TESTER });
    const [accepted]: readonly unknown[] = await once(server, 'connection');
    await assert.rejects(timer.until(silent), { code: 'TIMEOUT' });
    assert.ok(accepted instanceof Socket);
    accepted.destroy();
    server.close();
    await once(server, 'close');
    const nobody = connectDoip({ host: '127.0.0.1', port, timer, source: TESTER });
    await assert.rejects(nobody, { code: 'NETWORK' });
    const connection = await bench.connect();
    const channel = connection.openChannel(ENTITY);
    await bench.entity.close();
    assert.equal((await connection.closed).code, 'CONNECTION_CLOSED');
    const request = channel.send(Uint8Array.of(0x3e, 0));
    await assert.rejects(request, { code: 'CONNECTION_CLOSED' });
  });
});

/** Lets time pass by the millisecond, so that datagrams come in between. */
async function slowly<Result>(timer: JumpingTimer, promise: Promise<Result>): Promise<Result> {
  const settled = promise.then(() => true);
  const isOver = async (): Promise<boolean> => {
    return await Promise.race([settled, timer.pass(1).then(() => false)]);
  };
  while (!(await isOver()));
  return await promise;
}

describe('DoIP by UDP', () => {
  it('announces an entity three times', async (t) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const { port } = socket.address();
    const bench = await openBench(t, { announceTo: { address: '127.0.0.1', port } });
    const heard: string[] = [];
    socket.on('message', (bytes) => heard.push(bytes.subarray(2, 4).toHex()));
    for (let count = 1; count <= 3; count += 1) {
      const next = once(socket, 'message');
      await bench.timer.pass(500);
      await next;
    }
    assert.deepEqual(heard, ['0004', '0004', '0004']);
  });

  it('finds an entity by nothing, by its VIN and by its EID, and no other', async (t) => {
    const bench = await openBench(t);
    const { timer } = bench;
    const port = bench.entity.udpPort;
    const address = '127.0.0.1';
    const eid = Uint8Array.of(2, 0, 0, 0, 0, 1);
    for (const whom of [{}, { vin: VIN }, { eid }]) {
      const [entity, ...others] = await slowly(
        timer,
        discoverDoip({ timer, address, port, count: 1, listenMs: 60_000, ...whom }),
      );
      assert.ok(entity !== undefined);
      assert.equal(others.length, 0);
      assert.equal(entity.vin, VIN);
      assert.equal(entity.logicalAddress, ENTITY);
      assert.equal(entity.from, address);
    }
    const other = discoverDoip({ timer, address, port, vin: 'WIMMOTA1234567891' });
    assert.deepEqual(await slowly(timer, other), []);
  });

  it('tells how many sockets are taken', async (t) => {
    const bench = await openBench(t, { powerMode: () => 1 });
    await bench.connect();
    const socket = createSocket('udp4');
    t.after(() => socket.close());
    const ask4001 = async (type: string): Promise<string> => {
      const next = once(socket, 'message');
      socket.send(Buffer.from(`03fc${type}00000000`, 'hex'), bench.entity.udpPort, '127.0.0.1');
      const [bytes]: readonly unknown[] = await next;
      assert.ok(bytes instanceof Uint8Array);
      return Buffer.from(bytes).toHex();
    };
    assert.equal(await ask4001('4001'), '03fc40020000000701080100100040');
    assert.equal(await ask4001('4003'), '03fc40040000000101');
  });
});
