/**
 * Published vectors, and the same answers from two other implementations.
 *
 * @source RFC 9180, test vectors in JSON (cfrg/draft-irtf-cfrg-hpke, test-vectors.json): mode 0,
 * KEM 0x0020, KDF 0x0001, AEAD 0x0002, first encryption
 * @source draft-connolly-cfrg-xwing-kem-11, appendix C: seeds and secrets; the ciphertexts between
 * them are computed by the other implementation
 */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, it } from 'node:test';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { utf8 } from '@immota/base';
import {
  type EncryptionProfile,
  encodeContentKey,
  generateContentKey,
  generateDecryptionKey,
  parseDecryptionKey,
  unwrapContentKey,
  wrapContentKey,
} from '@immota/image';
import { decapsulateWith, encapsulateFor, KEM_X25519 } from '../../src/wrap/kem.ts';
import { createSuite, scheduleKey } from '../../src/wrap/key-schedule.ts';
import { recipientKeysOf } from '../../src/wrap/recipient.ts';
import { seededEntropy } from '../bytes.ts';

const RFC_9180 = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  skEm: '179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11',
  skRm: '497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d',
  pkRm: '430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c',
  enc: '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256',
  sharedSecret: '3101c54c3a4f87439eaac080699ed9bbcc726ffe44e860c0424ccb7e3e2ead7b',
  key: 'f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f',
  baseNonce: '151d9929e2449747889bc923',
  aad: '436f756e742d30',
  pt: '4265617574792069732074727574682c20747275746820626561757479',
  ct: 'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
};

const X_WING = [
  {
    seed: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
    eseed:
      '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    ss: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
  },
  {
    seed: 'badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea',
    eseed:
      '17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdefaee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d',
    ss: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
  },
  {
    seed: 'ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9',
    eseed:
      '22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b',
    ss: '953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f',
  },
];

const fromHex = (hex: string): Buffer<ArrayBuffer> => Buffer.from(hex, 'hex');
const toHex = (bytes: Uint8Array | ArrayBuffer): string =>
  Buffer.from(new Uint8Array(bytes)).toString('hex');
const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const suiteOf = (profile: EncryptionProfile): CipherSuite =>
  new CipherSuite({
    kem: profile === 'classic' ? new DhkemX25519HkdfSha256() : new XWing(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });

describe('encapsulateFor() and scheduleKey()', () => {
  it('follow the published vector of HPKE with X25519 and AES-256-GCM', () => {
    const key = parseDecryptionKey('classic', fromHex(RFC_9180.skRm));
    assert.equal(toHex(key.rawPublic), RFC_9180.pkRm);
    const ephemeral = { bytes: (): Uint8Array => fromHex(RFC_9180.skEm) };
    const { encapsulated, sharedSecret } = encapsulateFor(
      recipientKeysOf(key.publicKey),
      ephemeral,
    );
    assert.equal(toHex(encapsulated), RFC_9180.enc);
    assert.equal(toHex(sharedSecret), RFC_9180.sharedSecret);
    assert.deepEqual(decapsulateWith(key, encapsulated), sharedSecret);
    const message = scheduleKey(createSuite(KEM_X25519), sharedSecret, fromHex(RFC_9180.info));
    assert.equal(toHex(message.key), RFC_9180.key);
    assert.equal(toHex(message.nonce), RFC_9180.baseNonce);
    const cipher = createCipheriv('aes-256-gcm', message.key, message.nonce);
    cipher.setAAD(fromHex(RFC_9180.aad));
    const sealed = [cipher.update(fromHex(RFC_9180.pt)), cipher.final(), cipher.getAuthTag()];
    assert.equal(toHex(Buffer.concat(sealed)), RFC_9180.ct);
  });
});

describe('decapsulateWith()', () => {
  for (const [index, vector] of X_WING.entries()) {
    it(`follows published vector ${index + 1} of X-Wing`, async () => {
      const key = parseDecryptionKey('hybrid', fromHex(vector.seed));
      const kem = new XWing();
      const recipientPublicKey = await kem.deserializePublicKey(bufferOf(key.rawPublic));
      const ekm = bufferOf(fromHex(vector.eseed));
      const { enc, sharedSecret } = await kem.encap({ recipientPublicKey, ekm });
      assert.equal(toHex(sharedSecret), vector.ss);
      assert.equal(toHex(decapsulateWith(key, new Uint8Array(enc))), vector.ss);
    });
  }
});

describe('wrapContentKey() and unwrapContentKey()', () => {
  const entropy = seededEntropy('two implementations');
  const contentKey = generateContentKey(entropy);
  const plaintext = encodeContentKey(contentKey);
  const context = {
    ecuIdentifier: 'Gerät-1',
    hardwareIdentifier: 'brake-r2',
    imageSha256: 'c0'.repeat(32),
  };
  // The context written out by hand: label, then each identifier behind its length, then the hash.
  const info = Buffer.concat([
    utf8('immota content key 1'),
    Uint8Array.of(8),
    utf8('Gerät-1'),
    Uint8Array.of(8),
    utf8('brake-r2'),
    new Uint8Array(32).fill(0xc0),
  ]);
  for (const profile of ['classic', 'hybrid'] as const) {
    const key = generateDecryptionKey(profile, entropy);
    const encapsulatedLength = profile === 'classic' ? 32 : 1120;

    it(`are opened by another implementation of HPKE, ${profile}`, async () => {
      const suite = suiteOf(profile);
      const secret = bufferOf(key.secret.export());
      const recipientKey = await suite.kem.importKey('raw', secret, false);
      const wrapped = wrapContentKey(key.publicKey, contentKey, context, entropy);
      const enc = bufferOf(wrapped.subarray(2, 2 + encapsulatedLength));
      const recipient = await suite.createRecipientContext({
        recipientKey,
        enc,
        info: bufferOf(info),
      });
      const opened = await recipient.open(bufferOf(wrapped.subarray(2 + encapsulatedLength)));
      assert.equal(toHex(opened), toHex(plaintext));
    });

    it(`open what another implementation of HPKE sealed, ${profile}`, async () => {
      const suite = suiteOf(profile);
      const recipientPublicKey = await suite.kem.deserializePublicKey(bufferOf(key.rawPublic));
      const sender = await suite.createSenderContext({ recipientPublicKey, info: bufferOf(info) });
      const sealed = await sender.seal(bufferOf(plaintext));
      const wrapped = Buffer.concat([
        Uint8Array.of(1, profile === 'classic' ? 1 : 2),
        new Uint8Array(sender.enc),
        new Uint8Array(sealed),
      ]);
      assert.ok(unwrapContentKey(wrapped, key, context).equals(contentKey));
    });
  }
});
