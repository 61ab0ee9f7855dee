import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ask,
  awaitReturn,
  clearDtcs,
  controlCommunication,
  controlDtcSetting,
  controlRoutine,
  countDtcs,
  deAuthenticate,
  gainRights,
  listDtcs,
  listSupportedDtcs,
  makeSecured,
  programEcu,
  proveOwnership,
  readAuthenticationConfiguration,
  readData,
  readDtcExtendedData,
  readFile,
  readSecured,
  readSeveralData,
  requestDownload,
  requestFileTransfer,
  requestSeed,
  resetEcu,
  SECURED_FLAGS,
  sendFile,
  sendKey,
  startSession,
  startSessionSilently,
  testerPresent,
  transferData,
  type UdsProcedure,
  type UdsRequest,
  UdsRequester,
  verifyCertificate,
  writeData,
} from '../../src/index.ts';
import { UdsBench } from './support/bench.ts';
import { runProcedure } from './support/runner.ts';

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(' ', ''));

/** Sends a request and answers it; what the client makes of it. */
function exchange(request: UdsRequest, ...answers: readonly string[]): string {
  const requester = new UdsRequester();
  requester.ask(request, 0);
  requester.sent(0);
  for (const answer of answers) {
    const [output] = requester.handle(hex(answer), 1);
    if (output?.kind === 'failed')
      return `${output.fault.code} ${output.fault.responseCode ?? ''}`.trim();
    if (output?.kind === 'answered') return output.response?.toHex() ?? 'silence';
  }
  return 'waits';
}

describe('UdsRequester', () => {
  const request = readData(0xf190);

  it('takes the answer to its own request, and looks at nothing else', () => {
    assert.equal(exchange(request, '62f19001'), '62f19001');
    for (const stray of ['62f19101', '6e', '7f3131', '7f2231 00', '7f22', '50030000', '']) {
      assert.equal(exchange(request, stray), 'waits');
    }
    assert.equal(exchange(request, '7f2231'), 'REFUSED 49');
    assert.deepEqual(new UdsRequester().handle(hex('62f19001'), 0), []);
  });

  it('waits on after "not yet", up to a number {14229-2:2021 7.2}', () => {
    const requester = new UdsRequester({
      p2Ms: 100,
      suppressedMs: 100,
      p2StarMs: 1000,
      pendingsMax: 2,
      answerMaxMs: 60_000,
    });
    requester.ask(request, 0);
    assert.equal(requester.deadlineMs, 60_000);
    requester.sent(10);
    assert.equal(requester.deadlineMs, 110);
    requester.handle(hex('7f2278'), 50);
    assert.equal(requester.deadlineMs, 1050);
    assert.deepEqual(requester.elapse(1049), []);
    requester.handle(hex('7f2278'), 1049);
    const [end] = requester.handle(hex('7f2278'), 1100);
    assert.equal(end?.kind === 'failed' && end.fault.code, 'PENDING_EXHAUSTED');
  });

  it('gives up after silence, at once after a time all in all', () => {
    const requester = new UdsRequester();
    requester.ask(request, 0);
    requester.sent(0);
    const [silent] = requester.elapse(150);
    assert.equal(silent?.kind === 'failed' && silent.fault.code, 'TIMEOUT');
    requester.ask(request, 200);
    const [never] = requester.elapse(660_200);
    assert.equal(never?.kind === 'failed' && never.fault.code, 'PENDING_EXHAUSTED');
  });

  it('repeats when the server is busy, and not for ever', () => {
    const requester = new UdsRequester();
    requester.ask(request, 0);
    let atMs = 0;
    for (let repeats = 0; repeats < 50; repeats += 1) {
      requester.sent(atMs);
      assert.deepEqual(requester.handle(hex('7f2221'), atMs), []);
      atMs += 100;
      assert.deepEqual(requester.elapse(atMs), [{ kind: 'send', message: request.bytes }]);
    }
    const [end] = requester.handle(hex('7f2221'), atMs);
    assert.equal(end?.kind === 'failed' && end.fault.responseCode, 0x21);
  });

  it('takes silence for the answer where none is to come, and a refusal all the same', () => {
    const silent = startSessionSilently('extended');
    assert.equal(exchange(silent, '7f1022'), 'REFUSED 34');
    assert.equal(exchange(silent, '7f1078', '5003003201f4'), '5003003201f4');
    const requester = new UdsRequester();
    requester.ask(silent, 0);
    requester.sent(0);
    assert.deepEqual(requester.elapse(150), [{ kind: 'answered', response: undefined }]);
  });
});

