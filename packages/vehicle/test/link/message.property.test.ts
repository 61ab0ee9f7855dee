import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findFaultCode, type JsonObject, utf8 } from '@immota/base';
import { parseEcuIdentifier, parseHardwareIdentifier, parseTargetName } from '@immota/uptane';
import * as fc from 'fast-check';
import {
  decodeBundle,
  decodeCredit,
  decodeDocument,
  decodeInfo,
  decodeNonce,
  decodeNothing,
  decodeOffer,
  decodePull,
  decodeRefusal,
  decodeStatus,
  encodeBundle,
  encodeCredit,
  encodeInfo,
  encodeJson,
  encodeNonce,
  encodeOffer,
  encodePull,
  encodeRefusal,
  encodeStatus,
} from '../../src/link/message.ts';
import { BUNDLE_FILES_MAX } from '../../src/link/limits.ts';

const DECODERS = [
  decodeBundle,
  decodeCredit,
  decodeDocument,
  decodeInfo,
  decodeNonce,
  decodeNothing,
  decodeOffer,
  decodePull,
  decodeRefusal,
  decodeStatus,
];

const name = fc.string({ maxLength: 40, unit: 'grapheme' }).map((text) => text.toWellFormed());

describe('messages of the in-vehicle link', () => {
  it('gives bundles back, in order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 90 })), {
          selector: ([one]) => one,
        }),
        (files) => {
          const bundle = new Map(files);
          const read = decodeBundle(encodeBundle(bundle));
          assert.deepEqual([...read.keys()], [...bundle.keys()]);
          for (const [file, bytes] of bundle) {
            assert.deepEqual([...(read.get(file) ?? [])], [...bytes]);
          }
        },
      ),
    );
  });
  it('refuses bundles that end within a file, name one twice, or name too many', () => {
    const whole = encodeBundle(new Map([['director/timestamp', utf8('{}')]]));
    for (let length = 1; length < whole.length; length += 1) {
      assert.throws(() => decodeBundle(whole.subarray(0, length)), { code: 'LINK_PROTOCOL' });
    }
    assert.throws(() => decodeBundle(Buffer.concat([whole, whole])), { code: 'LINK_PROTOCOL' });
    const many = Array.from({ length: BUNDLE_FILES_MAX }, (_, index) => [`${index}`, utf8('')]);
    const most = new Map(many as [string, Uint8Array][]);
    assert.equal(decodeBundle(encodeBundle(most)).size, BUNDLE_FILES_MAX);
    assert.throws(() => decodeBundle(encodeBundle(most.set('more', utf8('')))), {
      code: 'LINK_PROTOCOL',
    });
  });
  it('gives who an ECU is back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
        (publicKeyDer, encryptionKeyDocument) => {
          const info = {
            ecuIdentifier: parseEcuIdentifier('BRAKE-1'),
            hardwareIdentifier: parseHardwareIdentifier('brake-hw'),
            verification: 'partial',
            identity: { algorithm: 'ed25519', publicKeyDer },
            encryptionKeyDocument,
          } as const;
          assert.deepEqual(decodeInfo(encodeInfo(info)), info);
        },
      ),
    );
  });
  it('gives offers, pulls, credits, nonces and states back', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.nat(0xffff_ffff), (large, small) => {
        const offer = { name: parseTargetName('brake/fw.bin'), lengthBytes: large };
        assert.deepEqual(decodeOffer(encodeOffer(offer)), offer);
        const delta = { ...offer, isDelta: true } as const;
        assert.deepEqual(decodeOffer(encodeOffer(delta)), delta);
        const pull = { request: small % 65_536, offsetBytes: large, creditBytes: small };
        assert.deepEqual(decodePull(encodePull(pull)), pull);
        assert.equal(decodeCredit(encodeCredit(small)), small);
      }),
    );
    const nonce = 'ab'.repeat(16);
    assert.equal(decodeNonce(encodeNonce(nonce)), nonce);
    for (const wrong of ['ab'.repeat(15), 'ab'.repeat(33), `${nonce}a`, 'AB'.repeat(16)]) {
      assert.throws(() => decodeNonce(encodeNonce(wrong)), { code: 'LINK_PROTOCOL' });
    }
    for (const preparedSha256 of ['0'.repeat(64), undefined]) {
      const canRevert = preparedSha256 === undefined;
      const status = { phase: 'trial', preparedSha256, canRevert } as const;
      assert.deepEqual(decodeStatus(encodeStatus(status)), status);
    }
  });
  it('takes control characters out of what a peer says', () => {
    const refusal = { code: 'IMAGE_HASH', message: 'a\u001B[2Jb\nc' };
    assert.deepEqual(decodeRefusal(encodeRefusal(refusal)), {
      code: 'IMAGE_HASH',
      message: 'a [2Jb c',
    });
    const raw = encodeJson({ code: 'X', message: '\u009B31m'.repeat(200) });
    const { message } = decodeRefusal(raw);
    assert.ok(message.length <= 400);
    assert.ok(!message.includes('\u009B'));
    assert.throws(() => decodeRefusal(encodeJson({ code: 'not a code', message: '' })), {
      code: 'LINK_PROTOCOL',
    });
  });
  it('refuses every other content with one code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 80 }),
          fc.object().map((made) => utf8(JSON.stringify(made))),
          fc.json().map(utf8),
        ),
        (payload) => {
          for (const decode of DECODERS) {
            try {
              decode(payload);
            } catch (error) {
              assert.equal(findFaultCode(error), 'LINK_PROTOCOL');
            }
          }
        },
      ),
    );
  });
  it('reads a document only when it is an object', () => {
    const document: JsonObject = { signed: {}, signatures: [] };
    assert.deepEqual(decodeDocument(encodeJson(document)), document);
    assert.throws(() => decodeDocument(utf8('[1]')), { code: 'LINK_PROTOCOL' });
  });
});
