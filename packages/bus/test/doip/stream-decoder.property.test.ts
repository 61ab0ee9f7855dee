import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ENTITY_ACCEPTED, ENTITY_IGNORED } from '../../src/doip/entity-connection.ts';
import { DoipStreamDecoder, type StreamEvent } from '../../src/doip/stream-decoder.ts';
import { encodeMessage } from '../../src/doip/message.ts';
import { activation, diagnostic, head, TYPES } from './support.ts';

const LIMIT = 8192;
const FOUR_GIGABYTES = 0xffff_ffff;

function open(hasRoom: (lengthBytes: number) => boolean = () => true): DoipStreamDecoder {
  return new DoipStreamDecoder({
    accepted: ENTITY_ACCEPTED,
    ignored: ENTITY_IGNORED,
    payloadMaxBytes: LIMIT,
    hasRoom,
  });
}

function drain(decoder: DoipStreamDecoder, pieces: readonly Uint8Array[]): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const piece of pieces) {
    decoder.feed(piece);
    for (let event = decoder.next(); event !== undefined; event = decoder.next())
      events.push(event);
  }
  return events;
}

function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = places.toSorted((left, right) => left - right);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

function codes(events: readonly StreamEvent[]): readonly string[] {
  return events.map((event) => {
    if (event.kind === 'refused') return `refused ${event.code}${event.isFatal ? '!' : ''}`;
    return event.kind === 'message' ? event.message.kind : event.kind;
  });
}

const userData = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.nat(LIMIT - 5).map((length) => new Uint8Array(length + 1).map((_, index) => index % 251)),
);