describe('calls', () => {
  it('are written and read as the standard has them', () => {
    const calls: readonly (readonly [
      { bytes: Uint8Array; read: (response: Uint8Array) => unknown },
      string,
      string,
      unknown,
    ])[] = [
      [startSession('programming'), '1002', '5002003201f4', { p2Ms: 50, p2StarMs: 5000 }],
      [resetEcu('soft'), '1103', '5103', undefined],
      [resetEcu('enableRapidPowerShutDown'), '1104', '510409', 9],
      [clearDtcs(), '14ffffff', '54', undefined],
      [countDtcs(9), '190109', '5901ff010203', 0x203],
      [listDtcs(9), '190209', '5902ff12345608', [{ dtc: 0x123456, status: 8 }]],
      [listSupportedDtcs(), '190a', '590aff', []],
      [
        readDtcExtendedData(1, 2),
        '190600000102',
        '590600000108aa',
        { status: 8, records: hex('aa') },
      ],
      [requestSeed(0x11), '2711', '67110102', hex('0102')],
      [sendKey(0x11, hex('03')), '271203', '6712', undefined],
      [controlCommunication('disableRxAndTx'), '280301', '6803', undefined],
      [controlDtcSetting(true), '8501', 'c501', undefined],
      [deAuthenticate(), '2900', '690010', undefined],
      [readAuthenticationConfiguration(), '2908', '690802', 2],
      [
        proveOwnership({ proof: hex('aa'), ephemeralKey: hex('') }),
        '29030001aa0000',
        '6903120001bb',
        hex('bb'),
      ],
      [writeData(0xf15a, hex('01')), '2ef15a01', '6ef15a', undefined],
      [controlRoutine('results', 0x0203), '31030203', '7103020300', hex('00')],
      [
        requestDownload({ dataFormat: 0x11, address: 0x1000, sizeBytes: 5 }),
        '341112100005',
        '74200102',
        256,
      ],
      [transferData(255, hex('aa')), '36ffaa', '76ff', hex('')],
      [
        requestFileTransfer({ mode: 'delete', path: 'a', dataFormat: 0, sizeBytes: 0 }),
        '3802000161',
        '7802',
        { blockDataBytes: 0, sizeBytes: 0, positionBytes: 0 },
      ],
      [
        requestFileTransfer({ mode: 'readDirectory', path: '', dataFormat: 0, sizeBytes: 0 }),
        '38050000',
        '7805018200000105',
        { blockDataBytes: 128, sizeBytes: 5, positionBytes: 0 },
      ],
      [testerPresent(), '3e00', '7e00', undefined],
    ];
    for (const [call, request, response, expected] of calls) {
      assert.equal(call.bytes.toHex(), request);
      assert.deepEqual(call.read(hex(response)), expected, request);
      // With a byte too many or too few it is none, unless the record is the maker's.
      if (
        !(expected instanceof Uint8Array) &&
        !request.startsWith('1906') &&
        !request.startsWith('1902')
      ) {
        assert.throws(
          () => call.read(hex(`${response}00`)),
          { code: 'MESSAGE_MALFORMED' },
          request,
        );
      }
    }
  });

  it('read several data records by their lengths, and none that nobody asked for', () => {
    const call = readSeveralData(
      new Map([
        [0xf190, 2],
        [0xf18c, 1],
      ]),
    );
    assert.equal(call.bytes.toHex(), '22f190f18c');
    assert.deepEqual(
      call.read(hex('62f190aabbf18ccc')),
      new Map([
        [0xf190, hex('aabb')],
        [0xf18c, hex('cc')],
      ]),
    );
    assert.deepEqual(call.read(hex('62f18ccc')), new Map([[0xf18c, hex('cc')]]));
    assert.throws(() => call.read(hex('62f190aabbf190aabb')), { code: 'ANSWER_UNEXPECTED' });
    assert.throws(() => call.read(hex('62f19101')), { code: 'ANSWER_UNEXPECTED' });
    assert.throws(() => call.read(hex('62f190aa')), { code: 'MESSAGE_MALFORMED' });
    assert.throws(() => readSeveralData(new Map()), { code: 'VALUE_RANGE' });
  });

  it('are not made of what no message can carry', () => {
    const outOfRange = { code: 'VALUE_RANGE' };
    assert.throws(() => readData(0x10000), outOfRange);
    assert.throws(() => readData(-1), outOfRange);
    assert.throws(() => requestSeed(2), outOfRange);
    assert.throws(() => requestSeed(0x43), outOfRange);
    const file = { mode: 'add', path: '../a', dataFormat: 0, sizeBytes: 1 } as const;
    assert.throws(() => requestFileTransfer(file), outOfRange);
    assert.throws(() => writeData(1.5, hex('01')), outOfRange);
    const proof = new Uint8Array(70_000);
    assert.throws(() => proveOwnership({ proof, ephemeralKey: hex('') }), outOfRange);
  });

  it('do not go on with a server that answers otherwise', () => {
    const unexpected = { code: 'ANSWER_UNEXPECTED' };
    assert.throws(() => deAuthenticate().read(hex('690011')), unexpected);
    const shown = {
      isBidirectional: false,
      communicationConfiguration: 0,
      certificate: hex('aa'),
      challenge: hex(''),
    };
    assert.throws(() => verifyCertificate(shown).read(hex('69011200000000')), unexpected);
    const download = requestDownload({ dataFormat: 0, address: 1, sizeBytes: 1 });
    assert.throws(() => download.read(hex('741002')), unexpected);
    assert.throws(() => download.read(hex('7400')), unexpected);
    assert.throws(() => download.read(hex('7490ffffffffffffffffff')), {
      code: 'MESSAGE_MALFORMED',
    });
  });
});

