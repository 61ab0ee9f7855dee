import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeMessage } from '../../src/doip/message.ts';
import { activation, diagnostic, ECU, head, OTHER, TestEntity, TESTER } from './support.ts';

function alive(source: number): Uint8Array {
  return encodeMessage({ kind: 'aliveCheckResponse', source });
}

describe('DoipEntity: routing activation', () => {
  it('activates a tester, and says so again when it asks again', () => {
    const entity = new TestEntity();
    entity.open(1);
    assert.equal(entity.machine.socketsOpen, 0);
    assert.deepEqual(entity.bytes(1, activation(TESTER)), [
      '1 routingActivationResponse 10',
      '1 activated e80',
    ]);
    assert.equal(entity.machine.socketsOpen, 1);
    assert.deepEqual(entity.bytes(1, activation(TESTER)), ['1 routingActivationResponse 10']);
  });

  it('answers in the version it was spoken to', () => {
    const entity = new TestEntity();
    entity.open(1);
    const request = {
      kind: 'routingActivationRequest',
      source: TESTER,
      activationType: 0,
    } as const;
    entity.bytes(1, encodeMessage(request, 2));
    const [first] = entity.outputs;
    assert.ok(first?.kind === 'send');
    assert.equal(first.bytes[0]?.[0], 2);
  });

  it('refuses with 00 an address that is no tester’s', () => {
    const entity = new TestEntity();
    entity.open(1);
    const told = entity.bytes(1, activation(0x2000));
    assert.deepEqual(told, ['1 routingActivationResponse 00', '1 close denied']);
  });

  it('refuses with 02 another address on a connection that has one', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const told = entity.bytes(1, activation(OTHER));
    assert.deepEqual(told, ['1 routingActivationResponse 02', '1 close denied']);
    assert.equal(entity.machine.socketsOpen, 0);
  });

  it('refuses with 06 a type that nobody configured', () => {
    const entity = new TestEntity();
    entity.open(1);
    const told = entity.bytes(1, activation(TESTER, 0x77));
    assert.deepEqual(told, ['1 routingActivationResponse 06', '1 close denied']);
  });

  it('refuses with 07 by plain TCP what needs TLS, and grants it by TLS', () => {
    const entity = new TestEntity();
    entity.open(1);
    const told = entity.bytes(1, activation(TESTER, 0x01));
    assert.deepEqual(told, ['1 routingActivationResponse 07', '1 close denied']);
    entity.open(2, true);
    assert.deepEqual(entity.bytes(2, activation(TESTER, 0x01)), [
      '2 routingActivationResponse 10',
      '2 activated e80',
    ]);
  });

  it('refuses with 03 an address whose holder lives', () => {
    const entity = new TestEntity();
    entity.activate(1);
    entity.open(2);
    assert.deepEqual(entity.bytes(2, activation(TESTER)), ['1 aliveCheckRequest']);
    assert.deepEqual(entity.bytes(1, alive(TESTER)), [
      '2 routingActivationResponse 03',
      '2 close denied',
    ]);
    assert.deepEqual(entity.pass(2000), []);
  });

  it('gives an address to a new connection when its holder is silent for 500 ms', () => {
    const entity = new TestEntity();
    entity.activate(1);
    entity.open(2);
    entity.bytes(2, activation(TESTER));
    assert.deepEqual(entity.pass(499), []);
    assert.deepEqual(entity.pass(1), [
      '1 close dead',
      '2 routingActivationResponse 10',
      '2 activated e80',
    ]);
  });

  it('refuses with 01 when all sockets are taken and alive', () => {
    const entity = new TestEntity({ socketsMax: 2 });
    entity.activate(1, 0x0e01);
    entity.activate(2, 0x0e02);
    entity.open(3);
    const asked = ['1 aliveCheckRequest', '2 aliveCheckRequest'];
    assert.deepEqual(entity.bytes(3, activation(0x0e03)), asked);
    assert.deepEqual(entity.bytes(1, alive(0x0e01)), []);
    assert.deepEqual(entity.bytes(2, alive(0x0e02)), [
      '3 routingActivationResponse 01',
      '3 close denied',
    ]);
  });

  it('gives the socket of a dead tester to one who waits, and checks once for many', () => {
    const entity = new TestEntity({ socketsMax: 1 });
    entity.activate(1, 0x0e01);
    entity.open(2);
    entity.open(3);
    assert.deepEqual(entity.bytes(2, activation(0x0e02)), ['1 aliveCheckRequest']);
    assert.deepEqual(entity.bytes(3, activation(0x0e03)), []);
    assert.deepEqual(entity.pass(500), [
      '1 close dead',
      '2 routingActivationResponse 10',
      '2 activated e02',
      '2 aliveCheckRequest',
    ]);
    assert.deepEqual(entity.bytes(2, alive(0x0e02)), [
      '3 routingActivationResponse 01',
      '3 close denied',
    ]);
  });

  it('gives a waiting connection the socket of a tester who hangs up', () => {
    const entity = new TestEntity({ socketsMax: 1 });
    entity.activate(1, 0x0e01);
    entity.open(2);
    entity.bytes(2, activation(0x0e02));
    assert.deepEqual(entity.handle({ kind: 'closed', connection: 1 }), [
      '2 routingActivationResponse 10',
      '2 activated e02',
    ]);
  });

  it('asks somebody where the type needs it, and grants when they do', () => {
    const entity = new TestEntity();
    entity.open(1);
    assert.deepEqual(entity.bytes(1, activation(TESTER, 0xe0)), ['1 authorize e80']);
    assert.deepEqual(entity.bytes(1, activation(TESTER, 0xe0)), []);
    assert.deepEqual(entity.handle({ kind: 'authorized', connection: 1, verdict: 'granted' }), [
      '1 routingActivationResponse 10',
      '1 activated e80',
    ]);
    // Too late to change it.
    assert.deepEqual(entity.handle({ kind: 'authorized', connection: 1, verdict: 'rejected' }), []);
  });

  it('refuses with 05 when they do not, or say nothing', () => {
    const refused = ['1 routingActivationResponse 05', '1 close denied'];
    const entity = new TestEntity();
    entity.open(1);
    entity.bytes(1, activation(TESTER, 0xe0));
    const told = entity.handle({ kind: 'authorized', connection: 1, verdict: 'rejected' });
    assert.deepEqual(told, refused);
    entity.open(1);
    entity.bytes(1, activation(TESTER, 0xe0));
    assert.deepEqual(entity.pass(1999), []);
    assert.deepEqual(entity.pass(1), refused);
  });

  it('says 11 while a person is asked, again when it is asked again, and waits a minute', () => {
    const entity = new TestEntity();
    entity.open(1);
    entity.bytes(1, activation(TESTER, 0xe0));
    const pending = ['1 routingActivationResponse 11'];
    const verdict = 'confirmationPending';
    assert.deepEqual(entity.handle({ kind: 'authorized', connection: 1, verdict }), pending);
    assert.deepEqual(entity.pass(30_000), []);
    assert.deepEqual(entity.bytes(1, activation(TESTER, 0xe0)), pending);
    const told = entity.bytes(1, diagnostic(TESTER, ECU));
    assert.deepEqual(told, ['1 diagnosticNack 02', '1 close spoofedSource']);
  });

  it('refuses with 04 who has not authenticated, lets it try again, and not for ever', () => {
    const entity = new TestEntity();
    entity.open(1);
    const verdict = 'authenticationMissing';
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      entity.bytes(1, activation(TESTER, 0xe0));
      const told = entity.handle({ kind: 'authorized', connection: 1, verdict });
      const end = attempt === 3 ? ['1 close denied'] : [];
      assert.deepEqual(told, ['1 routingActivationResponse 04', ...end]);
    }
  });

  it('keeps what was granted while more is asked for and not granted', () => {
    const entity = new TestEntity();
    entity.activate(1);
    assert.deepEqual(entity.bytes(1, activation(TESTER, 0xe0)), ['1 authorize e80']);
    assert.deepEqual(entity.bytes(1, diagnostic(TESTER, ECU)), ['1 received e80→2000 2']);
    const verdict = 'authenticationMissing';
    const told = entity.handle({ kind: 'authorized', connection: 1, verdict });
    assert.deepEqual(told, ['1 routingActivationResponse 04']);
    assert.deepEqual(entity.bytes(1, diagnostic(TESTER, ECU)), ['1 received e80→2000 2']);
    assert.deepEqual(entity.pass(2000), []);
  });
});

