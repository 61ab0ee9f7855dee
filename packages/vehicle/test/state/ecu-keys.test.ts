import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ecuKeySchema } from '@immota/api';
import {
  AKTUALIZR,
  checkSignedBy,
  decodeEnvelope,
  parseEcuIdentifier,
  publicKeyFromDer,
} from '@immota/uptane';
import { loadEcuKeys, signEncryptionKey } from '@immota/vehicle';
import { entropy, makeFolder } from '../support/folder.ts';

describe('loadEcuKeys()', () => {
  it('makes keys once and finds the same ones again {uptane H4}', (test) => {
    const folder = join(makeFolder(test), 'keys');
    const made = loadEcuKeys(folder, { profile: 'classic', entropy });
    const found = loadEcuKeys(folder, { profile: 'classic', entropy });
    assert.deepEqual(found.identity.publicKeyDer, made.identity.publicKeyDer);
    assert.equal(found.decryption.publicKey, made.decryption.publicKey);
    assert.deepEqual(readdirSync(folder).toSorted(), ['decryption-classic.key', 'identity.key']);
    for (const name of readdirSync(folder)) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    }
  });
  it('makes different keys for signing and decrypting, and for each ECU {uptane H4}', (test) => {
    const folder = makeFolder(test);
    const one = loadEcuKeys(join(folder, 'one'), { profile: 'hybrid', entropy });
    const two = loadEcuKeys(join(folder, 'two'), { profile: 'hybrid', entropy });
    assert.deepEqual([one.identity.algorithm, one.decryption.kind], ['ml-dsa-65', 'hybrid']);
    assert.notDeepEqual(one.identity.publicKeyDer, two.identity.publicKeyDer);
    assert.notEqual(one.decryption.publicKey, two.decryption.publicKey);
  });
  it('refuses a file that is open to others, or damaged', (test) => {
    const folder = makeFolder(test);
    loadEcuKeys(folder, { profile: 'classic', entropy });
    chmodSync(join(folder, 'identity.key'), 0o644);
    assert.throws(() => loadEcuKeys(folder, { profile: 'classic', entropy }), { code: 'ECU_KEY' });
    chmodSync(join(folder, 'identity.key'), 0o600);
    writeFileSync(join(folder, 'decryption-classic.key'), 'short');
    assert.throws(() => loadEcuKeys(folder, { profile: 'classic', entropy }), { code: 'ECU_KEY' });
  });
});

describe('signEncryptionKey()', () => {
  it('signs the public key in the form of the contract, with the identity key', async (test) => {
    const keys = loadEcuKeys(makeFolder(test), { profile: 'classic', entropy });
    const document = await signEncryptionKey(parseEcuIdentifier('BRAKE-1'), keys);
    const envelope = decodeEnvelope(AKTUALIZR, document, document.length);
    const { method, ecu_serial: serial } = ecuKeySchema.parse(envelope.signed);
    assert.deepEqual([method, serial], ['hpke-x25519', 'BRAKE-1']);
    checkSignedBy(envelope, publicKeyFromDer('ed25519', keys.identity.publicKeyDer), 'key');
    const stranger = loadEcuKeys(makeFolder(test), { profile: 'classic', entropy });
    const key = publicKeyFromDer('ed25519', stranger.identity.publicKeyDer);
    assert.throws(() => checkSignedBy(envelope, key, 'key'), { code: 'REPORT_SIGNATURE' });
  });
});