describe('makeSecured() and readSecured()', () => {
  it('are each other’s inverse, and refuse a code of another length', () => {
    const message = {
      administrative: SECURED_FLAGS.isRequest | SECURED_FLAGS.isSigned,
      calculation: 1,
      counter: 77,
      inner: hex('22f190'),
    };
    const bytes = makeSecured(message, 2, () => hex('abcd'));
    assert.equal(bytes.toHex(), '840021010002004d22f190abcd');
    const read = readSecured(bytes);
    assert.deepEqual(read.inner, message.inner);
    assert.deepEqual([read.counter, read.signature.toHex()], [77, 'abcd']);
    assert.equal(read.signedBytes.toHex(), '840021010002004d22f190');
    assert.throws(() => makeSecured(message, 3, () => hex('abcd')), { code: 'VALUE_RANGE' });
    assert.throws(() => readSecured(hex('840021010009004d22')), { code: 'MESSAGE_MALFORMED' });
  });
});

describe('procedures', () => {
  it('gain rights by a key once, and need none where the level is open', () => {
    const bench = new UdsBench();
    const { requests } = runProcedure(bench, unlockTwice());
    assert.deepEqual(requests, ['1003', '2711', '271209080706', '2711']);
  });

  it('wait for an ECU that is away, and not for ever', () => {
    const bench = new UdsBench();
    let lost = 0;
    const isLost = (): boolean => (lost += 1) <= 2;
    const patience = { returnAttempts: 3, returnPauseMs: 500 };
    assert.equal(runProcedure(bench, awaitReturn(patience), { isLost }).requests.length, 3);
    assert.throws(() => runProcedure(bench, awaitReturn(patience), { isLost: () => true }), {
      code: 'TIMEOUT',
    });
  });

  it('go on where an ECU says, and not behind its end', () => {
    const sources = new Map([['image', new Uint8Array(100)]]);
    const source = { source: 'image', dataFormat: 0, lengthBytes: 100 };
    const bench = new UdsBench();
    bench.authenticate();
    bench.ecu.positionBytes = 100;
    runProcedure(bench, sendFile('a', 'resume', source), { sources });
    assert.equal(bench.ecu.writes.length, 0);
    const plan = {
      flavour: 'silent' as const,
      credential: { kind: 'key' as const, level: 0x11 },
      identification: [],
      fingerprints: [],
      isPreconditionChecked: false,
      blocks: [{ ...source, block: 1, address: 0x1000, checkOption: new Uint8Array() }],
      activation: undefined,
    };
    for (const [offset, expected] of [
      [40, 60],
      [101, undefined],
    ] as const) {
      const resuming = new UdsBench();
      resuming.ecu.eraseRecord = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, offset);
      const run = (): unknown => runProcedure(resuming, programEcu(plan), { sources });
      if (expected === undefined) assert.throws(run, { code: 'ANSWER_UNEXPECTED' });
      else {
        run();
        assert.equal(
          resuming.ecu.writes.reduce((sum, { data }) => sum + data.length, 0),
          expected,
        );
      }
    }
  });

  it('read no file whose blocks are empty', () => {
    const procedure = readFile({ mode: 'read', path: 'a' }, 100);
    procedure.next();
    procedure.next(hex('78040182000001 0505'));
    assert.throws(() => procedure.next(hex('7601')), { code: 'ANSWER_UNEXPECTED' });
  });
});

function* unlockTwice(): UdsProcedure<undefined> {
  yield* ask(startSession('extended'));
  yield* gainRights({ kind: 'key', level: 0x11 });
  yield* gainRights({ kind: 'key', level: 0x11 });
  return undefined;
}
