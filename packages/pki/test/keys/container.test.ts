import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseJson, utf8 } from '@immota/base';
import {
  decodeKeyContainer,
  describeKeyContainer,
  encodeKeyContainer,
  exportPrivateKey,
  generateSigner,
  isSignedBy,
  KEY_DERIVATION_COST,
  parsePublicKey,
  type PkiFaultCode,
} from '@immota/pki';

import { ALGORITHMS, entropy, refuses } from '../support/world.ts';

const PASSPHRASE = 'correct horse';
/** The least that is allowed: tests need not be slow. */
const cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
const options = { passphrase: PASSPHRASE, entropy, cost };
const signer = generateSigner('ed25519');
const container = encodeKeyContainer(signer, options);

type Json = Record<string, unknown>;

/** The container with one member replaced; a dot leads into an object. */
function alter(path: string, value: unknown): Uint8Array {
  const root = structuredClone(parseJson(container, 100_000)) as unknown as Json;
  const [first = '', second] = path.split('.');
  if (second === undefined) root[first] = value;
  else (root[first] as Json)[second] = value;
  return utf8(JSON.stringify(root));
}

function read(path: string): string {
  const [first = '', second] = path.split('.');
  const root = parseJson(container, 100_000) as unknown as Json;
  return String(second === undefined ? root[first] : (root[first] as Json)[second]);
}

/** The same text of base64 with one bit of its bytes changed. */
function flip(path: string, at: number): string {
  const bytes = Buffer.from(read(path), 'base64');
  const index = at < 0 ? bytes.length + at : at;
  bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
  return bytes.toString('base64');
}

const opens = (bytes: Uint8Array): unknown => decodeKeyContainer(bytes, PASSPHRASE);

const zeros = (length: number): string => Buffer.alloc(length).toString('base64');

const padded = (length: number): Uint8Array =>
  utf8(Buffer.from(container).toString().padEnd(length));

describe('encodeKeyContainer()', () => {
  for (const algorithm of ALGORITHMS) {
    it(`keeps an ${algorithm} key for who has the passphrase`, async () => {
      const one = generateSigner(algorithm);
      const sealed = encodeKeyContainer(one, options);
      const opened = decodeKeyContainer(sealed, PASSPHRASE);
      assert.equal(opened.algorithm, algorithm);
      assert.deepEqual(opened.publicKeyDer, one.publicKeyDer);
      const message = utf8('m');
      assert.ok(isSignedBy(parsePublicKey(one.publicKeyDer), message, await opened.sign(message)));
      await refuses('PASSPHRASE_WRONG', () => decodeKeyContainer(sealed, `${PASSPHRASE}!`));
      assert.deepEqual(describeKeyContainer(sealed), {
        algorithm,
        publicKeyDer: one.publicKeyDer,
      });
    });
  }

  it('differs each time and shows nothing of the key', () => {
    const again = encodeKeyContainer(signer, options);
    assert.notDeepEqual(again, container);
    const secret = Buffer.from(exportPrivateKey(signer)).subarray(-32);
    assert.ok(!Buffer.from(container).includes(secret));
    assert.ok(!Buffer.from(container).includes(secret.toString('base64').slice(4, 24)));
    for (const member of ['derivation.salt', 'cipher.nonce', 'sealed', 'derivation.check']) {
      assert.ok(!Buffer.from(again).includes(read(member)));
    }
  });

  it('is a text of a documented form', () => {
    assert.equal(read('format'), 'immota-key');
    assert.equal(read('version'), '1');
    assert.equal(read('algorithm'), 'ed25519');
    assert.equal(read('derivation.name'), 'argon2id');
    assert.equal(read('cipher.name'), 'aes-256-gcm');
    assert.equal(Buffer.from(read('derivation.salt'), 'base64').length, 16);
    assert.equal(Buffer.from(read('derivation.check'), 'base64').length, 32);
    assert.equal(Buffer.from(read('cipher.nonce'), 'base64').length, 12);
    assert.equal(container.at(-1), 0x0a);
  });

  it('costs 64 MiB and three passes unless told otherwise', () => {
    assert.deepEqual(KEY_DERIVATION_COST, { memoryKib: 65_536, passes: 3, lanes: 4 });
    const usual = encodeKeyContainer(signer, { passphrase: PASSPHRASE, entropy });
    const json = parseJson(usual, 100_000) as unknown as { readonly derivation: Json };
    assert.equal(json.derivation['memoryKib'], 65_536);
    assert.deepEqual(decodeKeyContainer(usual, PASSPHRASE).publicKeyDer, signer.publicKeyDer);
  });

  it('takes passphrases of 12 to 1024 characters', async () => {
    for (const passphrase of ['x'.repeat(12), 'x'.repeat(1024)]) {
      const sealed = encodeKeyContainer(signer, { ...options, passphrase });
      assert.ok(decodeKeyContainer(sealed, passphrase));
    }
    for (const passphrase of ['', 'x'.repeat(11), 'x'.repeat(1025)]) {
      await refuses('PASSPHRASE_WEAK', () =>
        encodeKeyContainer(signer, { ...options, passphrase }),
      );
    }
    await refuses('PASSPHRASE_WRONG', () => decodeKeyContainer(container, 'x'.repeat(1025)));
    await refuses('PASSPHRASE_WRONG', () => decodeKeyContainer(container, ''));
  });

  it('takes one passphrase in either form of Unicode', () => {
    const sealed = encodeKeyContainer(signer, { ...options, passphrase: 'Schlüssel-wort' });
    assert.ok(decodeKeyContainer(sealed, 'Schlu\u0308ssel-wort'));
  });

  it('refuses costs out of bounds', async () => {
    for (const wrong of [{ memoryKib: 19_455 }, { passes: 1 }, { lanes: 0 }]) {
      const weak = { ...options, cost: { ...cost, ...wrong } };
      await refuses('KEY_FILE_MALFORMED', () => encodeKeyContainer(signer, weak));
    }
  });
});

