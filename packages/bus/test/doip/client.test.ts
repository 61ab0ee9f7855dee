import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DoipClient, type DoipClientInput, type DoipClientOptions } from '../../src/index.ts';
import { type DoipMessage, encodeMessage } from '../../src/doip/message.ts';
import {
  diagnostic,
  ECU,
  ENTITY,
  head,
  hex,
  OTHER,
  read,
  tellMessage,
  TestEntity,
  TESTER,
  TYPES,
} from './support.ts';

const userData = Uint8Array.of(0x3e, 0);

class TestClient {
  readonly machine: DoipClient;
  atMs = 0;
  /** The bytes that the last step sent. */
  sent: readonly Uint8Array[] = [];

  constructor(options: Partial<DoipClientOptions> = {}) {
    this.machine = new DoipClient({ source: TESTER, ...options });
  }

  handle(input: DoipClientInput): readonly string[] {
    return this.#tell(this.machine.handle(input, this.atMs));
  }

  message(message: DoipMessage): readonly string[] {
    return this.handle({ kind: 'bytes', bytes: encodeMessage(message) });
  }

  respond(code: number, tester: number = TESTER): readonly string[] {
    return this.message({ kind: 'routingActivationResponse', tester, entity: ENTITY, code });
  }

  request(id: number, target: number = ECU): readonly string[] {
    return this.handle({ kind: 'request', id, target, userData });
  }

  answer(kind: 'diagnosticAck' | 'diagnosticNack', code: number, source = ECU): readonly string[] {
    return this.message({ kind, source, target: TESTER, code, previous: new Uint8Array() });
  }

  pass(milliseconds: number): readonly string[] {
    this.atMs += milliseconds;
    const { deadlineMs } = this.machine;
    return deadlineMs !== undefined && deadlineMs <= this.atMs
      ? this.#tell(this.machine.elapse(this.atMs))
      : [];
  }

  #tell(outputs: ReturnType<DoipClient['handle']>): readonly string[] {
    this.sent = outputs.flatMap((output) => (output.kind === 'send' ? output.bytes : []));
    return outputs.map((output) => {
      if (output.kind === 'send') return tellMessage(read(Buffer.concat(output.bytes)));
      if (output.kind === 'activated') return `activated ${hex(output.entity)}`;
      if (output.kind === 'acknowledged') return `acknowledged ${output.id}`;
      if (output.kind === 'refused') {
        const { code, wireCode } = output.fault;
        return `refused ${output.id} ${code}${wireCode === undefined ? '' : ` ${hex(wireCode)}`}`;
      }
      if (output.kind === 'failed') {
        const { code, wireCode } = output.fault;
        return `failed ${code}${wireCode === undefined ? '' : ` ${hex(wireCode)}`}`;
      }
      if (output.kind === 'received')
        return `received ${hex(output.source)} ${output.userData.length}`;
      return output.kind;
    });
  }
}

function active(options: Partial<DoipClientOptions> = {}): TestClient {
  const client = new TestClient(options);
  client.handle({ kind: 'opened' });
  client.respond(0x10);
  return client;
}

