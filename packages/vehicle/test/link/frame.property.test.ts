import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findFaultCode } from '@immota/base';
import * as fc from 'fast-check';
import {
  createFrameDecoder,
  encodeFrame,
  encodeMessage,
  FRAME_KINDS,
  type FrameKind,
  nextNumber,
} from '../../src/link/frame.ts';
import { FRAME_PAYLOAD_MAX_BYTES, MESSAGE_MAX_BYTES } from '../../src/link/limits.ts';

const ALL = new Set(Object.keys(FRAME_KINDS) as FrameKind[]);
const ANSWERS = (Object.keys(FRAME_KINDS) as FrameKind[]).filter((kind) => kind !== 'data');

interface Read {
  readonly messages: { kind: FrameKind; number: number; payload: Uint8Array }[];
  readonly data: { number: number; bytes: Uint8Array; isLast: boolean }[];
}

function decode(pieces: readonly Uint8Array[], accepted: ReadonlySet<FrameKind> = ALL): Read {
  const read: Read = { messages: [], data: [] };
  const decoder = createFrameDecoder(accepted, {
    onMessage: (kind, number, payload) => {
      read.messages.push({ kind, number, payload: Uint8Array.from(payload) });
    },
    onData: (number, bytes, isLast) => {
      read.data.push({ number, bytes: Uint8Array.from(bytes), isLast });
    },
  });
  for (const piece of pieces) decoder.push(piece);
  return read;
}

function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = places.toSorted((left, right) => left - right);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

function head(lengthBytes: number, kind: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, lengthBytes);
  view.setUint8(4, kind);
  view.setUint8(5, flags);
  view.setUint16(6, 1);
  return bytes;
}

const message = fc.record({
  kind: fc.constantFrom(...ANSWERS),
  number: fc.nat(0xffff),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('createFrameDecoder()', () => {
  it('gives every message back however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat()), (messages, at) => {
        const frames = messages.flatMap(({ kind, number, payload }) => [
          ...encodeMessage(kind, number, payload),
        ]);
        const read = decode(cut(Buffer.concat(frames), at));
        assert.deepEqual(
          read.messages.map((one) => ({ ...one, payload: [...one.payload] })),
          messages.map((one) => ({ ...one, payload: [...one.payload] })),
        );
      }),
    );
  });
  it('joins a message of many frames, and lets bytes of an image in between', () => {
    const payload = new Uint8Array(FRAME_PAYLOAD_MAX_BYTES * 2 + 7).map((_, index) => index % 251);
    const frames = [...encodeMessage('putMetadata', 7, payload)];
    assert.equal(frames.length, 3);
    const data = encodeFrame({
      kind: 'data',
      number: 9,
      payload: Uint8Array.of(1, 2),
      hasMore: false,
    });
    const [first, ...others] = frames;
    const read = decode([first ?? data, data, ...others]);
    assert.deepEqual(read.messages[0]?.payload, payload);
    assert.deepEqual(read.data, [{ number: 9, bytes: Uint8Array.of(1, 2), isLast: true }]);
  });
  it('gives bytes of an image as they come, and says which are the last', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.nat()),
        (payload, at) => {
          const more = encodeFrame({ kind: 'data', number: 3, payload, hasMore: true });
          const end = encodeFrame({
            kind: 'data',
            number: 3,
            payload: new Uint8Array(),
            hasMore: false,
          });
          const { data } = decode(cut(Buffer.concat([more, end]), at));
          assert.deepEqual(Buffer.concat(data.map(({ bytes }) => bytes)), Buffer.from(payload));
          assert.deepEqual(
            data.map(({ isLast }) => isLast),
            data.map((_, index) => index === data.length - 1),
          );
        },
      ),
    );
  });
  it('refuses whatever is no frame with one code, and never hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat()), (bytes, at) => {
        try {
          decode(cut(bytes, at));
        } catch (error) {
          assert.equal(findFaultCode(error), 'LINK_PROTOCOL');
        }
      }),
    );
  });
  it('refuses a frame beyond the limit at its head, before a byte of it came', () => {
    const { report } = FRAME_KINDS;
    assert.doesNotThrow(() => decode([head(MESSAGE_MAX_BYTES, report)]));
    for (const lengthBytes of [MESSAGE_MAX_BYTES + 1, FRAME_PAYLOAD_MAX_BYTES + 1, 0xffff_ffff]) {
      assert.throws(() => decode([head(lengthBytes, report)]), { code: 'LINK_PROTOCOL' });
    }
    assert.doesNotThrow(() => decode([head(FRAME_PAYLOAD_MAX_BYTES, FRAME_KINDS.data)]));
    assert.throws(() => decode([head(FRAME_PAYLOAD_MAX_BYTES + 1, FRAME_KINDS.data)]), {
      code: 'LINK_PROTOCOL',
    });
  });
  it('refuses a message that grows beyond its limit frame by frame', () => {
    const part = new Uint8Array(40_000);
    const frame = encodeFrame({ kind: 'report', number: 1, payload: part, hasMore: true });
    assert.doesNotThrow(() => decode([frame]));
    assert.throws(() => decode([frame, frame]), { code: 'LINK_PROTOCOL' });
  });
  it('refuses kinds that the peer may not send, unknown flags, and parts that never end', () => {
    const answers = new Set<FrameKind>(['answer']);
    const nothing = new Uint8Array();
    assert.throws(() => decode([head(0, FRAME_KINDS.report)], answers), { code: 'LINK_PROTOCOL' });
    assert.doesNotThrow(() => decode([head(0, FRAME_KINDS.answer)], answers));
    assert.throws(() => decode([head(0, 0x7f)]), { code: 'LINK_PROTOCOL' });
    assert.throws(() => decode([head(0, FRAME_KINDS.info, 2)]), { code: 'LINK_PROTOCOL' });
    const endless = encodeFrame({ kind: 'info', number: 1, payload: nothing, hasMore: true });
    assert.throws(() => decode([endless]), { code: 'LINK_PROTOCOL' });
  });
  it('refuses a message that begins within another', () => {
    const begun = encodeFrame({
      kind: 'putTime',
      number: 1,
      payload: Uint8Array.of(1),
      hasMore: true,
    });
    const other = encodeFrame({
      kind: 'putTime',
      number: 2,
      payload: Uint8Array.of(1),
      hasMore: false,
    });
    assert.throws(() => decode([begun, other]), { code: 'LINK_PROTOCOL' });
  });
});

describe('nextNumber()', () => {
  it('counts through all numbers but zero', () => {
    assert.equal(nextNumber(0), 1);
    assert.equal(nextNumber(65_534), 65_535);
    assert.equal(nextNumber(65_535), 1);
  });
});
