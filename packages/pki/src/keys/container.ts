/**
 * The key container: one private key in a JSON text, sealed with a passphrase.
 *
 * Argon2id (RFC 9106) makes 64 octets of the passphrase: 32 are the AES-256-GCM key that seals the
 * PKCS#8, 32 are kept beside it to tell a wrong passphrase from a changed container. Whoever has
 * the file can try passphrases with or without those. Everything else in the text is authenticated
 * by the seal. A container names its own costs, so they are bounded before they are spent.
 */
import {
  argon2Sync,
  createCipheriv,
  createDecipheriv,
  createHmac,
  timingSafeEqual,
} from 'node:crypto';

import {
  concatBytes,
  type Entropy,
  InputFault,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  member,
  parseJson,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
  utf8,
} from '@immota/base';

import { PkiFault } from '../fault.ts';
import {
  ARGON2_LANES_MAX,
  ARGON2_MEMORY_MAX_KIB,
  ARGON2_MEMORY_MIN_KIB,
  ARGON2_PASSES_MAX,
  ARGON2_PASSES_MIN,
  KEY_FILE_LENGTH_MAX_BYTES,
  PASSPHRASE_MAX_CHARACTERS,
  PASSPHRASE_MIN_CHARACTERS,
} from '../limits.ts';
import { exportPrivateKey, signerFromPrivateKey, type SoftwareSigner } from './software.ts';

const FORMAT = 'immota-key';
const VERSION = 1;
const SALT_LENGTH_BYTES = 16;
const NONCE_LENGTH_BYTES = 12;
const TAG_LENGTH_BYTES = 16;
const CHECK_LENGTH_BYTES = 32;
const KEY_LENGTH_BYTES = 32;

/** What deriving the key costs. */
export interface KeyDerivationCost {
  /** From 19,456 (19 MiB) to 262,144 (256 MiB). */
  readonly memoryKib: number;
  /** From 2 to 8. */
  readonly passes: number;
  /** From 1 to 4. */
  readonly lanes: number;
}

/** {RFC 9106 4}, second recommended option: 64 MiB, three passes, four lanes. */
export const KEY_DERIVATION_COST: KeyDerivationCost = { memoryKib: 65_536, passes: 3, lanes: 4 };

/** What a container says without its passphrase; to be believed only after it was opened. */
export interface KeyDescription {
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
}

interface Container extends KeyDescription {
  readonly cost: KeyDerivationCost;
  readonly salt: Uint8Array;
  readonly check: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** How a container is sealed. */
export interface SealOptions {
  /** From 12 to 1024 characters. */
  readonly passphrase: string;
  readonly entropy: Entropy;
  /** Left out: `KEY_DERIVATION_COST`. */
  readonly cost?: KeyDerivationCost;
}

/**
 * Seals a private key with a passphrase.
 *
 * @param signer - whose key it is.
 * @param options - passphrase, chance and cost.
 * @returns the container's text, UTF-8.
 * @throws PkiFault PASSPHRASE_WEAK when it has fewer than 12 or more than 1024 characters;
 *   KEY_FILE_MALFORMED when the cost is out of bounds.
 */
export function encodeKeyContainer(
  signer: SoftwareSigner,
  options: SealOptions,
): Uint8Array<ArrayBuffer> {
  const { passphrase, entropy, cost = KEY_DERIVATION_COST } = options;
  checkNewPassphrase(passphrase);
  checkCost(cost);
  const salt = entropy.bytes(SALT_LENGTH_BYTES);
  const nonce = entropy.bytes(NONCE_LENGTH_BYTES);
  const { key, check } = deriveKey(passphrase, salt, cost);
  const { algorithm, publicKeyDer } = signer;
  const header = { algorithm, publicKeyDer, cost, salt, check, nonce };
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH_BYTES });
  cipher.setAAD(bind(header));
  const privateKey = exportPrivateKey(signer);
  const sealed = concatBytes([cipher.update(privateKey), cipher.final(), cipher.getAuthTag()]);
  privateKey.fill(0);
  key.fill(0);
  return utf8(`${JSON.stringify(toJson({ ...header, sealed }), undefined, 2)}\n`);
}

