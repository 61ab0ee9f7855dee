import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { AnswerPacer, type MessageParts } from '../../src/doip/answer-pacer.ts';
import { encodeMessage } from '../../src/doip/message.ts';
import { diagnostic, ECU, TestEntity, TESTER } from './support.ts';

const OLD = 2;
const NEW = 3;

function part(value: number): MessageParts {
  return [Uint8Array.of(value)];
}

function values(messages: readonly MessageParts[]): readonly (number | undefined)[] {
  return messages.map(([bytes]) => bytes?.[0]);
}

describe('AnswerPacer', () => {
  it('keeps an answer behind its acknowledgement for 30 ms, and the next one as long', () => {
    const pacer = new AnswerPacer();
    pacer.noteRequest(OLD, 1000);
    assert.deepEqual(values(pacer.pass(part(1), 1000)), [1]);
    assert.deepEqual(values(pacer.put(part(2), 1000)), []);
    assert.deepEqual(values(pacer.put(part(3), 1001)), []);
    assert.equal(pacer.deadlineMs, 1030);
    assert.deepEqual(values(pacer.elapse(1029)), []);
    assert.deepEqual(values(pacer.elapse(1030)), [2]);
    assert.deepEqual(values(pacer.elapse(1060)), [3]);
    assert.equal(pacer.deadlineMs, undefined);
  });

  it('keeps nothing that comes late enough', () => {
    const pacer = new AnswerPacer();
    pacer.noteRequest(OLD, 1000);
    pacer.pass(part(1), 1000);
    assert.deepEqual(values(pacer.put(part(2), 1030)), [2]);
  });

  it('keeps nothing from testers of later versions', () => {
    const pacer = new AnswerPacer();
    pacer.noteRequest(NEW, 1000);
    pacer.pass(part(1), 1000);
    assert.deepEqual(values(pacer.put(part(2), 1000)), [2]);
  });

  it('keeps nothing from a tester that was prompt three times running', () => {
    const pacer = new AnswerPacer();
    const exchange = (atMs: number): number => {
      pacer.noteRequest(OLD, atMs);
      pacer.pass(part(1), atMs);
      const isKept = pacer.put(part(2), atMs).length === 0;
      return isKept ? (pacer.elapse(atMs + 30), atMs + 30) : atMs;
    };
    let atMs = exchange(1000);
    atMs = exchange(atMs + 0.1);
    atMs = exchange(atMs + 0.1);
    const before = atMs + 0.1;
    assert.equal(exchange(before), before);
    // What it has shown is believed: a pause later on is no sign of another tester.
    assert.equal(exchange(5000), 5000);
  });

  it('loses none and changes no order, whatever comes when', () => {
    const step = fc.record({
      what: fc.constantFrom('request', 'pass', 'put', 'put'),
      afterMs: fc.constantFrom(0, 0.1, 5, 30, 100),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(OLD, NEW),
        (steps, version) => {
          const pacer = new AnswerPacer();
          const sent: (number | undefined)[] = [];
          let count = 0;
          let atMs = 0;
          for (const { what, afterMs } of steps) {
            atMs += afterMs;
            while ((pacer.deadlineMs ?? Infinity) <= atMs) {
              sent.push(...values(pacer.elapse(pacer.deadlineMs ?? atMs)));
            }
            if (what === 'request') pacer.noteRequest(version, atMs);
            else {
              const message = part((count += 1));
              const now = what === 'pass' ? pacer.pass(message, atMs) : pacer.put(message, atMs);
              sent.push(...values(now));
            }
            assert.ok(count - sent.length <= 8);
          }
          while (pacer.deadlineMs !== undefined)
            sent.push(...values(pacer.elapse(pacer.deadlineMs)));
          assert.deepEqual(
            sent,
            Array.from({ length: count }, (_, index) => index + 1),
          );
        },
      ),
    );
  });
});

describe('DoipEntity: testers of 2012', () => {
  it('sends the answer some time after its acknowledgement', () => {
    const entity = new TestEntity();
    entity.open(1);
    const request = {
      kind: 'routingActivationRequest',
      source: TESTER,
      activationType: 0,
    } as const;
    entity.bytes(1, encodeMessage(request, 2));
    entity.pass(1);
    const bytes = diagnostic(TESTER, ECU);
    bytes.set([2, 0xfd]);
    entity.bytes(1, bytes);
    const acknowledged = entity.handle({ kind: 'accepted', connection: 1, target: ECU });
    assert.deepEqual(acknowledged, ['1 diagnosticAck 00']);
    const userData = Uint8Array.of(0x7e, 0);
    const answered = entity.handle({ kind: 'answered', connection: 1, source: ECU, userData });
    assert.deepEqual(answered, []);
    assert.deepEqual(entity.pass(29), []);
    assert.deepEqual(entity.pass(1), ['1 diagnosticMessage 2000→e80 2']);
  });
});
