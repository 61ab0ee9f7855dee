import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DoipFault } from '../../src/index.ts';
import { decodeHeader, HEADER_BYTES } from '../../src/doip/header.ts';
import { type DoipMessage, encodeMessage } from '../../src/doip/message.ts';
import { decodePayload } from '../../src/doip/payload.ts';
import { head, read, TYPES } from './support.ts';

const address = fc.nat(0xffff);
const byte = fc.nat(0xff);
const six = fc.uint8Array({ minLength: 6, maxLength: 6 });
const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
const vin = fc.option(fc.stringMatching(/^[A-HJ-NPR-Z0-9]{17}$/), { nil: undefined });
const data = fc.uint8Array({ minLength: 1, maxLength: 300 });

const message: fc.Arbitrary<DoipMessage> = fc.oneof(
  fc.record({ kind: fc.constant('genericNack' as const), code: byte }),
  fc.constantFrom<DoipMessage>(
    { kind: 'identificationRequest' },
    { kind: 'aliveCheckRequest' },
    { kind: 'entityStatusRequest' },
    { kind: 'powerModeRequest' },
  ),
  fc.record({ kind: fc.constant('identificationRequestByEid' as const), eid: six }),
  fc.record({ kind: fc.constant('identificationRequestByVin' as const), vin }),
  fc.record(
    {
      kind: fc.constant('announcement' as const),
      vin,
      logicalAddress: address,
      eid: six,
      gid: six,
      furtherAction: byte,
      syncStatus: byte,
    },
    { requiredKeys: ['kind', 'vin', 'logicalAddress', 'eid', 'gid', 'furtherAction'] },
  ),
  fc.record(
    {
      kind: fc.constant('routingActivationRequest' as const),
      source: address,
      activationType: byte,
      oem: four,
    },
    { requiredKeys: ['kind', 'source', 'activationType'] },
  ),
  fc.record(
    {
      kind: fc.constant('routingActivationResponse' as const),
      tester: address,
      entity: address,
      code: byte,
      oem: four,
    },
    { requiredKeys: ['kind', 'tester', 'entity', 'code'] },
  ),
  fc.record({ kind: fc.constant('aliveCheckResponse' as const), source: address }),
  fc.record(
    {
      kind: fc.constant('entityStatusResponse' as const),
      nodeType: byte,
      socketsMax: byte,
      socketsOpen: byte,
      dataMaxBytes: fc.nat(0xffff_ffff),
    },
    { requiredKeys: ['kind', 'nodeType', 'socketsMax', 'socketsOpen'] },
  ),
  fc.record({ kind: fc.constant('powerModeResponse' as const), mode: byte }),
  fc.record({
    kind: fc.constant('diagnosticMessage' as const),
    source: address,
    target: address,
    userData: data,
  }),
  fc.record({
    kind: fc.constantFrom('diagnosticAck' as const, 'diagnosticNack' as const),
    source: address,
    target: address,
    code: byte,
    previous: fc.uint8Array({ maxLength: 40 }),
  }),
);

describe('encodeMessage()', () => {
  it('is undone by decodeHeader() and decodePayload()', () => {
    fc.assert(
      fc.property(message, fc.constantFrom(2, 3, 4), (sent, version) => {
        const bytes = encodeMessage(sent, version);
        const header = decodeHeader(bytes);
        assert.equal(header.version, version);
        assert.equal(header.lengthBytes, bytes.length - HEADER_BYTES);
        assert.deepEqual(plain(read(bytes)), plain(sent));
      }),
    );
  });

  it('writes the bytes of the standard', () => {
    const request = {
      kind: 'routingActivationRequest',
      source: 0x0e80,
      activationType: 0,
    } as const;
    assert.equal(encodeMessage(request, 2).toHex(), '02fd0005000000070e800000000000');
    const answer = { kind: 'diagnosticNack', source: 0x1000, target: 0x0e80, code: 2 } as const;
    assert.equal(
      encodeMessage({ ...answer, previous: Uint8Array.of() }).toHex(),
      '03fc80030000000510000e8002',
    );
  });

  it('refuses fields that do not fit', () => {
    const eid = new Uint8Array(6);
    const identity = { vin: undefined, logicalAddress: 1, eid, gid: eid, furtherAction: 0 };
    const bad: readonly DoipMessage[] = [
      { kind: 'aliveCheckResponse', source: 0x1_0000 },
      { kind: 'aliveCheckResponse', source: -1 },
      { kind: 'aliveCheckResponse', source: 1.5 },
      { kind: 'genericNack', code: 256 },
      { kind: 'identificationRequestByEid', eid: new Uint8Array(5) },
      { kind: 'identificationRequestByVin', vin: 'SHORT' },
      { kind: 'announcement', ...identity, gid: new Uint8Array(7) },
      { kind: 'routingActivationRequest', source: 1, activationType: 0, oem: new Uint8Array(3) },
    ];
    for (const one of bad) assert.throws(() => encodeMessage(one), { code: 'FIELD_RANGE' });
  });
});