describe('DoipClient', () => {
  it('asks for routing, and has it when the entity says so', () => {
    const client = new TestClient({ activationType: 0xe0, oem: Uint8Array.of(1, 2, 3, 4) });
    assert.deepEqual(client.handle({ kind: 'opened' }), ['routingActivationRequest']);
    const [request] = client.sent;
    assert.ok(request !== undefined);
    assert.deepEqual(read(request), {
      kind: 'routingActivationRequest',
      source: TESTER,
      activationType: 0xe0,
      oem: Uint8Array.of(1, 2, 3, 4),
    });
    assert.deepEqual(client.respond(0x10, OTHER), []);
    assert.deepEqual(client.respond(0x10), ['activated 1000']);
    assert.deepEqual(client.respond(0x10), []);
  });

  it('fails by the code that the entity gives, and by TLS_REQUIRED when it wants TLS', () => {
    for (const code of [0, 1, 2, 3, 4, 5, 6]) {
      const client = new TestClient();
      client.handle({ kind: 'opened' });
      assert.deepEqual(client.respond(code), [`failed ACTIVATION_REFUSED 0${code}`]);
    }
    const client = new TestClient();
    client.handle({ kind: 'opened' });
    assert.deepEqual(client.respond(0x07), ['failed TLS_REQUIRED 07']);
    assert.deepEqual(client.respond(0x10), []);
  });

  it('waits two seconds for routing, and a minute for a person', () => {
    const client = new TestClient();
    client.handle({ kind: 'opened' });
    assert.deepEqual(client.pass(1999), []);
    assert.deepEqual(client.respond(0x11), ['confirmationPending']);
    assert.deepEqual(client.pass(59_999), []);
    assert.deepEqual(client.pass(1), ['failed TIMEOUT']);
    const other = new TestClient();
    other.handle({ kind: 'opened' });
    assert.deepEqual(other.pass(2000), ['failed TIMEOUT']);
  });

  it('answers alive checks at any time', () => {
    const client = active();
    assert.deepEqual(client.message({ kind: 'aliveCheckRequest' }), ['aliveCheckResponse']);
    const [answer] = client.sent;
    assert.equal(answer?.toHex(), '03fc0008000000020e80');
  });

  it('sends requests, and knows which was acknowledged and which refused', () => {
    const client = active();
    for (const [id, target] of [
      [1, ECU],
      [2, 0x3000],
      [3, ECU],
    ] as const) {
      assert.deepEqual(client.request(id, target), [`diagnosticMessage e80→${hex(target)} 2`]);
      assert.equal(client.sent[1], userData);
    }
    assert.deepEqual(client.answer('diagnosticAck', 0), ['acknowledged 1']);
    assert.deepEqual(client.answer('diagnosticNack', 3, 0x3000), ['refused 2 MESSAGE_REFUSED 03']);
    assert.deepEqual(client.answer('diagnosticAck', 0), ['acknowledged 3']);
    assert.deepEqual(client.answer('diagnosticAck', 0), []);
    assert.equal(client.machine.deadlineMs, undefined);
  });

  it('gives up a request that is not acknowledged within two seconds', () => {
    const client = active();
    client.request(1);
    client.pass(1000);
    client.request(2);
    assert.deepEqual(client.pass(1000), ['refused 1 TIMEOUT']);
    assert.deepEqual(client.answer('diagnosticAck', 0), ['acknowledged 2']);
  });

  it('hands on what ECUs say, and nothing that is meant for another', () => {
    const client = active();
    const bytes = Buffer.concat([
      diagnostic(ECU, OTHER),
      diagnostic(ECU, TESTER, new Uint8Array(500)),
    ]);
    assert.deepEqual(client.handle({ kind: 'bytes', bytes }), ['received 2000 500']);
  });

  it('sends nothing without routing, and no more than may wait', () => {
    const client = new TestClient();
    assert.deepEqual(client.request(1), ['refused 1 CONNECTION_CLOSED']);
    const busy = active();
    for (let id = 0; id < 256; id += 1) busy.request(id);
    assert.deepEqual(busy.request(256), ['refused 256 QUEUE_FULL']);
  });

  it('takes a generic NACK for an answer to the oldest request, and before routing for the end', () => {
    const client = active();
    client.request(1);
    client.request(2);
    const nack = { kind: 'genericNack', code: 2 } as const;
    assert.deepEqual(client.message(nack), ['refused 1 MESSAGE_REFUSED 02']);
    const early = new TestClient();
    early.handle({ kind: 'opened' });
    assert.deepEqual(early.message(nack), ['failed MESSAGE_REFUSED 02']);
  });

  it('fails once when the entity hangs up, and gives up what waits', () => {
    const client = active();
    client.request(1);
    const lost = ['refused 1 CONNECTION_CLOSED', 'failed CONNECTION_CLOSED'];
    assert.deepEqual(client.handle({ kind: 'closed' }), lost);
    assert.deepEqual(client.handle({ kind: 'closed' }), []);
  });

  it('fails when the entity speaks something else, or does not end its message', () => {
    const client = active();
    const bytes = Buffer.from('HTTP/1.1 400');
    assert.deepEqual(client.handle({ kind: 'bytes', bytes }), ['failed HEADER_PATTERN']);
    const slow = active();
    slow.handle({ kind: 'bytes', bytes: diagnostic(ECU, TESTER).subarray(0, 13) });
    assert.deepEqual(slow.pass(30_000), ['failed TIMEOUT']);
  });

  it('lets pass what it does not know and what is too large for it', () => {
    const client = active({ dataMaxBytes: 100 });
    const bytes = Buffer.concat([
      head(0xf000, 3),
      new Uint8Array(3),
      head(0x8001, 101),
      new Uint8Array(101),
      diagnostic(ECU, TESTER),
    ]);
    assert.deepEqual(client.handle({ kind: 'bytes', bytes }), ['received 2000 2']);
  });

  it('talks with our entity', () => {
    const entity = new TestEntity();
    const client = new TestClient();
    entity.open(1);
    client.handle({ kind: 'opened' });
    const [request] = client.sent;
    assert.ok(request !== undefined);
    entity.bytes(1, request);
    const [response] = entity.outputs;
    assert.ok(response?.kind === 'send');
    const bytes = new Uint8Array(Buffer.concat(response.bytes));
    assert.deepEqual(client.handle({ kind: 'bytes', bytes }), ['activated 1000']);
  });

  it('settles each request once, whatever comes in whatever order', () => {
    const wire = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .tuple(fc.constantFrom(...TYPES), fc.oneof(fc.nat(30), fc.nat(0xffff_ffff)))
        .map(([type, length]) => head(type, length)),
      fc.constantFrom(0x10, 0x11, 0x07, 0x03).map((code) =>
        encodeMessage({
          kind: 'routingActivationResponse',
          tester: TESTER,
          entity: ENTITY,
          code,
        }),
      ),
      fc
        .constantFrom('diagnosticAck' as const, 'diagnosticNack' as const)
        .map((kind) =>
          encodeMessage({ kind, source: ECU, target: TESTER, code: 0, previous: new Uint8Array() }),
        ),
      fc.constant(diagnostic(ECU, TESTER, new Uint8Array(40))),
    );
    const step = fc.oneof(
      { weight: 3, arbitrary: wire },
      fc.constantFrom<'request' | 'opened' | 'closed'>('request', 'request', 'opened', 'closed'),
      fc.integer({ min: 1, max: 40_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const client = active();
        const settled = new Map<string, number>();
        let asked = 0;
        const note = (lines: readonly string[]): void => {
          for (const line of lines) {
            const [what = '', id = ''] = line.split(' ');
            if (what !== 'acknowledged' && what !== 'refused') continue;
            settled.set(id, (settled.get(id) ?? 0) + 1);
          }
        };
        for (const one of steps) {
          if (typeof one === 'number') note(client.pass(one));
          else if (one === 'request') note(client.request((asked += 1)));
          else if (typeof one === 'string') {
            if (one === 'closed') note(client.handle({ kind: one }));
          } else note(client.handle({ kind: 'bytes', bytes: one }));
        }
        note(client.handle({ kind: 'closed' }));
        assert.equal(settled.size, asked);
        assert.ok([...settled.values()].every((count) => count === 1));
        assert.equal(client.machine.deadlineMs, undefined);
      }),
    );
  });
});
