import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findFaultCode, InputFault, type JsonObject, type JsonValue, utf8 } from '@immota/base';
import {
  AKTUALIZR,
  decodeEnvelope,
  type Dialect,
  encodeCanonical,
  encodeEnvelope,
  limits,
  parseKeyId,
  TUF,
} from '@immota/uptane';
import { jsonTree } from '../support/json.ts';
import { codeOf, DIALECTS } from '../support/world.ts';

const SIGNED = { name: 'é\n"', version: 1 };

function decode(
  document: JsonValue,
  dialect: Dialect = AKTUALIZR,
): ReturnType<typeof decodeEnvelope> {
  return decodeEnvelope(dialect, utf8(JSON.stringify(document)), 100_000);
}

function signaturesOf(count: number): JsonValue {
  return Array.from({ length: count }, (_, index) => ({ keyid: `key ${index}`, sig: '' }));
}

describe('decodeEnvelope()', () => {
  for (const dialect of DIALECTS) {
    it(`reads back what was put together in ${dialect.name} {uptane B3}`, () => {
      const signature = { keyId: parseKeyId('k'), method: undefined, bytes: Uint8Array.of(0, 255) };
      const file = encodeEnvelope(dialect, SIGNED, [signature]);
      const envelope = decodeEnvelope(dialect, file, file.length);
      assert.deepEqual(envelope.signed, SIGNED);
      assert.deepEqual(envelope.signatures, [signature]);
      assert.deepEqual(envelope.payload, encodeCanonical(SIGNED, dialect.canonicalForm));
      assert.deepEqual(envelope.bytes, file);
    });
  }

  it('keeps the method and the attributes that a signature states {uptane J1}', () => {
    const bytes = Uint8Array.of(1);
    const attributes = { note: 'x' };
    const made = { keyId: parseKeyId('k'), method: 'ed25519', bytes, attributes };
    const file = encodeEnvelope(AKTUALIZR, SIGNED, [made]);
    const expected = '{"keyid":"k","method":"ed25519","note":"x","sig":"AQ=="}';
    assert.ok(new TextDecoder().decode(file).includes(expected));
    assert.equal(decodeEnvelope(AKTUALIZR, file, 1000).signatures[0]?.method, 'ed25519');
  });

  it('writes no method where none is stated', () => {
    const bytes = Uint8Array.of(1);
    const made = { keyId: parseKeyId('k'), method: undefined, bytes, attributes: { note: 'x' } };
    const file = new TextDecoder().decode(encodeEnvelope(TUF, SIGNED, [made]));
    assert.ok(file.includes('{"keyid":"k","note":"x","sig":"01"}'));
  });

  it('keeps what the reader of JSON said', () => {
    assert.throws(
      () => decodeEnvelope(TUF, utf8('{'), 10),
      (error: Error) => findFaultCode(error) === 'MALFORMED' && error.cause instanceof InputFault,
    );
  });

  it('spells signatures in base64 for vehicles and in hex for TUF', () => {
    const made = { keyId: parseKeyId('k'), method: undefined, bytes: Uint8Array.of(255, 254) };
    const spelled = (dialect: Dialect): string =>
      new TextDecoder().decode(encodeEnvelope(dialect, {}, [made]));
    assert.equal(spelled(AKTUALIZR), '{"signatures":[{"keyid":"k","sig":"//4="}],"signed":{}}');
    assert.equal(spelled(TUF), '{"signatures":[{"keyid":"k","sig":"fffe"}],"signed":{}}');
  });

  it('takes a misspelled signature for one that verifies nothing', () => {
    for (const [dialect, sig] of [
      [AKTUALIZR, '!'],
      [TUF, '//4='],
      [TUF, 'fff'],
    ] as const) {
      const document = { signed: {}, signatures: [{ keyid: 'k', sig }] };
      assert.equal(decode(document, dialect).signatures[0]?.bytes.length, 0);
    }
  });

  it('hashes the canonical form for vehicles and the very bytes for TUF', () => {
    const pretty = utf8(JSON.stringify({ signed: SIGNED, signatures: [] }, undefined, 2));
    const canonical = encodeCanonical({ signed: SIGNED, signatures: [] }, 'escaped');
    assert.deepEqual(decodeEnvelope(AKTUALIZR, pretty, 1000).digestInput(), canonical);
    assert.deepEqual(decodeEnvelope(TUF, pretty, 1000).digestInput(), pretty);
  });

  it('refuses a key that stands twice among the signatures {uptane L6}', () => {
    const twice = [
      { keyid: 'a', sig: 'AQ==' },
      { keyid: 'b', sig: 'AQ==' },
      { keyid: 'a', sig: 'Ag==' },
    ];
    assert.equal(
      codeOf(() => decode({ signed: {}, signatures: twice })),
      'SIGNATURE_DUPLICATE',
    );
    assert.equal(
      codeOf(() => decode({ signed: {}, signatures: twice.slice(0, 2) })),
      undefined,
    );
  });

  it('takes as many signatures as the limit and not one more', () => {
    const { SIGNATURES_MAX } = limits;
    for (const [count, code] of [
      [SIGNATURES_MAX, undefined],
      [SIGNATURES_MAX + 1, 'LIMIT'],
    ] as const) {
      assert.equal(
        codeOf(() => decode({ signed: {}, signatures: signaturesOf(count) })),
        code,
      );
    }
  });

  it('takes exactly the length that it may have and not a byte more', () => {
    const file = utf8('{"signed":{},"signatures":[]}');
    assert.equal(
      codeOf(() => decodeEnvelope(TUF, file, file.length)),
      undefined,
    );
    assert.equal(
      codeOf(() => decodeEnvelope(TUF, file, file.length - 1)),
      'LIMIT',
    );
  });

  it('refuses nesting that no metadata has', () => {
    for (const [levels, code] of [
      [30, undefined],
      [31, 'LIMIT'],
    ] as const) {
      const inner = `${'['.repeat(levels)}${']'.repeat(levels)}`;
      const file = utf8(`{"signatures":[],"signed":{"a":${inner}}}`);
      assert.equal(
        codeOf(() => decodeEnvelope(TUF, file, 1000)),
        code,
      );
    }
  });

  it('refuses what has not the shape of a signed document', () => {
    for (const document of [
      1,
      [],
      null,
      {},
      { signed: {} },
      { signatures: [] },
      { signed: [], signatures: [] },
      { signed: {}, signatures: {} },
      { signed: {}, signatures: [1] },
      { signed: {}, signatures: [{ sig: '' }] },
      { signed: {}, signatures: [{ keyid: 'a' }] },
      { signed: {}, signatures: [{ keyid: 1, sig: '' }] },
      { signed: {}, signatures: [{ keyid: '', sig: '' }] },
      { signed: {}, signatures: [{ keyid: 'a', sig: 1 }] },
      { signed: {}, signatures: [{ keyid: 'a', sig: '', method: 1 }] },
      { signed: { a: 0.5 }, signatures: [] },
    ]) {
      assert.equal(
        codeOf(() => decode(document)),
        'MALFORMED',
        JSON.stringify(document),
      );
    }
    for (const text of ['', '{', '{"signed":{},"signatures":[],"signed":{}}']) {
      assert.equal(
        codeOf(() => decodeEnvelope(TUF, utf8(text), 100)),
        'MALFORMED',
        text,
      );
    }
  });

  it('holds a stated hash of the payload against the payload {uptane J1}', () => {
    const payload = encodeCanonical(SIGNED, 'escaped');
    const sha256 = createHash('sha256').update(payload).digest('hex');
    const sha512 = createHash('sha512').update(payload).digest('hex');
    const read = (hashes: JsonValue): string | undefined =>
      codeOf(() => decode({ signed: SIGNED, signatures: [{ keyid: 'a', sig: '', hashes }] }));
    assert.equal(read({ sha256 }), undefined);
    assert.equal(read({ sha256, sha512 }), undefined);
    assert.equal(read({ sha256: sha256.toUpperCase() }), undefined);
    for (const hashes of [
      { sha256: '0'.repeat(64) },
      { sha256, sha512: '0'.repeat(128) },
      { sha256: sha512 },
      { md5: 'x' },
      {},
      [],
    ]) {
      assert.equal(read(hashes), 'MALFORMED', JSON.stringify(hashes));
    }
  });
});