describe('decodeKeyContainer()', () => {
  it('takes the least and the most that a derivation may cost, and no more', async () => {
    for (const [member, bad] of [
      ['derivation.memoryKib', [19_455, 262_145, 1e9, -1, 19_456.5, '65536']],
      ['derivation.passes', [1, 9, 2.5, 0]],
      ['derivation.lanes', [0, 5, 1.5]],
    ] as const) {
      for (const value of bad) {
        await refuses('KEY_FILE_MALFORMED', () => opens(alter(member, value)));
      }
    }
    // Within bounds, another cost is another key: the passphrase no longer fits.
    for (const [member, good] of [
      ['derivation.memoryKib', [19_457, 262_144]],
      ['derivation.passes', [3, 8]],
      ['derivation.lanes', [2, 4]],
    ] as const) {
      for (const value of good)
        await refuses('PASSPHRASE_WRONG', () => opens(alter(member, value)));
    }
  });

  it('tells a changed container from a wrong passphrase', async () => {
    const other = Buffer.from(generateSigner('ed25519').publicKeyDer).toString('base64');
    for (const [member, value] of [
      ['sealed', flip('sealed', 0)],
      ['sealed', flip('sealed', -1)],
      ['sealed', Buffer.from(read('sealed'), 'base64').subarray(1).toString('base64')],
      ['cipher.nonce', flip('cipher.nonce', 0)],
      ['publicKey', other],
      ['publicKey', flip('publicKey', -1)],
      ['algorithm', 'ml-dsa-65'],
    ] as const) {
      await refuses('KEY_FILE_TAMPERED', () => opens(alter(member, value)));
    }
  });

  it('takes a changed salt or check for a wrong passphrase', async () => {
    for (const member of ['derivation.salt', 'derivation.check']) {
      await refuses('PASSPHRASE_WRONG', () => opens(alter(member, flip(member, 0))));
    }
  });

  it('passes over how the text is laid out', () => {
    assert.ok(opens(alter('format', 'immota-key')));
  });

  it('refuses another format, version or algorithm', async () => {
    for (const [member, value] of [
      ['format', 'other'],
      ['version', 2],
      ['version', '1'],
      ['algorithm', 'ed448'],
      ['algorithm', undefined],
      ['derivation', undefined],
      ['derivation', []],
      ['derivation.name', 'scrypt'],
      ['cipher', 'x'],
      ['cipher.name', 'aes-128-gcm'],
    ] as const) {
      await refuses('KEY_FILE_MALFORMED', () => opens(alter(member, value)));
    }
  });

  it('refuses bytes of another length, and what is no base64', async () => {
    for (const [member, value] of [
      ['derivation.salt', zeros(15)],
      ['derivation.salt', zeros(17)],
      ['derivation.check', zeros(31)],
      ['cipher.nonce', zeros(16)],
      ['sealed', zeros(16)],
      ['sealed', ''],
      ['sealed', `${read('sealed')} `],
      ['sealed', 7],
      ['publicKey', 'A*=='],
      ['publicKey', undefined],
    ] as const) {
      await refuses('KEY_FILE_MALFORMED', () => opens(alter(member, value)));
    }
    await refuses('KEY_FILE_TAMPERED', () => opens(alter('sealed', zeros(17))));
  });

  it('refuses what is no JSON object, and more than 32 KiB', async () => {
    for (const text of ['', '7', '[]', 'null', '{', '{"format":"immota-key","format":"x"}']) {
      await refuses('KEY_FILE_MALFORMED', () => opens(utf8(text)));
    }
    assert.ok(opens(padded(32_768)));
    await refuses('LIMIT', () => opens(padded(32_769)));
    const codes: readonly PkiFaultCode[] = ['LIMIT', 'KEY_FILE_MALFORMED'];
    await refuses(codes[0] ?? 'LIMIT', () => describeKeyContainer(padded(32_769)));
    await refuses(codes[1] ?? 'LIMIT', () => describeKeyContainer(utf8('7')));
  });
});
