import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { DoipEntityInput } from '../../src/index.ts';
import { encodeMessage } from '../../src/doip/message.ts';
import { activation, diagnostic, ECU, head, OTHER, TestEntity, TESTER, TYPES } from './support.ts';

describe('DoipEntity under attack', () => {
  it('refuses with 02 another source on an activated socket, and hangs up', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const told = entity.bytes(1, diagnostic(OTHER, ECU));
    assert.deepEqual(told, ['1 diagnosticNack 02', '1 close spoofedSource']);
    assert.deepEqual(entity.bytes(1, diagnostic(TESTER, ECU)), []);
  });

  it('hangs up when an alive check is answered in another name', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const answer = encodeMessage({ kind: 'aliveCheckResponse', source: OTHER });
    assert.deepEqual(entity.bytes(1, answer), ['1 close spoofedSource']);
  });

  it('refuses with 02 a diagnostic message before activation, and reads none of it', () => {
    const entity = new TestEntity();
    entity.open(1);
    const bytes = diagnostic(TESTER, ECU, new Uint8Array(4000)).subarray(0, 12);
    const told = entity.bytes(1, bytes);
    assert.deepEqual(told, ['1 diagnosticNack 02', '1 close spoofedSource']);
  });

  it('lets no other connection speak in the name of an active tester', () => {
    const entity = new TestEntity();
    entity.activate(1);
    entity.open(2);
    const told = entity.bytes(2, diagnostic(TESTER, ECU));
    assert.deepEqual(told, ['2 diagnosticNack 02', '2 close spoofedSource']);
    assert.deepEqual(entity.bytes(1, diagnostic(TESTER, ECU)), ['1 received e80→2000 2']);
  });

  it('drops the oldest of too many half-open connections, and keeps who has routing', () => {
    const entity = new TestEntity({ strangersMax: 3 });
    entity.activate(1);
    for (const connection of [2, 3, 4]) assert.deepEqual(entity.open(connection), []);
    assert.deepEqual(entity.open(5), ['2 close crowded']);
    assert.deepEqual(entity.open(6), ['3 close crowded']);
    assert.deepEqual(entity.bytes(6, activation(OTHER)), [
      '6 routingActivationResponse 10',
      '6 activated e81',
    ]);
    assert.deepEqual(entity.pass(2000), ['4 close initialInactivity', '5 close initialInactivity']);
    assert.equal(entity.machine.socketsOpen, 2);
  });

  it('is not kept waiting by bytes that dribble before activation', () => {
    const entity = new TestEntity();
    entity.open(1);
    for (const byte of activation(TESTER).subarray(0, 10)) {
      entity.bytes(1, Uint8Array.of(byte));
      entity.pass(190);
    }
    assert.deepEqual(entity.pass(100), ['1 close initialInactivity']);
  });

  it('refuses a length of four gigabytes at once, and keeps nothing of it', () => {
    const entity = new TestEntity();
    entity.activate(1);
    assert.deepEqual(entity.bytes(1, head(0x8001, 0xffff_ffff)), ['1 genericNack 02']);
    for (let count = 0; count < 100; count += 1) {
      assert.deepEqual(entity.bytes(1, new Uint8Array(65_536)), []);
    }
    // It may not fill the wire for ever either.
    assert.deepEqual(entity.pass(30_000), ['1 close partialMessage']);
  });

  it('asks a tester once whether it lives, however many want its address', () => {
    const entity = new TestEntity({ strangersMax: 100 });
    entity.activate(1);
    const told: string[] = [];
    for (let connection = 2; connection < 100; connection += 1) {
      entity.open(connection);
      told.push(...entity.bytes(connection, activation(TESTER)));
    }
    assert.deepEqual(told, ['1 aliveCheckRequest']);
    const answer = encodeMessage({ kind: 'aliveCheckResponse', source: TESTER });
    const denied = entity.bytes(1, answer).filter((line) => line.endsWith('close denied'));
    assert.equal(denied.length, 98);
    assert.equal(entity.machine.socketsOpen, 1);
  });

  it('gives out no more sockets than it has, whoever asks', () => {
    const entity = new TestEntity({ socketsMax: 4, strangersMax: 8 });
    for (let connection = 0; connection < 200; connection += 1) {
      entity.open(connection);
      entity.bytes(connection, activation(0x0e00 + connection));
      assert.ok(entity.machine.socketsOpen <= 4);
    }
  });

  it('answers no NACK and no acknowledgement', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const answer = { source: 1, target: 2, code: 2, previous: new Uint8Array(9) };
    const bytes = Buffer.concat([
      encodeMessage({ kind: 'genericNack', code: 0 }),
      encodeMessage({ kind: 'diagnosticAck', ...answer }),
      encodeMessage({ kind: 'diagnosticNack', ...answer }),
    ]);
    assert.deepEqual(entity.bytes(1, bytes), []);
  });

  it('hangs up on what is no DoIP', () => {
    const entity = new TestEntity();
    entity.activate(1);
    const told = entity.bytes(1, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    assert.deepEqual(told, ['1 genericNack 00', '1 close malformed']);
  });

  it('stays within its limits and always has an end, whatever comes in whatever order', () => {
    const connection = fc.nat(7);
    const source = fc.constantFrom(TESTER, OTHER, 0x0e82, 0x0001);
    const wire = fc.oneof(
      source.chain((from) => fc.constantFrom(0, 1, 0xe0, 9).map((type) => activation(from, type))),
      source.map((from) => diagnostic(from, ECU, new Uint8Array(50))),
      source.map((from) => encodeMessage({ kind: 'aliveCheckResponse', source: from })),
      fc.uint8Array({ maxLength: 20 }),
      fc
        .tuple(fc.constantFrom(...TYPES), fc.oneof(fc.nat(30), fc.nat(0xffff_ffff)))
        .map(([type, length]) => head(type, length)),
    );
    const input: fc.Arbitrary<DoipEntityInput | number> = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('bytes' as const), connection, bytes: wire }),
      },
      fc.record({ kind: fc.constant('opened' as const), connection, isSecure: fc.boolean() }),
      fc.record({ kind: fc.constant('closed' as const), connection }),
      fc.record({
        kind: fc.constant('authorized' as const),
        connection,
        verdict: fc.constantFrom(
          'granted' as const,
          'authenticationMissing' as const,
          'rejected' as const,
          'confirmationPending' as const,
        ),
      }),
      fc.record({ kind: fc.constant('accepted' as const), connection, target: fc.nat(0xffff) }),
      fc.integer({ min: 1, max: 3000 }),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const entity = new TestEntity({ socketsMax: 2, strangersMax: 3, memoryMaxBytes: 10_000 });
        const open = new Set<number>();
        const active = new Map<number, string>();
        const note = (lines: readonly string[]): void => {
          for (const line of lines) {
            const [id = '', what = '', tester = ''] = line.split(' ');
            assert.ok(
              open.has(Number(id)),
              `nothing is said to a connection that is over: ${line}`,
            );
            if (what === 'activated') active.set(Number(id), tester);
            if (what === 'received') {
              assert.equal(active.get(Number(id)), tester.split('→')[0]);
            }
            if (what !== 'close') continue;
            open.delete(Number(id));
            active.delete(Number(id));
          }
          const testers = [...active.values()];
          assert.equal(new Set(testers).size, testers.length, 'one connection for each tester');
          assert.ok(entity.machine.socketsOpen <= 2);
          assert.ok(open.size <= 2 + 3);
        };
        for (const one of inputs) {
          if (typeof one === 'number') {
            note(entity.pass(one));
            continue;
          }
          if (one.kind === 'opened') {
            if (open.has(one.connection)) continue;
            open.add(one.connection);
          }
          if (one.kind === 'closed') {
            open.delete(one.connection);
            active.delete(one.connection);
          }
          note(entity.handle(one));
        }
        note(entity.pass(400_000));
        assert.equal(entity.machine.deadlineMs, undefined);
        assert.equal(open.size, 0);
      }),
    );
  });
});
