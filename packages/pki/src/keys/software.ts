/** Signers whose private key is in this process's memory. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  type SignKeyObjectInput,
} from 'node:crypto';

import { type SignatureAlgorithm, type Signer, unreachable } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { PRIVATE_KEY_LENGTH_MAX_BYTES } from '../limits.ts';
import { algorithmOfKey, RSA_PSS_SALT_LENGTH_BYTES } from './public-key.ts';

/** RSA keys made here: 128 bits of strength (NIST SP 800-57). */
const RSA_MODULUS_LENGTH_BITS = 3072;

/** A signer that can give its private key away: to an encrypted file, or into a PKCS#12. */
export interface SoftwareSigner extends Signer {
  /** The private half, opaque: it prints nothing and leaves only by `exportPrivateKey`. */
  readonly privateKey: KeyObject;
}

/**
 * Makes a new key pair.
 *
 * @param algorithm - what it is for; RSA gets 3072 bits.
 */
export function generateSigner(algorithm: SignatureAlgorithm): SoftwareSigner {
  return signerFromPrivateKey(generatePrivateKey(algorithm));
}

/**
 * Makes a signer of a private key.
 *
 * @param privateKey - a key object, or PKCS#8 in DER.
 * @throws PkiFault LIMIT above 16 KiB; KEY_MALFORMED when it is no private key; ALGORITHM when it is
 *   of a kind, curve or size that the house does not accept.
 */
export function signerFromPrivateKey(privateKey: KeyObject | Uint8Array): SoftwareSigner {
  const key = privateKey instanceof Uint8Array ? readPrivateKey(privateKey) : privateKey;
  if (key.type !== 'private') {
    throw new PkiFault('KEY_MALFORMED', `Cannot sign: a ${key.type} key is no private one`);
  }
  const algorithm = algorithmOfKey(key);
  const publicKeyDer = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const digest = digestOf(algorithm);
  const parameters = parametersOf(algorithm, key);
  return {
    algorithm,
    publicKeyDer: new Uint8Array(publicKeyDer),
    privateKey: key,
    // Async although the key is here: behind this port it may as well be in a token.
    sign: async (message) => new Uint8Array(sign(digest, message, parameters)),
  };
}

/**
 * Makes a signer with the same key that signs on other threads: for servers that sign for whole fleets
 * and have other work meanwhile. One signature takes a little longer, thousands at once take less.
 */
export function signerOnOtherThreads({
  algorithm,
  publicKeyDer,
  privateKey,
}: SoftwareSigner): Signer {
  const digest = digestOf(algorithm);
  const parameters = parametersOf(algorithm, privateKey);
  return {
    algorithm,
    publicKeyDer,
    sign: (message) => {
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      sign(digest, message, parameters, (error, signature) => {
        if (error === null) resolve(new Uint8Array(signature));
        else reject(error);
      });
      return promise;
    },
  };
}

/**
 * Gives a private key away as PKCS#8. The bytes are the secret: encrypt them or wipe them.
 *
 * @param signer - a software signer.
 * @returns unencrypted PKCS#8, DER.
 */
export function exportPrivateKey(signer: SoftwareSigner): Uint8Array<ArrayBuffer> {
  return new Uint8Array(signer.privateKey.export({ format: 'der', type: 'pkcs8' }));
}

function generatePrivateKey(algorithm: SignatureAlgorithm): KeyObject {
  switch (algorithm) {
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'rsa-pss':
      return generateKeyPairSync('rsa', { modulusLength: RSA_MODULUS_LENGTH_BITS }).privateKey;
    case 'ml-dsa-65':
      return generateKeyPairSync('ml-dsa-65').privateKey;
    default:
      return unreachable(algorithm);
  }
}

/** The hash function that Node is to use; the others hash by themselves. */
function digestOf(algorithm: SignatureAlgorithm): 'sha256' | undefined {
  return algorithm === 'ecdsa-p256' || algorithm === 'rsa-pss' ? 'sha256' : undefined;
}

function parametersOf(algorithm: SignatureAlgorithm, key: KeyObject): SignKeyObjectInput {
  if (algorithm !== 'rsa-pss') return { key };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALT_LENGTH_BYTES };
}

function readPrivateKey(der: Uint8Array): KeyObject {
  if (der.length > PRIVATE_KEY_LENGTH_MAX_BYTES) {
    throw new PkiFault('LIMIT', `Cannot read private key: ${der.length} bytes are too many`);
  }
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch {
    // No cause: the error beneath could quote what it was given.
    throw new PkiFault('KEY_MALFORMED', 'Cannot read private key: it is no PKCS#8');
  }
}