describe('DoipEntity: diagnostic messages', () => {
  it('hands a request on, acknowledges it, and carries the answer', () => {
    const entity = new TestEntity();
    entity.activate(1);
    assert.deepEqual(entity.bytes(1, diagnostic(TESTER, ECU)), ['1 received e80→2000 2']);
    assert.deepEqual(entity.handle({ kind: 'accepted', connection: 1, target: ECU }), [
      '1 diagnosticAck 00',
    ]);
    const userData = Uint8Array.of(0x7e, 0);
    assert.deepEqual(entity.handle({ kind: 'answered', connection: 1, source: ECU, userData }), [
      '1 diagnosticMessage 2000→e80 2',
    ]);
    const [sent] = entity.outputs;
    assert.ok(sent?.kind === 'send');
    assert.equal(sent.bytes[1], userData);
  });

  it('hands on why a target did not take it', () => {
    const entity = new TestEntity();
    entity.activate(1);
    for (const code of [0x05, 0x06, 0x07, 0x08] as const) {
      entity.bytes(1, diagnostic(TESTER, ECU));
      const told = entity.handle({ kind: 'refused', connection: 1, target: ECU, code });
      assert.deepEqual(told, [`1 diagnosticNack 0${code}`]);
    }
  });

  it('refuses with 03 an unknown target and with 04 what is too large for it, unread', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const both = Buffer.concat([
      diagnostic(TESTER, 0x3000, new Uint8Array(100)),
      diagnostic(TESTER, ECU, new Uint8Array(4001)),
      diagnostic(TESTER, ECU, new Uint8Array(4000)),
    ]);
    assert.deepEqual(entity.bytes(1, both), [
      '1 diagnosticNack 03',
      '1 diagnosticNack 04',
      '1 received e80→2000 4000',
    ]);
  });

  it('says nothing to a connection without routing', () => {
    const entity = new TestEntity();
    entity.open(1);
    const userData = Uint8Array.of(1);
    assert.deepEqual(entity.handle({ kind: 'accepted', connection: 1, target: ECU }), []);
    assert.deepEqual(entity.handle({ kind: 'refused', connection: 1, target: 1, code: 3 }), []);
    assert.deepEqual(entity.handle({ kind: 'answered', connection: 1, source: 1, userData }), []);
    assert.deepEqual(entity.handle({ kind: 'answered', connection: 9, source: 1, userData }), []);
  });

  it('refuses with a generic NACK what is too large for the entity or for its memory', () => {
    const entity = new TestEntity({ memoryMaxBytes: 5000 });
    entity.activate(1);
    entity.activate(2, OTHER);
    assert.deepEqual(entity.bytes(1, head(0x8001, 8193)), ['1 genericNack 02']);
    entity.bytes(2, diagnostic(OTHER, ECU, new Uint8Array(3996)).subarray(0, 100));
    entity.open(3);
    entity.bytes(3, activation(0x0e82));
    assert.deepEqual(entity.bytes(3, head(0x8001, 1001)), ['3 genericNack 03']);
    entity.handle({ kind: 'closed', connection: 2 });
    entity.bytes(3, new Uint8Array(1001));
    assert.deepEqual(entity.bytes(3, head(0x8001, 1001)), []);
  });
});

describe('DoipEntity: time', () => {
  it('closes after two seconds a connection that asks for nothing', () => {
    const entity = new TestEntity();
    entity.open(1);
    assert.deepEqual(entity.pass(1999), []);
    assert.deepEqual(entity.pass(1), ['1 close initialInactivity']);
    assert.equal(entity.machine.deadlineMs, undefined);
  });

  it('closes after five minutes without a message, and each message begins them anew', () => {
    const entity = new TestEntity();
    entity.activate(1);
    entity.pass(299_000);
    entity.bytes(1, diagnostic(TESTER, ECU));
    assert.deepEqual(entity.pass(299_000), []);
    entity.bytes(1, alive(TESTER));
    assert.deepEqual(entity.pass(299_999), []);
    assert.deepEqual(entity.pass(1), ['1 close generalInactivity']);
  });

  it('closes a connection that does not end the message it began', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const bytes = diagnostic(TESTER, ECU, new Uint8Array(1000));
    for (let second = 0; second < 30; second += 1) {
      assert.deepEqual(entity.bytes(1, bytes.subarray(second, second + 1)), []);
      const told = entity.pass(1000);
      assert.deepEqual(told, second === 29 ? ['1 close partialMessage'] : []);
    }
  });
});