describe('decodePayload()', () => {
  it('refuses every length that a type does not have', () => {
    const lengths = new Map([
      [0x0000, [1]],
      [0x0001, [0]],
      [0x0002, [6]],
      [0x0003, [17]],
      [0x0004, [32, 33]],
      [0x0005, [7, 11]],
      [0x0006, [9, 13]],
      [0x0007, [0]],
      [0x0008, [2]],
      [0x4001, [0]],
      [0x4002, [3, 7]],
      [0x4003, [0]],
      [0x4004, [1]],
    ]);
    for (const [type, good] of lengths) {
      for (let length = 0; length < 40; length += 1) {
        const payload = new Uint8Array(length);
        if (good.includes(length)) decodePayload(type, payload);
        else assert.throws(() => decodePayload(type, payload), { code: 'PAYLOAD_LENGTH' });
      }
    }
    for (const type of [0x8001, 0x8002, 0x8003]) {
      assert.throws(() => decodePayload(type, new Uint8Array(4)), { code: 'PAYLOAD_LENGTH' });
      decodePayload(type, new Uint8Array(5));
    }
  });

  it('refuses a type that nobody has', () => {
    assert.throws(() => decodePayload(0x0009, new Uint8Array()), { code: 'PAYLOAD_TYPE' });
  });

  it('takes a VIN of zeros or of ones for none, and refuses one that does not print', () => {
    for (const byteValue of [0x00, 0xff]) {
      const payload = new Uint8Array(17).fill(byteValue);
      assert.deepEqual(decodePayload(0x0003, payload), {
        kind: 'identificationRequestByVin',
        vin: undefined,
      });
    }
    const escape = new Uint8Array(17).fill(0x41);
    escape[3] = 0x1b;
    assert.throws(() => decodePayload(0x0003, escape), { code: 'FIELD_RANGE' });
  });

  it('gives a message or a fault for any bytes', () => {
    const type = fc.oneof(fc.constantFrom(...TYPES), fc.nat(0xffff));
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 64 }), (number, payload) => {
        try {
          decodePayload(number, payload);
        } catch (error) {
          assert.ok(error instanceof DoipFault);
        }
      }),
    );
  });
});

describe('decodeHeader()', () => {
  it('reads the versions whose messages are these, and the default where it is allowed', () => {
    for (const version of [2, 3, 4])
      assert.equal(decodeHeader(head(1, 0, version)).version, version);
    assert.equal(decodeHeader(head(1, 0, 0xff), true).version, 0xff);
  });

  it('refuses other versions, a wrong complement, and too few bytes', () => {
    for (const version of [0, 1, 5, 0xff]) refuses(head(1, 0, version));
    const wrong = head(1, 0);
    wrong[1] = 0xfd;
    refuses(wrong);
    refuses(head(1, 0).subarray(0, 7));
  });
});

function refuses(bytes: Uint8Array): void {
  assert.throws(() => decodeHeader(bytes), { code: 'HEADER_PATTERN' });
}

/** Without the difference between kinds of byte arrays, and without what is undefined. */
function plain(one: DoipMessage): unknown {
  return JSON.parse(
    JSON.stringify(one, (_key, value: unknown) =>
      value instanceof Uint8Array ? [...value] : value,
    ),
  );
}
