import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RESPONSE_CODES, SERVICES, UdsRequester, UdsFault } from '../../src/index.ts';
import { OTHER, TESTER, UdsBench } from './support/bench.ts';

const services = fc.constantFrom(...Object.values(SERVICES), 0x00, 0x3f, 0xba);
/** Bytes that often begin like a request. */
const requests = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(services, fc.uint8Array({ maxLength: 24 }))
    .map(([service, rest]) => Uint8Array.of(service, ...rest)),
  fc
    .tuple(
      services,
      fc.constantFrom(1, 2, 3, 6, 8, 0x11, 0x12, 0x81, 0x83),
      fc.uint8Array({ maxLength: 12 }),
    )
    .map(([service, sub, rest]) => Uint8Array.of(service, sub, ...rest)),
  fc
    .constantFrom(
      '1003',
      '1002',
      '3101ff000101',
      '340022100000ff',
      '3601ff',
      '37',
      '3803000161000100',
      '2711',
      '290100 0001aa 0000',
    )
    .map((text) => Uint8Array.fromHex(text.replaceAll(' ', ''))),
);
const exchanges = fc.array(
  fc.record({
    bytes: requests,
    isFunctional: fc.boolean(),
    tester: fc.constantFrom(TESTER, TESTER, OTHER),
    waitMs: fc.constantFrom(0, 0, 0, 40, 2500, 5000),
    isHeld: fc.boolean(),
  }),
  { maxLength: 40 },
);

describe('UdsServer', () => {
  it('answers any bytes of strangers at most once, and writes nothing for them', () => {
    fc.assert(
      fc.property(exchanges, (all) => {
        const bench = new UdsBench();
        bench.ecu.refusals.set('verifyProof', RESPONSE_CODES.ownershipVerificationFailed);
        bench.ecu.refusals.set('checkKey', RESPONSE_CODES.conditionsNotCorrect);
        for (const { bytes, isFunctional, tester, waitMs, isHeld } of all) {
          bench.isHolding = isHeld;
          const answers = bench.say(bytes, { isFunctional, tester });
          assert.ok(answers.length <= 1);
          for (const answer of answers) assertAnswers(answer, bytes);
          bench.pass(waitMs);
          while (bench.held.length > 0) bench.release();
        }
        const changing = new Set([
          'eraseBlock',
          'openDownload',
          'openFile',
          'writeTransfer',
          'writeData',
        ]);
        assert.deepEqual(bench.ecu.writes, []);
        assert.ok(!bench.ecu.operations.some(({ kind }) => changing.has(kind)));
      }),
      { numRuns: 500 },
    );
  });

  it('asks for time no more often than it may, and never works for ever', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 80 }),
        (waits) => {
          const bench = new UdsBench();
          bench.isHolding = true;
          bench.ask('22f190');
          let elapsedMs = 0;
          let words = 0;
          for (const waitMs of waits) {
            elapsedMs += waitMs;
            words += bench
              .pass(waitMs)
              .split(' ')
              .filter((word) => word === '7f2278').length;
            assert.ok(words <= 1 + Math.ceil(elapsedMs / 2500));
          }
          assert.equal(bench.server.deadlineMs === undefined, elapsedMs >= 600_000);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('UdsRequester', () => {
  it('ends each request exactly once, whatever comes and whenever {14229-2:2021 7.2}', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('message' as const), bytes: serverMessages() }),
        fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 400_000 }) }),
        fc.constant({ kind: 'sent' as const }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(events, fc.boolean(), (all, isKept) => {
        const requester = new UdsRequester();
        let atMs = 5;
        requester.keepSession(isKept, atMs);
        const request = {
          bytes: Uint8Array.of(0x22, 0xf1, 0x90),
          responsePrefix: Uint8Array.of(0x62, 0xf1, 0x90),
          isSuppressed: false,
        };
        let ends = 0;
        let sent = requester.ask(request, atMs).length;
        assert.throws(() => requester.ask(request, atMs), { code: 'BUSY' });
        const take = (outputs: ReturnType<UdsRequester['elapse']>): void => {
          for (const output of outputs) {
            if (output.kind === 'answered' || output.kind === 'failed') ends += 1;
            if (output.kind === 'send') sent += 1;
          }
        };
        for (const event of all) {
          if (event.kind === 'message') take(requester.handle(event.bytes, atMs));
          else if (event.kind === 'sent') requester.sent(atMs);
          else {
            atMs += event.ms;
            take(requester.elapse(atMs));
          }
        }
        atMs += 700_000;
        take(requester.elapse(atMs));
        take(requester.abort(new UdsFault('CLOSED', 'Cannot go on'), atMs));
        assert.equal(ends, 1);
        assert.ok(sent <= 51);
        assert.equal(requester.deadlineMs, undefined);
      }),
      { numRuns: 500 },
    );
  });
});

function serverMessages(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .constantFrom('7f2278', '7f2221', '7f2231', '62f190aa', '62f191', '7f3178', '7f22', '62')
      .map((text) => Uint8Array.fromHex(text)),
  );
}

/** A positive or negative answer to this very request. */
function assertAnswers(answer: Uint8Array, request: Uint8Array): void {
  const [service = 0] = request;
  if (answer[0] === 0x7f) {
    assert.equal(answer.length, 3);
    assert.equal(answer[1], service);
  } else {
    assert.equal(answer[0], service + 0x40);
  }
}