describe('DoipStreamDecoder', () => {
  it('gives every message back however the stream is cut', () => {
    const messages = fc.array(fc.tuple(fc.nat(0xffff), userData), { maxLength: 5 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 12 }), (sent, at) => {
        const stream = Buffer.concat(sent.map(([source, data]) => diagnostic(source, 7, data)));
        const events = drain(open(), cut(stream, at));
        const received = events.flatMap((event) =>
          event.kind === 'message' && event.message.kind === 'diagnosticMessage'
            ? [event.message]
            : [],
        );
        assert.deepEqual(
          received.map(({ source, userData: data }) => [source, Buffer.from(data).toHex()]),
          sent.map(([source, data]) => [source, Buffer.from(data).toHex()]),
        );
        assert.equal(events.length, 2 * sent.length);
      }),
    );
  });

  it('copies nothing when a message lies in one piece', () => {
    const bytes = diagnostic(1, 2, new Uint8Array(5000));
    const [, event] = drain(open(), [bytes]);
    assert.ok(event?.kind === 'message' && event.message.kind === 'diagnosticMessage');
    assert.equal(event.message.userData.buffer, bytes.buffer);
  });

  it('joins a message that comes byte by byte', () => {
    const data = new Uint8Array(5000).map((_, index) => index % 251);
    const bytes = diagnostic(1, 2, data);
    const events = drain(open(), cut(bytes, bytes.keys().toArray()));
    const [, event] = events;
    assert.ok(event?.kind === 'message' && event.message.kind === 'diagnosticMessage');
    assert.deepEqual(Buffer.from(event.message.userData), Buffer.from(data));
  });

  it('goes on after a type it does not take, and after a message that is too large', () => {
    const bytes = Buffer.concat([
      head(0x0009, 3),
      new Uint8Array(3),
      head(0x8001, LIMIT + 1),
      new Uint8Array(LIMIT + 1),
      head(0x0001, 0),
      activation(1),
    ]);
    const wanted = ['refused 1', 'refused 2', 'refused 1', 'routingActivationRequest'];
    assert.deepEqual(codes(drain(open(), [bytes])), wanted);
  });

  it('takes a message of the greatest length', () => {
    const bytes = diagnostic(1, 2, new Uint8Array(LIMIT - 4));
    assert.deepEqual(codes(drain(open(), [bytes])), ['began', 'diagnosticMessage']);
  });

  it('is over after a wrong pattern and after a length that the type does not have', () => {
    const wrong = Uint8Array.of(0x16, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0);
    assert.deepEqual(codes(drain(open(), [wrong, activation(1)])), ['refused 0!']);
    const long = Buffer.concat([head(0x0005, 8), new Uint8Array(8)]);
    assert.deepEqual(codes(drain(open(), [long, activation(1)])), ['refused 4!']);
    assert.deepEqual(codes(drain(open(), [head(0x8001, 4)])), ['refused 4!']);
  });

  it('checks pattern, type, longest length, memory and length of the type in this order', () => {
    const full = (): DoipStreamDecoder => open(() => false);
    const bad = head(0x0009, FOUR_GIGABYTES, 0x01);
    assert.deepEqual(codes(drain(full(), [bad])), ['refused 0!']);
    assert.deepEqual(codes(drain(full(), [head(0x0009, FOUR_GIGABYTES)])), ['refused 1']);
    assert.deepEqual(codes(drain(full(), [head(0x8001, FOUR_GIGABYTES)])), ['refused 2']);
    assert.deepEqual(codes(drain(full(), [head(0x0005, FOUR_GIGABYTES)])), ['refused 2']);
    assert.deepEqual(codes(drain(full(), [head(0x8001, 2)])), ['refused 3']);
    assert.deepEqual(codes(drain(open(), [head(0x8001, 2)])), ['refused 4!']);
  });

  it('takes no memory for a length of four gigabytes that is only announced', () => {
    for (const type of [0x8001, 0x8002, 0x0000, 0x0005]) {
      const decoder = open();
      drain(decoder, [head(type, FOUR_GIGABYTES)]);
      const before = process.memoryUsage().arrayBuffers;
      const piece = new Uint8Array(65_536);
      for (let count = 0; count < 200; count += 1) drain(decoder, [piece]);
      assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
      assert.equal(decoder.announcedBytes, 0);
    }
  });

  it('lets unread pass what nobody answers', () => {
    const nack = encodeMessage({ kind: 'genericNack', code: 1 });
    const ack = { kind: 'diagnosticAck', source: 1, target: 2, code: 0 } as const;
    const bytes = Buffer.concat([
      nack,
      encodeMessage({ ...ack, previous: new Uint8Array(20) }),
      activation(1),
    ]);
    assert.deepEqual(codes(drain(open(), [bytes])), ['routingActivationRequest']);
  });

  it('skips a message on demand, and goes on behind it', () => {
    const decoder = open();
    decoder.feed(Buffer.concat([diagnostic(1, 2, new Uint8Array(3000)), activation(5)]));
    assert.equal(decoder.next()?.kind, 'began');
    decoder.skip();
    assert.equal(decoder.announcedBytes, 0);
    const event = decoder.next();
    assert.ok(event?.kind === 'message' && event.message.kind === 'routingActivationRequest');
    assert.equal(decoder.isWithin, false);
  });

  it('holds no more than a message, whatever comes', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(
          fc.oneof(fc.constantFrom(...TYPES), fc.nat(0xffff)),
          fc.oneof(fc.nat(40), fc.nat(2 * LIMIT), fc.constant(FOUR_GIGABYTES)),
          fc.constantFrom(2, 3, 4, 4, 3, 1),
        )
        .map(([type, length, version]) => head(type, length, version)),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 30 }), fc.array(fc.nat()), (parts, at) => {
        const decoder = open();
        for (const piece of cut(Buffer.concat(parts), at)) {
          drain(decoder, [piece]);
          assert.ok(decoder.announcedBytes <= LIMIT);
        }
      }),
    );
  });

  it('reads nothing after it was stopped', () => {
    const decoder = open();
    decoder.stop();
    assert.deepEqual(drain(decoder, [activation(1)]), []);
    assert.equal(decoder.isWithin, false);
  });
});
