import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { connectDoip, systemSurroundings } from '@immota/vehicle';
import { ask, ENTITY, openBench, TESTER, VIN } from './doip-bench.ts';
import { findScapy } from './third-party.ts';

const NOT_RUN = 'not run: python3-scapy is not installed';
const scapy = findScapy();

interface Program {
  readonly process: ChildProcess;
  readonly lines: Interface;
}

function start(test: TestContext, file: string, parameters: readonly string[] = []): Program {
  assert.ok(scapy !== undefined);
  const program = join(import.meta.dirname, file);
  const process = spawn(scapy, [program, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => process.kill());
  assert.ok(process.stdout !== null);
  return { process, lines: createInterface({ input: process.stdout }) };
}

describe('Scapy', () => {
  it('talks as a tester with our entity', async (t) => {
    if (scapy === undefined) {
      t.skip(NOT_RUN);
      return;
    }
    const { timer } = systemSurroundings();
    const bench = await openBench(t, { timer, powerMode: () => 1 });
    bench.ecu.serve((request) => {
      const [service = 0] = request.bytes;
      // A block takes a while: "pending" first.
      if (service === 0x36) void request.respond(Uint8Array.of(0x7f, service, 0x78));
      void request.respond(Uint8Array.of(service + 0x40, ...request.bytes.subarray(1, 3)));
    });
    const { tcpPort, udpPort } = bench.entity;
    const heard: unknown[] = [];
    for await (const line of start(t, 'scapy_tester.py', [`${tcpPort}`, `${udpPort}`]).lines) {
      // Its log goes the same way.
      if (line.startsWith('{')) heard.push(JSON.parse(line));
    }
    assert.deepEqual(heard, [
      { what: 'announcement', vin: VIN, address: ENTITY, eid: '020000000001' },
      { what: 'status', node: 1, sockets: 8, bytes: 1_048_640 },
      { what: 'power', mode: 1 },
      { what: 'pattern', type: 0, nack: 0 },
      { what: 'activated', target: ENTITY },
      ...Array.from({ length: 10 }, () => ({ what: 'read', service: 0x62 })),
      { what: 'present', service: 0x7e },
      { what: 'block', service: 0x76 },
      { what: 'spoof', type: 0x8003, nack: 2 },
      { what: 'unknown', type: 0x8003, nack: 3 },
      { what: 'stranger', code: 0 },
    ]);
  });

  it('talks as an entity with our tester', async (t) => {
    if (scapy === undefined) {
      t.skip(NOT_RUN);
      return;
    }
    const { timer } = systemSurroundings();
    const { lines } = start(t, 'scapy_entity.py');
    const told = lines[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const { value } = await told.next();
      return JSON.parse(String(value));
    };
    const first = await next();
    assert.ok(typeof first === 'object' && first !== null && 'port' in first);
    const port = Number(first.port);
    const version = 2;
    const options = { host: '127.0.0.1', port, timer, source: TESTER, version };
    const connection = await connectDoip(options);
    assert.equal(connection.entityAddress, ENTITY);
    assert.deepEqual(await next(), { what: 'activation', tester: TESTER, type: 0 });
    assert.deepEqual(await next(), { what: 'alive', tester: TESTER });
    const answers: string[] = [];
    const final = Promise.withResolvers<void>();
    connection.openChannel(ENTITY).listen((message) => {
      answers.push(message.toHex());
      if (answers.length === 2) final.resolve();
    });
    const block = new Uint8Array(100_000).fill(0x36);
    await connection.openChannel(ENTITY).send(block);
    await final.promise;
    assert.deepEqual(answers, ['7f3678', '7601']);
    assert.deepEqual(await next(), { what: 'request', service: 0x36, bytes: 100_000 });
    const unknown = ask(connection, Uint8Array.of(0x3e, 0), 0x4444);
    await assert.rejects(unknown, { code: 'MESSAGE_REFUSED', wireCode: 3 });
    assert.deepEqual(await next(), { what: 'request', service: 0x3e, bytes: 2 });
    await connection.close();
    assert.deepEqual(await next(), { what: 'closed' });
  });
});