describe('decodeEnvelope(), however the document is spelled', () => {
  for (const dialect of DIALECTS) {
    it(`gives the canonical payload and digest, ${dialect.name}`, () => {
      const spelling = fc.constantFrom('plain', 'pretty', 'escaped', 'olpc');
      fc.assert(
        fc.property(jsonTree, jsonTree, spelling, (value, more, how) => {
          const document: JsonObject = { more, signatures: [], signed: { value } };
          const file = spell(document, how);
          if (file === undefined) return;
          const envelope = decodeEnvelope(dialect, file, 1_000_000);
          const { canonicalForm: form } = dialect;
          assert.deepEqual(
            Buffer.from(envelope.payload),
            Buffer.from(encodeCanonical({ value }, form)),
          );
          assert.deepEqual(envelope.signed, { value });
          const digested = dialect === TUF ? file : encodeCanonical(document, form);
          assert.deepEqual(Buffer.from(envelope.digestInput()), Buffer.from(digested));
        }),
        { numRuns: 400 },
      );
    });
  }
});

/** Writes a document; the OLPC form is JSON only where its texts hold no control character. */
function spell(document: JsonObject, how: string): Uint8Array | undefined {
  if (how === 'plain') return utf8(JSON.stringify(document));
  if (how === 'pretty') return utf8(JSON.stringify(document, undefined, 1));
  const bytes = encodeCanonical(document, how === 'olpc' ? 'olpc' : 'escaped');
  return bytes.some((byte) => byte < 0x20) ? undefined : bytes;
}

describe('encodeEnvelope()', () => {
  it('writes JSON whatever the texts hold', () => {
    for (const dialect of DIALECTS) {
      const file = encodeEnvelope(dialect, { pem: 'a\nb\u0000é' }, []);
      assert.deepEqual(JSON.parse(new TextDecoder().decode(file)), {
        signatures: [],
        signed: { pem: 'a\nb\u0000é' },
      });
    }
  });
});
