import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { programEcu, type ProgrammingPlan, readFile, sendFile } from '../../src/index.ts';
import { BLOCK_BYTES, UdsBench } from './support/bench.ts';
import { runProcedure } from './support/runner.ts';

const FIRMWARE = new Uint8Array(1000).map((_, index) => index * 7);
const SOURCES = new Map([['firmware', FIRMWARE]]);

function planOf(changes: Partial<ProgrammingPlan> = {}): ProgrammingPlan {
  return {
    flavour: 'programming',
    credential: { kind: 'certificate', certificate: Uint8Array.of(0xaa), isBidirectional: true },
    identification: [0xf190, 0xf18c],
    fingerprints: [{ identifier: 0xf15a, record: new Uint8Array(9) }],
    isPreconditionChecked: true,
    blocks: [
      {
        source: 'firmware',
        dataFormat: 0,
        lengthBytes: FIRMWARE.length,
        block: 1,
        address: 0x1000,
        checkOption: Uint8Array.of(1, 2, 3, 4),
      },
    ],
    activation: {
      routine: undefined,
      option: new Uint8Array(),
      returnAttempts: 3,
      returnPauseMs: 1000,
    },
    ...changes,
  };
}

function written(bench: UdsBench): Uint8Array {
  const memory = new Uint8Array(BLOCK_BYTES);
  for (const { offsetBytes, data } of bench.ecu.writes) memory.set(data, offsetBytes);
  return memory.subarray(0, FIRMWARE.length);
}

describe('programEcu()', () => {
  it('goes through the whole sequence of one bank', () => {
    const bench = new UdsBench();
    const { requests, progress } = runProcedure(bench, programEcu(planOf()), { sources: SOURCES });
    assert.deepEqual(written(bench), FIRMWARE);
    assert.deepEqual(
      requests.map((request) => (request.startsWith('36') ? request.slice(0, 4) : request)),
      [
        'all 1083',
        '1003',
        '22f190',
        '22f18c',
        '31010203',
        'all 8582',
        'all 288101',
        '1002',
        '2902000001aa',
        '29030001bb00',
        '2ef15a000000',
        '3101ff000101',
        '340022100003',
        ...Array.from({ length: 8 }, (_, index) => `360${index + 1}`),
        '37',
        '310102020101',
        '3101ff01',
        '1101',
        '1003',
        '14ffffff',
        'all 1083',
        'all 288001',
        'all 8581',
        'all 1081',
        '1001',
      ],
    );
    assert.deepEqual(
      progress.flatMap((item) => (item.kind === 'phase' ? [item.phase] : [])),
      [
        'preProgramming',
        'authentication',
        'fingerprint',
        'erase',
        'download',
        'check',
        'dependencies',
        'activation',
        'postProgramming',
      ],
    );
    assert.ok(progress.some((item) => item.kind === 'blockChecked' && item.source === 'firmware'));
  });

  it('keeps to the extended session and the traffic alive when it is silent', () => {
    const bench = new UdsBench();
    const plan = planOf({
      flavour: 'silent',
      activation: undefined,
      credential: { kind: 'key', level: 0x11 },
      identification: [],
      isPreconditionChecked: false,
    });
    const { requests } = runProcedure(bench, programEcu(plan), { sources: SOURCES });
    assert.deepEqual(written(bench), FIRMWARE);
    assert.deepEqual(
      requests.filter((request) => /^all|^1|^28|^85/.test(request)),
      ['1003', '1001'],
    );
  });

  it('sends a block again when its answer is lost, and the ECU writes it once', () => {
    const bench = new UdsBench();
    const { requests } = runProcedure(bench, programEcu(planOf()), {
      sources: SOURCES,
      isLost: (message, index) => message[0] === 0x76 && index % 2 === 0,
    });
    assert.deepEqual(written(bench), FIRMWARE);
    assert.equal(bench.ecu.writes.length, 8);
    assert.ok(requests.filter((request) => request.startsWith('36')).length > 8);
  });

  it('gives up a block of which every answer is lost, and gives the bus free', () => {
    const bench = new UdsBench();
    assert.throws(
      () =>
        runProcedure(bench, programEcu(planOf()), {
          sources: SOURCES,
          isLost: (message) => message[0] === 0x76,
        }),
      { code: 'TIMEOUT' },
    );
    assert.deepEqual(freed(bench), ['enableRxAndTx', true, 'default', 'default']);
  });

  it('stops at a precondition, an erasure, a check or dependencies that are not met', () => {
    const bench = new UdsBench();
    bench.ecu.isGood = false;
    assert.throws(() => runProcedure(bench, programEcu(planOf()), { sources: SOURCES }), {
      code: 'ROUTINE_FAILED',
    });
    assert.deepEqual(freed(bench), ['enableRxAndTx', true, 'default', 'default']);
    assert.ok(!bench.ecu.operations.some(({ kind }) => kind === 'prepareReset'));
    for (const kind of ['routine', 'eraseBlock', 'verifyProof', 'writeData'] as const) {
      const refusing = new UdsBench();
      refusing.ecu.refusals.set(kind, 0x22);
      assert.throws(() => runProcedure(refusing, programEcu(planOf()), { sources: SOURCES }), {
        code: 'REFUSED',
        responseCode: 0x22,
      });
      assert.equal(refusing.ecu.writes.length, 0);
    }
  });

  it('stops when the source is shorter than was said', () => {
    const bench = new UdsBench();
    const sources = new Map([['firmware', FIRMWARE.subarray(0, 500)]]);
    assert.throws(() => runProcedure(bench, programEcu(planOf()), { sources }), {
      code: 'VALUE_RANGE',
    });
  });
});

describe('sendFile() and readFile()', () => {
  it('send a file whole, or from where the ECU has it, and read one back', () => {
    const bench = new UdsBench();
    bench.authenticate();
    const source = { source: 'firmware', dataFormat: 0, lengthBytes: FIRMWARE.length };
    runProcedure(bench, sendFile('images/a', 'replace', source), { sources: SOURCES });
    assert.deepEqual(written(bench), FIRMWARE);
    bench.ecu.writes.length = 0;
    bench.ecu.positionBytes = 900;
    runProcedure(bench, sendFile('images/a', 'resume', source), { sources: SOURCES });
    assert.equal(bench.ecu.writes[0]?.offsetBytes, 900);
    bench.ecu.files.set('images/a', FIRMWARE);
    const read = readFile({ mode: 'read', path: 'images/a' }, 1000);
    assert.deepEqual(runProcedure(bench, read).result, FIRMWARE);
  });

  it('read nothing that is too long', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.ecu.files.set('images/a', FIRMWARE);
    const read = readFile({ mode: 'read', path: 'images/a' }, 999);
    assert.throws(() => runProcedure(bench, read), { code: 'ANSWER_UNEXPECTED' });
  });
});

/** What gave the bus free at the end. */
function freed(bench: UdsBench): readonly unknown[] {
  return bench.ecu.operations.slice(-4).map((operation) => {
    if (operation.kind === 'controlCommunication') return operation.control;
    if (operation.kind === 'setDtcs') return operation.isOn;
    return operation.kind === 'enterSession' ? operation.session : operation.kind;
  });
}