/**
 * Opens a container.
 *
 * @param bytes - the container's text.
 * @param passphrase - what it was sealed with.
 * @throws PkiFault LIMIT above 32 KiB; KEY_FILE_MALFORMED when it is no container, or its costs are
 *   out of bounds; PASSPHRASE_WRONG; KEY_FILE_TAMPERED when the passphrase is right and anything in
 *   it was changed.
 */
export function decodeKeyContainer(bytes: Uint8Array, passphrase: string): SoftwareSigner {
  const container = parseContainer(bytes);
  if (passphrase.length > PASSPHRASE_MAX_CHARACTERS) throw wrongPassphrase();
  const { key, check } = deriveKey(passphrase, container.salt, container.cost);
  if (!timingSafeEqual(check, container.check)) throw wrongPassphrase();
  const privateKey = unseal(container, key);
  key.fill(0);
  const signer = signerFromPrivateKey(privateKey);
  privateKey.fill(0);
  return signer;
}

/**
 * Reads what a container says about its key, without opening it.
 *
 * @throws PkiFault LIMIT, KEY_FILE_MALFORMED as `decodeKeyContainer`.
 */
export function describeKeyContainer(bytes: Uint8Array): KeyDescription {
  const { algorithm, publicKeyDer } = parseContainer(bytes);
  return { algorithm, publicKeyDer };
}

/**
 * Checks a passphrase that is about to protect a key.
 *
 * @throws PkiFault PASSPHRASE_WEAK when it has fewer than 12 or more than 1024 characters.
 */
function checkNewPassphrase(passphrase: string): void {
  const { length } = passphrase;
  if (length < PASSPHRASE_MIN_CHARACTERS || length > PASSPHRASE_MAX_CHARACTERS) {
    throw new PkiFault(
      'PASSPHRASE_WEAK',
      `Cannot seal key: a passphrase has ${PASSPHRASE_MIN_CHARACTERS} to ` +
        `${PASSPHRASE_MAX_CHARACTERS} characters, this one has ${length}`,
    );
  }
}

function deriveKey(
  passphrase: string,
  salt: Uint8Array,
  cost: KeyDerivationCost,
): { readonly key: Uint8Array; readonly check: Uint8Array } {
  const derived = argon2Sync('argon2id', {
    // One passphrase has one form, whatever keyboard it was typed on.
    message: utf8(passphrase.normalize('NFC')),
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: KEY_LENGTH_BYTES * 2,
    memory: cost.memoryKib,
    passes: cost.passes,
  });
  const half = derived.subarray(KEY_LENGTH_BYTES);
  const check = createHmac('sha256', half).update(`${FORMAT} passphrase check`).digest();
  return { key: derived.subarray(0, KEY_LENGTH_BYTES), check };
}

function unseal(container: Container, key: Uint8Array): Uint8Array {
  const { nonce, sealed } = container;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH_BYTES });
  decipher.setAAD(bind(container));
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH_BYTES));
  const opened = decipher.update(sealed.subarray(0, -TAG_LENGTH_BYTES));
  try {
    return concatBytes([opened, decipher.final()]);
  } catch {
    opened.fill(0);
    throw tampered();
  }
}

/** What the seal authenticates beside the key: every other word of the container. */
function bind(header: Omit<Container, 'sealed'>): Uint8Array {
  return utf8(JSON.stringify(toJson({ ...header, sealed: new Uint8Array() })));
}

