import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import {
  activation,
  ask,
  diagnostic,
  ENTITY,
  message,
  openBench,
  rawTester,
  TESTER,
} from './doip-bench.ts';

const FOUR_GIGABYTES = 0xffff_ffff;

describe('A DoIP entity under attack', () => {
  it('refuses another source on an activated socket, hangs up, and says why', async (t) => {
    const bench = await openBench(t);
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(activation(TESTER));
    await tester.next();
    tester.send(diagnostic(0x0e99, ENTITY, [0x3e, 0]));
    assert.equal(await tester.next(), '8003 10000e9902');
    assert.equal(await tester.next(), undefined);
    assert.equal((await bench.nextEvent()).kind, 'activated');
    const event = await bench.nextEvent();
    assert.ok(event.kind === 'closed');
    assert.equal(event.reason, 'spoofedSource');
    assert.equal(event.peer.address, '127.0.0.1');
  });

  it('refuses a diagnostic message before activation, and hands nothing on', async (t) => {
    const bench = await openBench(t);
    let count = 0;
    bench.ecu.serve(() => {
      count += 1;
    });
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(diagnostic(TESTER, ENTITY, [0x3e, 0]));
    assert.equal(await tester.next(), `8003 10000e8002`);
    assert.equal(await tester.next(), undefined);
    assert.equal(count, 0);
  });

  it('drops half-open sockets, by number and by time, and serves an honest tester', async (t) => {
    const bench = await openBench(t, { strangersMax: 4 });
    const { tcpPort } = bench.entity;
    const strangers = await Promise.all(Array.from({ length: 20 }, () => rawTester(t, tcpPort)));
    const connection = await bench.connect();
    assert.deepEqual([...(await ask(connection, Uint8Array.of(0x22)))], [0x62, 1]);
    await bench.timer.pass(4000);
    const ends = await Promise.all(strangers.map((stranger) => stranger.next()));
    assert.ok(ends.every((end) => end === undefined));
    assert.equal(bench.entity.socketsOpen, 1);
  });

  it('takes no memory for four gigabytes that are only announced', async (t) => {
    const bench = await openBench(t);
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(activation(TESTER));
    await tester.next();
    const before = process.memoryUsage().arrayBuffers;
    tester.send(message(0x8001, Uint8Array.of(0x0e, 0x80, 0x10, 0), FOUR_GIGABYTES));
    assert.equal(await tester.next(), '0000 02');
    assert.ok(process.memoryUsage().arrayBuffers - before < 16_777_216);
  });

  it('hangs up on what is no DoIP, and on a length that a type does not have', async (t) => {
    const bench = await openBench(t);
    for (const [bytes, code] of [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), '00'],
      [message(0x0005, new Uint8Array(8)), '04'],
    ] as const) {
      const tester = await rawTester(t, bench.entity.tcpPort);
      tester.send(bytes);
      assert.equal(await tester.next(), `0000 ${code}`);
      assert.equal(await tester.next(), undefined);
    }
  });

  it('gives out no more sockets than it has, however many ask', async (t) => {
    const bench = await openBench(t, { socketsMax: 2 });
    const connections = await Promise.all(
      [0x0e01, 0x0e02].map((source) => bench.connect({ source })),
    );
    for (let source = 0x0e10; source < 0x0e30; source += 1) {
      await assert.rejects(bench.connect({ source }), {
        code: 'ACTIVATION_REFUSED',
        wireCode: 0x01,
      });
    }
    assert.equal(bench.entity.socketsOpen, 2);
    for (const connection of connections) {
      assert.deepEqual([...(await ask(connection, Uint8Array.of(0x22)))], [0x62, 1]);
    }
  });

  it('cuts a tester who asks and does not read', async (t) => {
    const bench = await openBench(t);
    const answer = new Uint8Array(1_000_000);
    bench.ecu.serve((request) => void request.respond(answer));
    const tester = await rawTester(t, bench.entity.tcpPort);
    tester.send(activation(TESTER));
    await tester.next();
    await bench.nextEvent();
    tester.pause();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 60; count += 1) tester.send(diagnostic(TESTER, ENTITY, [0x22]));
    while (bench.entity.socketsOpen > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      setImmediate(resolve);
      await promise;
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 33_554_432);
  });

  it('does not amplify a storm of questions by UDP', async (t) => {
    const bench = await openBench(t);
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const answers: Uint8Array[] = [];
    const burst = Promise.withResolvers<void>();
    socket.on('message', (bytes) => {
      if (answers.push(bytes) === 32) burst.resolve();
    });
    const send = (hex: string): void => {
      socket.send(Buffer.from(hex, 'hex'), bench.entity.udpPort, '127.0.0.1');
    };
    for (let count = 0; count < 400; count += 1) send('03fc000900000000');
    await burst.promise;
    await bench.timer.pass(1000);
    // What a second gives back is for all that are still waiting, and for no more.
    assert.ok(answers.length <= 32 + 20);
  });
});
