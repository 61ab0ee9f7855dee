/** Signers whose private key never leaves its PKCS#11 token. */
import { createHash } from 'node:crypto';

import { type Entropy, type SignatureAlgorithm, type Signer, utf8 } from '@immota/base';

import { writeSequence, writeUnsigned } from '../../der/write.ts';
import { PkiFault } from '../../fault.ts';
import { isSignedBy, parsePublicKey } from '../public-key.ts';
import {
  findTokenKey,
  generateTokenKey,
  listTokenKeys,
  signingMechanism,
  type TokenKey,
} from './pkcs11-key.ts';
import {
  openTokenSession,
  type TokenOptions,
  type TokenSession,
  translatePkcs11,
} from './pkcs11-module.ts';

/** Octets of the largest signature a token makes here: RSA-4096. */
const SIGNATURE_LENGTH_MAX_BYTES = 512;
/** Octets that bind the two halves of a key pair (CKA_ID). */
const KEY_ID_LENGTH_BYTES = 16;

/** Which key of which token. */
export interface Pkcs11Options extends TokenOptions {
  readonly keyLabel: string;
}

/** A signer that holds a session with its token until it is closed. */
export interface Pkcs11Signer extends Signer, AsyncDisposable {
  /** Waits for signatures under way and ends the session. */
  close(): Promise<void>;
}

/**
 * Opens a key in a token: ECDSA P-256, RSA-PSS, or Ed25519 where the module has CKM_EDDSA.
 *
 * @param options - module, token, PIN and label.
 * @returns a signer; signatures asked for at the same time are made one after the other.
 * @throws PkiFault PKCS11_UNAVAILABLE when the addon is not built; PKCS11_MODULE; PKCS11_TOKEN;
 *   PKCS11_PIN_WRONG; PKCS11_PIN_LOCKED; PKCS11_KEY_MISSING; PKCS11_KEY_AMBIGUOUS;
 *   PKCS11_MECHANISM; ALGORITHM for a key the house does not accept; PKCS11_FAILED, also when the
 *   two halves with this label are not a pair.
 */
export async function openPkcs11Signer(options: Pkcs11Options): Promise<Pkcs11Signer> {
  const token = await openTokenSession(options);
  try {
    const key = findTokenKey(token, options.keyLabel);
    const signer = makeSigner(token, key);
    await checkPair(signer);
    return signer;
  } catch (error) {
    token.close();
    throw translatePkcs11(error);
  }
}

/**
 * Makes a key pair inside a token and opens it.
 *
 * @param options - module, token, PIN and a label that no key has yet.
 * @param algorithm - `ecdsa-p256`, `rsa-pss` (3072 bits) or `ed25519`.
 * @param entropy - for the identifier that binds the two halves; the key is of the token's own.
 * @throws PkiFault as `openPkcs11Signer`; PKCS11_KEY_AMBIGUOUS when the label is taken.
 */
export async function generatePkcs11Signer(
  options: Pkcs11Options,
  algorithm: SignatureAlgorithm,
  entropy: Entropy,
): Promise<Pkcs11Signer> {
  const { keyLabel } = options;
  await withToken(options, (token) => {
    generateTokenKey(token, algorithm, { keyLabel, keyId: entropy.bytes(KEY_ID_LENGTH_BYTES) });
  });
  return await openPkcs11Signer(options);
}

/**
 * Lists the labels of the private keys in a token.
 *
 * @throws PkiFault as `openPkcs11Signer`; LIMIT above 1000 keys.
 */
export async function listPkcs11Keys(options: TokenOptions): Promise<readonly string[]> {
  return await withToken(options, listTokenKeys);
}

async function withToken<T>(options: TokenOptions, act: (token: TokenSession) => T): Promise<T> {
  const token = await openTokenSession(options);
  try {
    return act(token);
  } catch (error) {
    throw translatePkcs11(error);
  } finally {
    token.close();
  }
}

function makeSigner(token: TokenSession, key: TokenKey): Pkcs11Signer {
  const { algorithm, publicKeyDer, privateKey } = key;
  const { module, session } = token;
  const mechanism = signingMechanism(token, algorithm);
  // A session makes one signature at a time, so each waits for the one before, whatever became of it.
  let last: Promise<unknown> = Promise.resolve();
  let isOpen = true;
  const signOne = async (input: Buffer): Promise<Uint8Array> => {
    try {
      module.C_SignInit(session, mechanism, privateKey);
      const output = Buffer.alloc(SIGNATURE_LENGTH_MAX_BYTES);
      return encodeSignature(algorithm, await module.C_SignAsync(session, input, output));
    } catch (error) {
      throw translatePkcs11(error);
    }
  };
  const close = async (): Promise<void> => {
    isOpen = false;
    await last;
    token.close();
  };
  return {
    algorithm,
    publicKeyDer,
    sign: async (message) => {
      if (!isOpen) throw new PkiFault('PKCS11_FAILED', 'Cannot sign: the signer is closed');
      const input =
        algorithm === 'ed25519'
          ? Buffer.from(message)
          : createHash('sha256').update(message).digest();
      const signature = last.then(async () => await signOne(input));
      last = signature.catch(() => undefined);
      return await signature;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** PKCS#11 gives ECDSA signatures as two halves of equal length; the port asks for DER. */
function encodeSignature(algorithm: SignatureAlgorithm, signature: Buffer): Uint8Array {
  if (algorithm !== 'ecdsa-p256') return new Uint8Array(signature);
  const half = signature.length / 2;
  return writeSequence(
    writeUnsigned(signature.subarray(0, half)),
    writeUnsigned(signature.subarray(half)),
  );
}

/** Labels are only text: two halves that do not fit would sign what nobody can verify. */
async function checkPair(signer: Signer): Promise<void> {
  const message = utf8('immota: is this a pair?');
  const signature = await signer.sign(message);
  if (!isSignedBy(parsePublicKey(signer.publicKeyDer), message, signature)) {
    throw new PkiFault('PKCS11_FAILED', 'Cannot use token: the two halves are not a pair');
  }
}