function toJson(container: Container): JsonObject {
  const { memoryKib, passes, lanes } = container.cost;
  return {
    format: FORMAT,
    version: VERSION,
    algorithm: container.algorithm,
    publicKey: base64(container.publicKeyDer),
    derivation: {
      name: 'argon2id',
      memoryKib,
      passes,
      lanes,
      salt: base64(container.salt),
      check: base64(container.check),
    },
    cipher: { name: 'aes-256-gcm', nonce: base64(container.nonce) },
    sealed: base64(container.sealed),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function parseContainer(bytes: Uint8Array): Container {
  const root = asObject(readJson(bytes), 'container');
  if (member(root, 'format') !== FORMAT || member(root, 'version') !== VERSION) {
    throw malformed('it is no key container of version 1');
  }
  const derivation = asObject(member(root, 'derivation'), 'derivation');
  const cipher = asObject(member(root, 'cipher'), 'cipher');
  if (member(derivation, 'name') !== 'argon2id' || member(cipher, 'name') !== 'aes-256-gcm') {
    throw malformed('an unknown derivation or cipher');
  }
  const cost = {
    memoryKib: asNumber(member(derivation, 'memoryKib')),
    passes: asNumber(member(derivation, 'passes')),
    lanes: asNumber(member(derivation, 'lanes')),
  };
  checkCost(cost);
  const sealed = asBytes(member(root, 'sealed'));
  if (sealed.length <= TAG_LENGTH_BYTES) throw malformed('its seal is too short');
  const algorithm = SIGNATURE_ALGORITHMS.find((name) => name === member(root, 'algorithm'));
  if (algorithm === undefined) throw malformed('an unknown algorithm');
  return {
    algorithm,
    publicKeyDer: asBytes(member(root, 'publicKey')),
    cost,
    salt: asBytes(member(derivation, 'salt'), SALT_LENGTH_BYTES),
    check: asBytes(member(derivation, 'check'), CHECK_LENGTH_BYTES),
    nonce: asBytes(member(cipher, 'nonce'), NONCE_LENGTH_BYTES),
    sealed,
  };
}

function readJson(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, KEY_FILE_LENGTH_MAX_BYTES);
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
    const isLong = bytes.length > KEY_FILE_LENGTH_MAX_BYTES;
    const code = isLong ? 'LIMIT' : 'KEY_FILE_MALFORMED';
    throw new PkiFault(code, 'Cannot read key container: it is no JSON text within the limits', {
      cause: error,
    });
  }
}

function checkCost(cost: KeyDerivationCost): void {
  const { memoryKib, passes, lanes } = cost;
  if (
    !within(memoryKib, ARGON2_MEMORY_MIN_KIB, ARGON2_MEMORY_MAX_KIB) ||
    !within(passes, ARGON2_PASSES_MIN, ARGON2_PASSES_MAX) ||
    !within(lanes, 1, ARGON2_LANES_MAX)
  ) {
    throw malformed('the cost of its key derivation is out of bounds');
  }
}

function within(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(`its ${what} is no object`);
  return value;
}

function asNumber(value: JsonValue | undefined): number {
  if (typeof value !== 'number') throw malformed('a cost that is no number');
  return value;
}

function asBytes(value: JsonValue | undefined, lengthBytes?: number): Uint8Array {
  if (typeof value !== 'string') throw malformed('bytes that are no text');
  const bytes = Buffer.from(value, 'base64');
  // Node's decoder skips what is no base64; the way back shows whether anything was skipped.
  if (bytes.toString('base64') !== value) throw malformed('bytes that are not in base64');
  if (lengthBytes !== undefined && bytes.length !== lengthBytes) {
    throw malformed(`${bytes.length} bytes where ${lengthBytes} belong`);
  }
  return new Uint8Array(bytes);
}

function malformed(why: string): PkiFault {
  return new PkiFault('KEY_FILE_MALFORMED', `Cannot read key container: ${why}`);
}

function wrongPassphrase(): PkiFault {
  return new PkiFault('PASSPHRASE_WRONG', 'Cannot open key container: the passphrase is wrong');
}

function tampered(): PkiFault {
  return new PkiFault('KEY_FILE_TAMPERED', 'Cannot open key container: it was changed');
}
