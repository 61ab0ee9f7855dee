/** Key containers as files: `NAME.key.json` in one folder, readable by their owner only. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  opendirSync,
  readSync,
  rmSync,
  writeSync,
  constants,
} from 'node:fs';
import { join } from 'node:path';

import type { Brand, SignatureAlgorithm } from '@immota/base';

import { PkiFault } from '../../fault.ts';
import { KEY_FILE_LENGTH_MAX_BYTES, KEY_FILES_MAX } from '../../limits.ts';
import {
  decodeKeyContainer,
  describeKeyContainer,
  encodeKeyContainer,
  type SealOptions,
} from '../container.ts';
import type { SoftwareSigner } from '../software.ts';

const SUFFIX = '.key.json';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Any right of group or others, and none of the owner's. */
const FOREIGN_RIGHTS = 0o077;

/** Holding a KeyName tells you: 1 to 100 of `A-Za-z0-9._-`, the first a letter or digit; a safe file name. */
export type KeyName = Brand<string, 'KeyName'>;

/** A key file that was found, unopened. */
export interface KeyFileEntry {
  readonly name: KeyName;
  readonly algorithm: SignatureAlgorithm;
  /** As the file claims; only opening it proves it. */
  readonly publicKeyDer: Uint8Array;
}

/** Reads a key's name. @throws PkiFault KEY_NAME when it could leave its folder or hide in it. */
export function parseKeyName(value: unknown): KeyName {
  if (typeof value !== 'string' || !NAME.test(value)) {
    throw new PkiFault(
      'KEY_NAME',
      'Cannot use key name: 1 to 100 of A-Z a-z 0-9 . _ - are allowed',
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as KeyName;
}

/**
 * Writes a key file, whole or not at all, with mode 0600. An existing one is never replaced.
 *
 * @param folder - made with mode 0700 when it is missing.
 * @param name - the file is `NAME.key.json`.
 * @param signer - whose private key is kept.
 * @param options - passphrase, chance and cost.
 * @throws PkiFault KEY_FILE_EXISTS; PASSPHRASE_WEAK and KEY_FILE_MALFORMED as `encodeKeyContainer`.
 */
export function saveKeyFile(
  folder: string,
  name: KeyName,
  signer: SoftwareSigner,
  options: SealOptions,
): void {
  const container = encodeKeyContainer(signer, options);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name + SUFFIX);
  const unique = Buffer.from(options.entropy.bytes(8)).toString('hex');
  const temporary = join(folder, `.${name}.${unique}.tmp`);
  try {
    writeDurably(temporary, container);
    // A link fails where a rename would replace: nobody's key is lost to a race.
    linkSync(temporary, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new PkiFault('KEY_FILE_EXISTS', `Cannot save key: ${name} exists`, { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
  syncFolder(folder);
}

/**
 * Opens a key file.
 *
 * @param folder - where it is.
 * @param name - as it was saved.
 * @param passphrase - what it was sealed with.
 * @throws PkiFault KEY_FILE_MISSING; KEY_FILE_PERMISSIONS when others may read or write it; LIMIT,
 *   KEY_FILE_MALFORMED, PASSPHRASE_WRONG and KEY_FILE_TAMPERED as `decodeKeyContainer`.
 */
export function loadKeyFile(folder: string, name: KeyName, passphrase: string): SoftwareSigner {
  return decodeKeyContainer(readKeyFile(folder, name), passphrase);
}

/**
 * Reads what a key file says about its key, without the passphrase.
 *
 * @throws PkiFault KEY_FILE_MISSING, KEY_FILE_PERMISSIONS, LIMIT, KEY_FILE_MALFORMED as `loadKeyFile`.
 */
export function describeKeyFile(folder: string, name: KeyName): KeyFileEntry {
  return { name, ...describeKeyContainer(readKeyFile(folder, name)) };
}

/**
 * Lists the key files of a folder in the order of their names.
 *
 * @param folder - a missing one has none.
 * @returns their names; what each holds is told by `describeKeyFile`.
 * @throws PkiFault LIMIT when there are more than 1000 entries.
 */
export function listKeyFiles(folder: string): readonly KeyName[] {
  const names: KeyName[] = [];
  let count = 0;
  let directory;
  try {
    directory = opendirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      count += 1;
      if (count > KEY_FILES_MAX) {
        throw new PkiFault('LIMIT', `Cannot list keys: more than ${KEY_FILES_MAX} entries`);
      }
      const name = entry.name.slice(0, -SUFFIX.length);
      if (entry.name.endsWith(SUFFIX) && NAME.test(name)) names.push(parseKeyName(name));
    }
  } finally {
    directory.closeSync();
  }
  return names.toSorted();
}

function readKeyFile(folder: string, name: KeyName): Uint8Array {
  let descriptor: number;
  try {
    descriptor = openSync(join(folder, name + SUFFIX), 'r');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new PkiFault('KEY_FILE_MISSING', `Cannot open key: ${name} is missing`, { cause: error });
  }
  try {
    // The rights of what was opened, not of what the path names by now. Windows has other means.
    if (process.platform !== 'win32' && (fstatSync(descriptor).mode & FOREIGN_RIGHTS) !== 0) {
      throw new PkiFault('KEY_FILE_PERMISSIONS', `Cannot open key: ${name} is open to others`);
    }
    const buffer = new Uint8Array(KEY_FILE_LENGTH_MAX_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const descriptor = openSync(path, flags, 0o600);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the new name itself survive a power cut. Windows does not open folders. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
