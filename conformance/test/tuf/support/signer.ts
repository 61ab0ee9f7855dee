/** Keys of the simulated repository, in the forms of the TUF specification; made apart from our own encoders. */
import { createHash, constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Json } from './canonical.ts';
import { canonicalBytes } from './canonical.ts';

export type KeyKind = 'ecdsa' | 'ed25519' | 'rsa';

/** A key of the repository: what metadata lists, and the signatures it makes. */
export interface TestSigner {
  readonly keyId: string;
  readonly key: { [name: string]: Json };
  sign(payload: Uint8Array): string;
}

const SCHEMES: Readonly<Record<KeyKind, string>> = {
  ecdsa: 'ecdsa-sha2-nistp256',
  ed25519: 'ed25519',
  rsa: 'rsassa-pss-sha256',
};

/** Makes a key; `extra` fields become part of the key object and of its identifier. */
export function makeSigner(
  kind: KeyKind = 'ecdsa',
  extra: { [name: string]: Json } = {},
): TestSigner {
  const { publicKey, privateKey } = generate(kind);
  const key = {
    keytype: kind,
    scheme: SCHEMES[kind],
    keyval: { public: spell(kind, publicKey) },
    ...extra,
  };
  return {
    keyId: keyIdOf(key),
    key,
    sign: (payload) => signatureOf(kind, privateKey, payload).toString('hex'),
  };
}

/** The SHA-256 of the canonical key object. */
export function keyIdOf(key: Json): string {
  return createHash('sha256').update(canonicalBytes(key)).digest('hex');
}

function generate(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  if (kind === 'ecdsa') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function spell(kind: KeyKind, publicKey: KeyObject): string {
  if (kind !== 'ed25519') return publicKey.export({ type: 'spki', format: 'pem' });
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');
}

function signatureOf(kind: KeyKind, key: KeyObject, payload: Uint8Array): Buffer {
  if (kind === 'ed25519') return sign(null, payload, key);
  if (kind === 'ecdsa') return sign('sha256', payload, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign('sha256', payload, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}
