import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../support/folder.ts';
import { ask, ENTITY, openBench, VIN } from './doip-bench.ts';
import { type Said, writePcap } from './pcap.ts';
import { hasTshark } from './third-party.ts';

const execute = promisify(execFile);
const NOT_RUN = 'not run: tshark is not installed';

/** Stands between a tester and an entity, and writes down what both say. */
async function listenIn(test: TestContext, port: number, said: Said[]): Promise<number> {
  const server = createServer((tester) => {
    const entity = connect({ host: '127.0.0.1', port });
    for (const [by, from, to] of [
      ['tester', tester, entity],
      ['entity', entity, tester],
    ] as const) {
      from.on('data', (bytes: Uint8Array) => {
        said.push({ by, carrier: 'tcp', bytes });
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Asks by UDP. */
async function question(port: number, said: Said[], hex: string): Promise<void> {
  const socket = createSocket('udp4');
  const bytes = Buffer.from(hex, 'hex');
  const heard = once(socket, 'message');
  said.push({ by: 'tester', carrier: 'udp', bytes });
  socket.send(bytes, port, '127.0.0.1');
  const [answer]: readonly unknown[] = await heard;
  assert.ok(answer instanceof Uint8Array);
  said.push({ by: 'entity', carrier: 'udp', bytes: answer });
  socket.close();
}

describe('tshark', () => {
  it('reads each of our messages, and finds none malformed', async (t) => {
    if (!hasTshark()) {
      t.skip(NOT_RUN);
      return;
    }
    const bench = await openBench(t);
    bench.ecu.serve((request) => {
      const [service = 0, ...rest] = request.bytes.subarray(0, 3);
      const isRead = service === 0x22;
      const identity = isRead ? [...rest, ...Buffer.from(VIN)] : rest.slice(0, 1);
      void request.respond(Uint8Array.of(service + 0x40, ...identity));
    });
    const said: Said[] = [];
    const port = await listenIn(t, bench.entity.tcpPort, said);
    await question(bench.entity.udpPort, said, '03fc400100000000');
    await question(bench.entity.udpPort, said, '03fc400300000000');
    await question(bench.entity.udpPort, said, '03fc000900000000');
    const connection = await bench.connect({ port, oem: Uint8Array.of(1, 2, 3, 4) });
    await ask(connection, Uint8Array.of(0x22, 0xf1, 0x90));
    await ask(connection, new Uint8Array(100_000).fill(0x36));
    const unknown = connection.openChannel(0x4444).send(Uint8Array.of(0x3e, 0));
    await assert.rejects(unknown, { wireCode: 3 });
    // A second connection in the tester's name makes the entity ask whether the first one lives.
    await assert.rejects(bench.connect(), { wireCode: 3 });
    const file = join(makeFolder(t), 'doip.pcap');
    writeFileSync(file, writePcap(said));
    const read = async (...parameters: readonly string[]): Promise<readonly string[]> => {
      const { stdout } = await execute('tshark', ['-r', file, ...parameters]);
      return stdout.split('\n').filter((line) => line !== '');
    };
    assert.deepEqual(await read('-Y', '_ws.malformed || _ws.expert.severity >= 6291456'), []);
    const types = await read('-Y', 'doip', '-T', 'fields', '-E', 'occurrence=a', '-e', 'doip.type');
    const wanted = ['4001', '4002', '4003', '4004', '0009', '0000', '0005', '0006'];
    const diagnostics = ['8001', '8002', '8001', '8001', '8002', '8001', '8001', '8003'];
    assert.deepEqual(
      types.flatMap((line) => line.split(',')).map((type) => type.replace('0x', '')),
      [...wanted, ...diagnostics, '0007', '0008'],
    );
    const refusals = await read('-Y', 'doip.nack_code', '-T', 'fields', '-e', 'doip.nack_code');
    assert.deepEqual(refusals.map(Number), [1]);
    const identifiers = await read(
      '-Y',
      'uds.rdbi.data_identifier',
      '-T',
      'fields',
      '-e',
      'doip.target_address',
    );
    assert.deepEqual(identifiers.slice(0, 1), [`0x${ENTITY.toString(16)}`]);
  });
});
