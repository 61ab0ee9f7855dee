/** Scapy at either end: it programs our ECU, and our tester programs one that it plays. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { isJsonObject, parseJson } from '@immota/base';
import { programEcu } from '@immota/bus';
import {
  connectDoip,
  createUdsApplication,
  openUdsClient,
  serveUds,
  systemSurroundings,
} from '@immota/vehicle';
import { ENTITY, openBench, TESTER } from '../doip/doip-bench.ts';
import { findScapy } from '../doip/third-party.ts';
import { makeRamEcu } from '../support/ram-ecu.ts';

const NOT_RUN = 'not run: python3-scapy is not installed';
const scapy = findScapy();
const FIRMWARE = Uint8Array.from({ length: 3000 }, (_, index) => (index * 7) % 251);
const MESSAGE_MAX_BYTES = 65_536;

function start(test: TestContext, file: string, parameters: readonly string[] = []): Interface {
  assert.ok(scapy !== undefined);
  const program = join(import.meta.dirname, file);
  const process = spawn(scapy, [program, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => process.kill());
  assert.ok(process.stdout !== null);
  return createInterface({ input: process.stdout });
}

/** Its log goes the same way. */
async function* objects(lines: Interface): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for await (const line of lines) {
    const told = line.startsWith('{') ? parseJson(Buffer.from(line), MESSAGE_MAX_BYTES) : undefined;
    if (isJsonObject(told)) yield told;
  }
}

describe('Scapy', () => {
  it('programs our ECU as a tester, and takes each answer for one', async (t) => {
    if (scapy === undefined) {
      t.skip(NOT_RUN);
      return;
    }
    const { timer } = systemSurroundings();
    const bench = await openBench(t, { timer });
    const ecu = makeRamEcu();
    const server = serveUds({
      endpoint: bench.ecu,
      application: createUdsApplication(ecu.ports),
      timer,
      onFailure: (error) => assert.ifError(error),
    });
    t.after(() => server.close());
    const lines = start(t, 'scapy_uds_tester.py', [`${bench.entity.tcpPort}`]);
    let heard: unknown;
    for await (const told of objects(lines)) heard ??= told['heard'];
    assert.deepEqual(heard, [
      ['5003003201f4', 'UDS_DSCPR', true],
      ['62f19057494d4d4f54413132', 'UDS_RDBIPR', true],
      ['59027f12345609', 'UDS_RDTCIPR', true],
      ['59017f010001', 'UDS_RDTCIPR', true],
      ['c502', 'UDS_CDTCSPR', true],
      ['6801', 'UDS_CCPR', true],
      ['7f3433', 'UDS_NR', true],
      ['5002003201f4', 'UDS_DSCPR', true],
      ['671112345678', 'UDS_SAPR', true],
      ['7f2735', 'UDS_NR', true],
      ['671112345678', 'UDS_SAPR', true],
      ['6712', 'UDS_SAPR', true],
      ['6ef15a', 'UDS_WDBIPR', true],
      ['7101ff0000', 'UDS_RCPR', true],
      ['74200400', 'UDS_RDPR', true],
      ['7601', 'UDS_TDPR', true],
      ['7602', 'UDS_TDPR', true],
      ['7603', 'UDS_TDPR', true],
      ['7f3673', 'UDS_NR', true],
      ['77', '', true],
      ['7101020200', 'UDS_RCPR', true],
      ['7101ff0100', 'UDS_RCPR', true],
      ['78040204000000010505', 'UDS_RFTPR', true],
      ['76010102030405', 'UDS_TDPR', true],
      ['77', '', true],
      ['5101', 'UDS_ERPR', true],
      ['7e00', 'UDS_TPPR', true],
      ['54', '', true],
    ]);
    assert.deepEqual(ecu.memory.subarray(0, FIRMWARE.length), FIRMWARE);
    assert.ok(ecu.heard.includes('fingerprint 000102030405060708'));
    assert.ok(ecu.heard.includes('reset hard'));
  });

  it('reads each request of our tester, and answers the whole sequence', async (t) => {
    if (scapy === undefined) {
      t.skip(NOT_RUN);
      return;
    }
    const { timer, entropy } = systemSurroundings();
    const told = objects(start(t, 'scapy_uds_ecu.py'));
    const { value: first } = await told.next();
    const connection = await connectDoip({
      host: '127.0.0.1',
      port: Number(first?.['port']),
      timer,
      source: TESTER,
    });
    const client = openUdsClient({ channel: connection.openChannel(ENTITY), timer });
    const plan = programEcu({
      flavour: 'silent',
      credential: { kind: 'certificate', certificate: Uint8Array.of(0xaa), isBidirectional: true },
      identification: [0xf190],
      fingerprints: [{ identifier: 0xf15a, record: new Uint8Array(9) }],
      isPreconditionChecked: true,
      blocks: [
        {
          source: 'image',
          dataFormat: 0x11,
          lengthBytes: 700,
          block: 2,
          address: 0x1000,
          checkOption: Uint8Array.of(9),
        },
      ],
      activation: {
        routine: 0xf030,
        option: new Uint8Array(),
        returnAttempts: 3,
        returnPauseMs: 1,
      },
    });
    await client.run(plan, {
      entropy,
      read: async (_source, offset, length) =>
        Promise.resolve(FIRMWARE.subarray(offset, offset + length)),
      prove: async () => Promise.resolve(new Uint8Array(64)),
    });
    await client.close();
    await connection.close();
    const requests: unknown[] = [];
    for await (const { what, read } of told) if (what === 'request') requests.push(read);
    const names = requests.map((layers) => (layers as [[string, unknown]])[0]?.[0]);
    assert.deepEqual(names, [
      'UDS_DSC',
      'UDS_RDBI',
      'UDS_RC',
      'UDS_AUTH',
      'UDS_AUTH',
      'UDS_WDBI',
      'UDS_RC',
      'UDS_RD',
      'UDS_TD',
      'UDS_TD',
      'UDS_TD',
      undefined,
      'UDS_RC',
      'UDS_RC',
      'UDS_RC',
      'UDS_ER',
      'UDS_DSC',
      'UDS_CDTCI',
      'UDS_DSC',
    ]);
    assert.deepEqual(requests[7], [
      [
        'UDS_RD',
        {
          dataFormatIdentifier: 0x11,
          memorySizeLen: 2,
          memoryAddressLen: 2,
          memoryAddress2: 0x1000,
          memorySize2: 700,
        },
      ],
    ]);
  });
});
