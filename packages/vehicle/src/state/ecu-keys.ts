/**
 * The keys of an ECU {uptane H4}: one to sign its reports, another to decrypt its images. They are
 * made in the ECU at its first start and never leave its folder.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Entropy, Signer } from '@immota/base';
import {
  type DecryptionKey,
  encodeDecryptionKey,
  type EncryptionProfile,
  generateDecryptionKey,
  parseDecryptionKey,
} from '@immota/image';
import { exportPrivateKey, generateSigner, signerFromPrivateKey } from '@immota/pki';
import { AKTUALIZR, type EcuIdentifier, signMetadata } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';

/** The keys, ready for use. */
export interface EcuKeys {
  readonly identity: Signer;
  readonly decryption: DecryptionKey;
}

/** Which keys an ECU makes at its first start. */
export interface EcuKeyOptions {
  /** `classic`: Ed25519 and X25519. `hybrid`: ML-DSA-65 and X-Wing (ADR 4). */
  readonly profile: EncryptionProfile;
  readonly entropy: Entropy;
}

const IDENTITY_ALGORITHM = { classic: 'ed25519', hybrid: 'ml-dsa-65' } as const;
/** Any right of group or others. */
const FOREIGN_RIGHTS = 0o077;

/**
 * Loads the keys of an ECU, or makes them.
 *
 * @param folder - of the ECU alone; made with mode 0700 when it is missing.
 * @throws VehicleFault ECU_KEY when a file is damaged, of another profile or open to others.
 */
export function loadEcuKeys(folder: string, options: EcuKeyOptions): EcuKeys {
  const { profile, entropy } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = loadOrMake(folder, 'identity.key', entropy, () =>
    exportPrivateKey(generateSigner(IDENTITY_ALGORITHM[profile])),
  );
  const decryption = loadOrMake(folder, `decryption-${profile}.key`, entropy, () =>
    encodeDecryptionKey(generateDecryptionKey(profile, entropy)),
  );
  try {
    return {
      identity: signerFromPrivateKey(identity),
      decryption: parseDecryptionKey(profile, decryption),
    };
  } catch (error) {
    throw new VehicleFault('ECU_KEY', 'Cannot load ECU keys: a file is damaged', { cause: error });
  } finally {
    identity.fill(0);
    decryption.fill(0);
  }
}

/** How a wrapped content key for a key of this profile is spelled in metadata. */
export const WRAP_METHODS = { classic: 'hpke-x25519', hybrid: 'hpke-xwing' } as const;

/**
 * Makes the document by which an ECU hands in its public encryption key: signed by its own identity
 * key, so that nobody on the way, its Primary included, can put another key in its place.
 *
 * @returns the body of `POST /director/ecu-keys`.
 */
export async function signEncryptionKey(
  ecuIdentifier: EcuIdentifier,
  { identity, decryption }: EcuKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = {
    _type: 'EcuEncryptionKey',
    ecu_serial: ecuIdentifier,
    method: WRAP_METHODS[decryption.kind],
    public: Buffer.from(decryption.rawPublic).toString('base64'),
  };
  return await signMetadata(AKTUALIZR, signed, [identity]);
}

function loadOrMake(
  folder: string,
  name: string,
  entropy: Entropy,
  make: () => Uint8Array,
): Uint8Array {
  const path = join(folder, name);
  return readKeyFile(path) ?? saveOnce(folder, path, make(), entropy) ?? loadSaved(path);
}

function loadSaved(path: string): Uint8Array {
  const bytes = readKeyFile(path);
  if (bytes === undefined) throw new VehicleFault('ECU_KEY', 'Cannot load ECU key: it vanished');
  return bytes;
}

function readKeyFile(path: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    // Windows has other means.
    if (process.platform !== 'win32' && (fstatSync(descriptor).mode & FOREIGN_RIGHTS) !== 0) {
      throw new VehicleFault('ECU_KEY', 'Cannot load ECU key: its file is open to others');
    }
    return new Uint8Array(readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a key whole or not at all; undefined when another was there first. */
function saveOnce(
  folder: string,
  path: string,
  bytes: Uint8Array,
  entropy: Entropy,
): Uint8Array | undefined {
  const temporary = `${path}.${Buffer.from(entropy.bytes(8)).toString('hex')}.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const descriptor = openSync(temporary, flags, 0o600);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(temporary, path);
    return bytes;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw error;
  } finally {
    unlinkSync(temporary);
    syncFolder(folder);
  }
}

/** Makes a new name itself survive a power cut. Windows does not open folders. */
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
