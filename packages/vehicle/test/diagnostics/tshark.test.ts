/** Wireshark's reader of UDS, on what our tester and our ECU say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  countDtcs,
  programEcu,
  readDtcExtendedData,
  readFile,
  readSeveralData,
  sendFile,
  startSession,
} from '@immota/bus';
import { createUdsApplication, openUdsClient, serveUds, systemSurroundings } from '@immota/vehicle';
import { diagnostic, ENTITY, TESTER } from '../doip/doip-bench.ts';
import { writePcap } from '../doip/pcap.ts';
import { hasTshark } from '../doip/third-party.ts';
import { makeFolder } from '../support/folder.ts';
import { makeRamEcu, RAM_ADDRESS } from '../support/ram-ecu.ts';
import { layUdsWire } from '../support/uds-wire.ts';

const execute = promisify(execFile);

describe('tshark', () => {
  it('reads all that is said while an ECU is programmed, and finds nothing malformed', async (t) => {
    if (!hasTshark()) {
      t.skip('not run: tshark is not installed');
      return;
    }
    const wire = layUdsWire();
    const { timer, entropy } = systemSurroundings();
    const ecu = makeRamEcu();
    const server = serveUds({
      endpoint: wire.endpoint,
      application: createUdsApplication(ecu.ports),
      timer,
      onFailure: (error) => assert.ifError(error),
    });
    const client = openUdsClient({ channel: wire.connect(TESTER), timer });
    const environment = {
      entropy,
      read: async (_source: string, _offset: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(new Uint8Array(length).fill(0x5a)),
      unlock: async (_level: number, seed: Uint8Array): Promise<Uint8Array> =>
        Promise.resolve(seed.map((byte) => ~byte)),
    };
    await client.ask(
      readSeveralData(
        new Map([
          [0xf190, 17],
          [0xf18c, 5],
        ]),
      ),
    );
    await client.ask(countDtcs(0xff));
    await client.ask(readDtcExtendedData(0x123456, 0xff));
    const source = { source: 'image', dataFormat: 0, lengthBytes: 3000 };
    const blocks = [
      { ...source, block: 1, address: RAM_ADDRESS, checkOption: Uint8Array.of(1, 2, 3, 4) },
    ];
    await client.run(
      programEcu({
        flavour: 'programming',
        credential: { kind: 'key', level: 0x11 },
        identification: [0xf190],
        fingerprints: [{ identifier: 0xf15a, record: new Uint8Array(9) }],
        isPreconditionChecked: true,
        blocks,
        activation: undefined,
      }),
      environment,
    );
    await client.ask(startSession('extended'));
    await assert.rejects(client.run(sendFile('a', 'add', source), environment), {
      code: 'REFUSED',
    });
    await assert.rejects(client.run(readFile({ mode: 'read', path: 'log' }, 100), environment), {
      code: 'REFUSED',
    });
    await client.close();
    await server.close();
    const said = wire.said.map(({ by, bytes }) => ({
      by: by === 'ecu' ? ('entity' as const) : by,
      carrier: 'tcp' as const,
      bytes:
        by === 'ecu'
          ? diagnostic(ENTITY, TESTER, [...bytes])
          : diagnostic(TESTER, ENTITY, [...bytes]),
    }));
    const file = join(makeFolder(t), 'uds.pcap');
    writeFileSync(file, writePcap(said));
    const read = async (...parameters: readonly string[]): Promise<readonly string[]> => {
      const { stdout } = await execute('tshark', ['-r', file, ...parameters]);
      return stdout.split('\n').filter((line) => line !== '');
    };
    assert.deepEqual(await read('-Y', '_ws.malformed || _ws.expert.severity >= 6291456'), []);
    // The reader gives a response by the number of its request.
    const numbers = await read('-Y', 'uds', '-T', 'fields', '-e', 'uds.sid');
    assert.deepEqual(
      numbers.map(Number),
      wire.said.map(({ bytes: [first = 0] }) => first & ~0x40),
    );
    const refusals = await read('-Y', 'uds.err.code', '-T', 'fields', '-e', 'uds.err.code');
    assert.deepEqual(refusals.map(Number), [0x33, 0x33]);
    const erased = await read(
      '-Y',
      'uds.rc.identifier == 0xff00',
      '-T',
      'fields',
      '-e',
      'uds.reply',
    );
    assert.equal(erased.length, 2);
  });
});
