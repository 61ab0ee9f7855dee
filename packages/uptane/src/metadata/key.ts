/** Public keys of roles and ECUs, and the one place where a signature is verified. */
import {
  createHash,
  constants,
  createPublicKey,
  ECDH,
  type KeyObject,
  verify as verifySignature,
} from 'node:crypto';
import { type SignatureAlgorithm, unreachable, utf8 } from '@immota/base';
import type { KeyId } from './names.ts';

/** A public key as metadata or an inventory lists it. */
export interface PublicKey {
  /** Undefined when the key is of a kind, or holds bytes, that nothing here can verify with. */
  readonly algorithm: SignatureAlgorithm | undefined;
  /** SHA-256 over algorithm and value: equal for equal keys, however they are named or spelled. */
  readonly identity: string;
  /** True when `signature` is this key's over `message`; never throws on malformed bytes. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
  /** SubjectPublicKeyInfo in DER, or undefined when the key is unusable. */
  exportDer(): Uint8Array | undefined;
}

/** One signature over the canonical bytes of a payload. Nothing about it is checked yet. */
export interface Signature {
  readonly keyId: KeyId;
  readonly bytes: Uint8Array;
  /** How it was made, as it says itself; undefined where the dialect does not say. Never trusted. */
  readonly method: string | undefined;
}

/** RFC 8410: the fixed head of an Ed25519 SubjectPublicKeyInfo; the 32 raw bytes follow. */
const ED25519_SPKI_HEAD = Uint8Array.fromHex('302a300506032b6570032100');
const RSA_MODULUS_BITS: ReadonlySet<number | undefined> = new Set([2048, 3072, 4096]);

/**
 * Makes a key from SubjectPublicKeyInfo bytes.
 *
 * A key that does not parse, or is not of the stated algorithm, still becomes a key: one that
 * verifies nothing. So an odd key in Root harms only the role that relies on it.
 *
 * @param algorithm - what the metadata says it is; undefined when it is of an unknown kind.
 * @param der - SubjectPublicKeyInfo.
 */
export function publicKeyFromDer(
  algorithm: SignatureAlgorithm | undefined,
  der: Uint8Array,
): PublicKey {
  return makeKey(algorithm, () => der);
}

/** Makes a key that is looked at only when it is needed: of ten thousand listed, few ever are. */
function makeKey(algorithm: SignatureAlgorithm | undefined, derOf: () => Uint8Array): PublicKey {
  let loaded: KeyObject | undefined;
  let tried = false;
  let identity: string | undefined;
  const load = (): KeyObject | undefined => {
    if (!tried && algorithm !== undefined) loaded = loadKey(algorithm, derOf());
    tried = true;
    return loaded;
  };
  return {
    algorithm,
    get identity(): string {
      const key = load();
      identity ??= createHash('sha256')
        .update(`${algorithm ?? 'unknown'}:`)
        .update(key === undefined ? derOf() : valueOf(key))
        .digest('hex');
      return identity;
    },
    verify: (message, signature) => {
      const key = load();
      return (
        key !== undefined && algorithm !== undefined && verifies(key, algorithm, message, signature)
      );
    },
    exportDer: () => (load() === undefined ? undefined : derOf()),
  };
}

/**
 * Makes an Ed25519 key from its 32 raw bytes.
 *
 * @param raw - any other length gives a key that verifies nothing.
 */
export function publicKeyFromEd25519(raw: Uint8Array): PublicKey {
  const der = new Uint8Array(ED25519_SPKI_HEAD.length + raw.length);
  der.set(ED25519_SPKI_HEAD);
  der.set(raw, ED25519_SPKI_HEAD.length);
  return publicKeyFromDer('ed25519', der);
}

/** Takes the 32 raw bytes out of an Ed25519 SubjectPublicKeyInfo. */
export function ed25519Raw(der: Uint8Array): Uint8Array {
  return der.subarray(ED25519_SPKI_HEAD.length);
}

/**
 * Makes a key from the PEM text of a SubjectPublicKeyInfo; any other text gives a key that verifies
 * nothing.
 */
export function publicKeyFromPem(
  algorithm: SignatureAlgorithm | undefined,
  pem: string,
): PublicKey {
  return makeKey(algorithm, () => derOfPem(pem));
}

function derOfPem(pem: string): Uint8Array {
  try {
    // The engine would take the public half out of a private key or a certificate as well.
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return utf8(pem);
    return createPublicKey(pem).export({ type: 'spki', format: 'der' });
  } catch {
    return utf8(pem);
  }
}

/**
 * The bare value of a key, out of its SubjectPublicKeyInfo. One RSA key may stand there under two
 * algorithm names, and one point of a curve compressed or not: each would count as a key of its own.
 */
function valueOf(key: KeyObject): Uint8Array {
  const der = key.export({ type: 'spki', format: 'der' });
  const value = der.subarray(endOfAlgorithm(der));
  if (key.asymmetricKeyType !== 'ec') return value;
  const point = value.subarray(headLength(value) + 1);
  return ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'uncompressed');
}

/** SEQUENCE { algorithm SEQUENCE, value BIT STRING }: where the value starts. */
function endOfAlgorithm(der: Uint8Array): number {
  const algorithm = der.subarray(headLength(der));
  return headLength(der) + headLength(algorithm) + (algorithm[1] ?? 0);
}

/** The bytes of a tag and its length; the engine wrote them, so they are in DER. */
function headLength(der: Uint8Array): number {
  const length = der[1] ?? 0;
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

function loadKey(algorithm: SignatureAlgorithm, der: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(der), type: 'spki', format: 'der' });
    return isOf(key, algorithm) ? key : undefined;
  } catch {
    return undefined;
  }
}

function isOf(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const details = key.asymmetricKeyDetails;
  if (algorithm === 'ecdsa-p256') return details?.namedCurve === 'prime256v1';
  if (algorithm === 'rsa-pss') {
    const type = key.asymmetricKeyType;
    return (type === 'rsa' || type === 'rsa-pss') && RSA_MODULUS_BITS.has(details?.modulusLength);
  }
  return key.asymmetricKeyType === algorithm;
}

function verifies(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    switch (algorithm) {
      case 'ed25519':
      case 'ml-dsa-65':
        return verifySignature(null, message, key, signature);
      case 'ecdsa-p256':
        return verifySignature('sha256', message, key, signature);
      case 'rsa-pss':
        // RFC 8017 8.1.2: as long as the modulus. The engine takes one without its leading zeros too.
        if (signature.length * 8 !== key.asymmetricKeyDetails?.modulusLength) return false;
        return verifySignature(
          'sha256',
          message,
          // Any salt length verifies: signers of the wire dialect differ in it.
          {
            key,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: constants.RSA_PSS_SALTLEN_AUTO,
          },
          signature,
        );
      default:
        return unreachable(algorithm);
    }
  } catch {
    return false;
  }
}
