import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import {
  describeKeyFile,
  generateSigner,
  listKeyFiles,
  loadKeyFile,
  parseKeyName,
  saveKeyFile,
} from '@immota/pki';

import { entropy, refuses } from '../../support/world.ts';

const base = mkdtempSync(join(tmpdir(), 'immota-keys-'));
after(() => {
  rmSync(base, { recursive: true });
});

const PASSPHRASE = 'correct horse';
const options = {
  passphrase: PASSPHRASE,
  entropy,
  cost: { memoryKib: 19_456, passes: 2, lanes: 1 },
};
const signer = generateSigner('ecdsa-p256');
const name = parseKeyName('root-1');
const posix = process.platform === 'win32' ? 'Windows has no modes' : false;

let count = 0;
function makeFolder(): string {
  count += 1;
  return join(base, `folder-${count}`, 'keys');
}

describe('saveKeyFile()', () => {
  it('writes one file that loadKeyFile() opens', () => {
    const folder = makeFolder();
    saveKeyFile(folder, name, signer, options);
    assert.deepEqual(readdirSync(folder), ['root-1.key.json']);
    assert.deepEqual(loadKeyFile(folder, name, PASSPHRASE).publicKeyDer, signer.publicKeyDer);
    const { publicKeyDer, algorithm } = signer;
    assert.deepEqual(describeKeyFile(folder, name), { name, publicKeyDer, algorithm });
  });

  it('keeps file and folder from others', { skip: posix }, () => {
    const folder = makeFolder();
    saveKeyFile(folder, name, signer, options);
    assert.equal(statSync(join(folder, 'root-1.key.json')).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('never replaces a key, and leaves nothing else behind', async () => {
    const folder = makeFolder();
    saveKeyFile(folder, name, signer, options);
    const before = readFileSync(join(folder, 'root-1.key.json'));
    await refuses('KEY_FILE_EXISTS', () => {
      saveKeyFile(folder, name, generateSigner('ed25519'), options);
    });
    assert.deepEqual(readFileSync(join(folder, 'root-1.key.json')), before);
    assert.deepEqual(readdirSync(folder), ['root-1.key.json']);
  });

  it('refuses a weak passphrase before it makes anything', async () => {
    const folder = makeFolder();
    await refuses('PASSPHRASE_WEAK', () => {
      saveKeyFile(folder, name, signer, { ...options, passphrase: 'short' });
    });
    assert.deepEqual(listKeyFiles(folder), []);
  });

  it('fails where the folder is a file', () => {
    const file = join(base, 'a-file');
    writeFileSync(file, '');
    assert.throws(
      () => {
        saveKeyFile(file, name, signer, options);
      },
      { code: 'EEXIST' },
    );
    assert.throws(() => listKeyFiles(file), { code: 'ENOTDIR' });
    assert.throws(() => loadKeyFile(file, name, PASSPHRASE), { code: 'ENOTDIR' });
  });
});

describe('loadKeyFile()', () => {
  const folder = makeFolder();
  saveKeyFile(folder, name, signer, options);
  const path = join(folder, 'root-1.key.json');

  it('refuses a wrong passphrase', async () => {
    await refuses('PASSPHRASE_WRONG', () => loadKeyFile(folder, name, 'wrong horse!!'));
  });

  it('refuses a key that is missing', async () => {
    await refuses('KEY_FILE_MISSING', () => loadKeyFile(folder, parseKeyName('none'), PASSPHRASE));
    await refuses('KEY_FILE_MISSING', () => describeKeyFile(makeFolder(), name));
  });

  it('refuses a file that others may read, write or run', { skip: posix }, async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666]) {
      chmodSync(path, mode);
      await refuses('KEY_FILE_PERMISSIONS', () => loadKeyFile(folder, name, PASSPHRASE));
      await refuses('KEY_FILE_PERMISSIONS', () => describeKeyFile(folder, name));
    }
    for (const mode of [0o600, 0o400, 0o700]) {
      chmodSync(path, mode);
      assert.ok(loadKeyFile(folder, name, PASSPHRASE));
    }
    chmodSync(path, 0o600);
  });

  it('refuses a file that is too long, or no container', async () => {
    const mode = 0o600;
    writeFileSync(join(folder, 'long.key.json'), ' '.repeat(40_000), { mode });
    writeFileSync(join(folder, 'odd.key.json'), '{}', { mode });
    await refuses('LIMIT', () => loadKeyFile(folder, parseKeyName('long'), PASSPHRASE));
    await refuses('KEY_FILE_MALFORMED', () => loadKeyFile(folder, parseKeyName('odd'), PASSPHRASE));
  });
});

describe('listKeyFiles()', () => {
  it('lists names in order and passes over other files', () => {
    const folder = makeFolder();
    mkdirSync(folder, { recursive: true });
    for (const file of [
      'b.key.json',
      'a.key.json',
      '.hidden.key.json',
      'c.json',
      '.key.json',
      'd',
    ]) {
      writeFileSync(join(folder, file), '');
    }
    assert.deepEqual(listKeyFiles(folder), ['a', 'b']);
  });

  it('finds none in a folder that is not there', () => {
    assert.deepEqual(listKeyFiles(makeFolder()), []);
  });

  it('lists 1000 entries and refuses more', async () => {
    const folder = makeFolder();
    mkdirSync(folder, { recursive: true });
    for (let index = 0; index < 1000; index += 1) writeFileSync(join(folder, `x${index}`), '');
    assert.deepEqual(listKeyFiles(folder), []);
    writeFileSync(join(folder, 'one-more'), '');
    await refuses('LIMIT', () => listKeyFiles(folder));
  });
});

describe('parseKeyName()', () => {
  it('takes safe file names', () => {
    for (const good of ['a', '0', 'root-1', 'a.b_c-D', 'x'.repeat(100)]) {
      assert.equal(parseKeyName(good), good);
    }
  });

  it('refuses names that could leave their folder or hide', async () => {
    for (const bad of [
      '',
      '.',
      '..',
      '.a',
      '-a',
      'a/b',
      'a\\b',
      'a b',
      'a\n',
      'x'.repeat(101),
      7,
    ]) {
      await refuses('KEY_NAME', () => parseKeyName(bad));
    }
  });
});
