/** Private keys for tests: real ones, of every kind, the same ones in every run where the kind allows it. */
import {
  constants,
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { SignatureAlgorithm, Signer } from '@immota/base';

/** PKCS#8 heads; 32 bytes of seed follow. */
const SEEDED_HEADS = {
  ed25519: '302e020100300506032b657004220420',
  'ml-dsa-65': '3034020100300b060960864801650304031204228020',
} as const;

const rsaKeys = new Map<string, KeyObject>();

/**
 * Makes a key pair and signs with it.
 *
 * @param name - the same name gives the same key.
 * @param algorithm - its kind.
 * @param rsaBits - the modulus, for `rsa-pss`.
 */
export function signerOf(
  name: string,
  algorithm: SignatureAlgorithm = 'ed25519',
  rsaBits = 2048,
): Signer {
  return signerFrom(algorithm, privateKeyOf(name, algorithm, rsaBits));
}

/** Signs with a given private key, as its algorithm's port demands. */
export function signerFrom(algorithm: SignatureAlgorithm, key: KeyObject): Signer {
  const publicKeyDer = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    algorithm,
    publicKeyDer: new Uint8Array(publicKeyDer),
    // oxlint-disable-next-line require-await -- the port is asynchronous, this key is not
    sign: async (message) => new Uint8Array(signNow(algorithm, key, message)),
  };
}

function signNow(algorithm: SignatureAlgorithm, key: KeyObject, message: Uint8Array): Uint8Array {
  switch (algorithm) {
    case 'ed25519':
    case 'ml-dsa-65':
      return sign(null, message, key);
    case 'ecdsa-p256':
      return sign('sha256', message, key);
    case 'rsa-pss':
      return sign('sha256', message, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      });
  }
}

function privateKeyOf(name: string, algorithm: SignatureAlgorithm, rsaBits: number): KeyObject {
  const seed = createHash('sha256').update(`${algorithm} ${name}`).digest();
  switch (algorithm) {
    case 'ed25519':
    case 'ml-dsa-65': {
      const key = Buffer.concat([Buffer.from(SEEDED_HEADS[algorithm], 'hex'), seed]);
      return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    }
    case 'ecdsa-p256': {
      const ecdh = createECDH('prime256v1');
      ecdh.setPrivateKey(seed);
      const point = ecdh.getPublicKey();
      const key = {
        kty: 'EC',
        crv: 'P-256',
        d: seed.toString('base64url'),
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
      };
      return createPrivateKey({ key, format: 'jwk' });
    }
    case 'rsa-pss': {
      const id = `${rsaBits} ${name}`;
      const key =
        rsaKeys.get(id) ?? generateKeyPairSync('rsa', { modulusLength: rsaBits }).privateKey;
      rsaKeys.set(id, key);
      return key;
    }
  }
}
