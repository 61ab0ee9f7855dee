/** Keys inside a token: finding them, making them, and knowing their public halves. */
import { type SignatureAlgorithm, unreachable } from '@immota/base';
import type * as pkcs11js from 'pkcs11js';

import {
  type Der,
  writeBits,
  writeNull,
  writeOid,
  writeSequence,
  writeUnsigned,
} from '../../der/write.ts';
import { readDer } from '../../der/read.ts';
import { TAG } from '../../der/tag.ts';
import { PkiFault } from '../../fault.ts';
import { PKCS11_KEYS_MAX } from '../../limits.ts';
import { OID } from '../../oid.ts';
import { parsePublicKey } from '../public-key.ts';
import type { TokenSession } from './pkcs11-module.ts';

/** The algorithms that tokens have mechanisms for. */
export type TokenAlgorithm = Exclude<SignatureAlgorithm, 'ml-dsa-65'>;

/** A key pair in a token. */
export interface TokenKey {
  readonly privateKey: pkcs11js.Handle;
  readonly algorithm: TokenAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
}

// PKCS#11 3.0 names that version 2 of the addon does not know yet.
const CKK_EC_EDWARDS = 0x40;
const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
const CKM_EDDSA = 0x1057;

/** Modulus of RSA keys made in a token. */
const RSA_MODULUS_LENGTH_BITS = 3072;
/** 65537. */
const RSA_PUBLIC_EXPONENT = Buffer.from([1, 0, 1]);

/**
 * Finds the one key pair with a label.
 *
 * @param token - a session.
 * @param keyLabel - the label of both halves.
 * @throws PkiFault PKCS11_KEY_MISSING when either half is; PKCS11_KEY_AMBIGUOUS when there are
 *   several; ALGORITHM when it is of a kind the house does not accept.
 */
export function findTokenKey(token: TokenSession, keyLabel: string): TokenKey {
  const { addon } = token;
  const privateKey = findOne(token, addon.CKO_PRIVATE_KEY, keyLabel);
  const publicKey = findOne(token, addon.CKO_PUBLIC_KEY, keyLabel);
  const publicKeyDer = readPublicKey(token, publicKey);
  const { algorithm } = parsePublicKey(publicKeyDer);
  if (algorithm === 'ml-dsa-65') throw unsupported(algorithm);
  return { privateKey, algorithm, publicKeyDer };
}

/**
 * Lists the labels of the private keys in a token, in order.
 *
 * @throws PkiFault LIMIT above 1000 keys.
 */
export function listTokenKeys(token: TokenSession): readonly string[] {
  const { addon, module, session } = token;
  const handles = find(token, [{ type: addon.CKA_CLASS, value: addon.CKO_PRIVATE_KEY }]);
  const labels = handles.map((handle) => {
    const [label] = module.C_GetAttributeValue(session, handle, [{ type: addon.CKA_LABEL }]);
    return toBuffer(label?.value).toString('utf8');
  });
  return labels.toSorted();
}

/**
 * Makes a key pair inside a token, which never leaves it.
 *
 * @param token - a session.
 * @param algorithm - what it is for.
 * @param label - a label no key has yet, and an identifier that binds the two halves.
 * @throws PkiFault PKCS11_KEY_AMBIGUOUS when the label is taken; PKCS11_MECHANISM when the token
 *   cannot make such keys.
 */
export function generateTokenKey(
  token: TokenSession,
  algorithm: SignatureAlgorithm,
  label: { readonly keyLabel: string; readonly keyId: Uint8Array },
): void {
  const { addon, module, session, slot } = token;
  const { mechanism, parameters } = generationOf(addon, algorithm);
  // Asked first: some modules say something else than CKR_MECHANISM_INVALID.
  if (!module.C_GetMechanismList(slot).includes(mechanism)) throw unsupported(algorithm);
  const name = [
    { type: addon.CKA_LABEL, value: Buffer.from(label.keyLabel, 'utf8') },
    { type: addon.CKA_ID, value: Buffer.from(label.keyId) },
    { type: addon.CKA_TOKEN, value: true },
  ];
  const taken = find(token, [
    { type: addon.CKA_LABEL, value: Buffer.from(label.keyLabel, 'utf8') },
  ]);
  if (taken.length > 0) {
    throw new PkiFault('PKCS11_KEY_AMBIGUOUS', `Cannot make key: ${label.keyLabel} is taken`);
  }
  module.C_GenerateKeyPair(
    session,
    { mechanism },
    [...name, ...parameters, { type: addon.CKA_VERIFY, value: true }],
    [
      ...name,
      { type: addon.CKA_PRIVATE, value: true },
      { type: addon.CKA_SENSITIVE, value: true },
      { type: addon.CKA_EXTRACTABLE, value: false },
      { type: addon.CKA_SIGN, value: true },
    ],
  );
}

/**
 * Tells how a token signs for an algorithm, which it must offer.
 *
 * @throws PkiFault PKCS11_MECHANISM.
 */
export function signingMechanism(
  token: TokenSession,
  algorithm: TokenAlgorithm,
): pkcs11js.Mechanism {
  const { addon, module, slot } = token;
  const mechanism = mechanismOf(addon, algorithm);
  if (!module.C_GetMechanismList(slot).includes(mechanism.mechanism)) throw unsupported(algorithm);
  return mechanism;
}

function mechanismOf(addon: TokenSession['addon'], algorithm: TokenAlgorithm): pkcs11js.Mechanism {
  if (algorithm === 'ed25519') return { mechanism: CKM_EDDSA };
  if (algorithm === 'ecdsa-p256') return { mechanism: addon.CKM_ECDSA };
  const parameter = {
    type: addon.CK_PARAMS_RSA_PSS,
    hashAlg: addon.CKM_SHA256,
    mgf: addon.CKG_MGF1_SHA256,
    saltLen: 32,
  };
  return { mechanism: addon.CKM_RSA_PKCS_PSS, parameter };
}

function generationOf(
  addon: TokenSession['addon'],
  algorithm: SignatureAlgorithm,
): { readonly mechanism: number; readonly parameters: pkcs11js.Template } {
  switch (algorithm) {
    case 'ecdsa-p256':
      return {
        mechanism: addon.CKM_EC_KEY_PAIR_GEN,
        parameters: [{ type: addon.CKA_EC_PARAMS, value: Buffer.from(writeOid(OID.p256)) }],
      };
    case 'ed25519':
      return {
        mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN,
        parameters: [{ type: addon.CKA_EC_PARAMS, value: Buffer.from(writeOid(OID.ed25519)) }],
      };
    case 'rsa-pss':
      return {
        mechanism: addon.CKM_RSA_PKCS_KEY_PAIR_GEN,
        parameters: [
          { type: addon.CKA_MODULUS_BITS, value: RSA_MODULUS_LENGTH_BITS },
          { type: addon.CKA_PUBLIC_EXPONENT, value: RSA_PUBLIC_EXPONENT },
        ],
      };
    case 'ml-dsa-65':
      // PKCS#11 has it from 3.2 on; no module in reach does.
      throw unsupported(algorithm);
    default:
      return unreachable(algorithm);
  }
}

function readPublicKey(token: TokenSession, handle: pkcs11js.Handle): Der {
  const { addon, module, session } = token;
  const read = (...types: readonly number[]): readonly Buffer[] =>
    module
      .C_GetAttributeValue(
        session,
        handle,
        types.map((type) => ({ type })),
      )
      .map(({ value }) => toBuffer(value));
  const [kind = Buffer.alloc(0)] = read(addon.CKA_KEY_TYPE);
  const keyType = kind.length >= 4 ? kind.readUInt32LE(0) : -1;
  if (keyType === addon.CKK_RSA) {
    const [modulus, exponent] = read(addon.CKA_MODULUS, addon.CKA_PUBLIC_EXPONENT);
    if (modulus === undefined || exponent === undefined) throw unsupported('this RSA key');
    const key = writeSequence(writeUnsigned(modulus), writeUnsigned(exponent));
    return writeSequence(writeSequence(writeOid(OID.rsaEncryption), writeNull()), writeBits(key));
  }
  if (keyType !== addon.CKK_EC && keyType !== CKK_EC_EDWARDS) throw unsupported('this key type');
  const [parameters, wrapped] = read(addon.CKA_EC_PARAMS, addon.CKA_EC_POINT);
  if (parameters === undefined || wrapped === undefined) throw unsupported('this EC key');
  const point = writeBits(readDer(wrapped, TAG.octetString, 'point').content);
  if (keyType === CKK_EC_EDWARDS) return writeSequence(writeSequence(writeOid(OID.ed25519)), point);
  return writeSequence(writeSequence(writeOid(OID.ecPublicKey), parameters), point);
}

function findOne(token: TokenSession, keyClass: number, keyLabel: string): pkcs11js.Handle {
  const { addon } = token;
  const half = keyClass === addon.CKO_PRIVATE_KEY ? 'private key' : 'public key';
  const found = find(token, [
    { type: addon.CKA_CLASS, value: keyClass },
    { type: addon.CKA_LABEL, value: Buffer.from(keyLabel, 'utf8') },
  ]);
  const [handle] = found;
  if (handle === undefined) {
    throw new PkiFault('PKCS11_KEY_MISSING', `Cannot use token: no ${half} labelled ${keyLabel}`);
  }
  if (found.length > 1) {
    throw new PkiFault('PKCS11_KEY_AMBIGUOUS', `Cannot use token: several ${half}s ${keyLabel}`);
  }
  return handle;
}

function find(token: TokenSession, template: pkcs11js.Template): readonly pkcs11js.Handle[] {
  const { module, session } = token;
  module.C_FindObjectsInit(session, template);
  try {
    const handles = module.C_FindObjects(session, PKCS11_KEYS_MAX + 1);
    if (handles.length > PKCS11_KEYS_MAX) {
      throw new PkiFault('LIMIT', `Cannot use token: more than ${PKCS11_KEYS_MAX} keys`);
    }
    return handles;
  } finally {
    module.C_FindObjectsFinal(session);
  }
}

function toBuffer(value: pkcs11js.Attribute['value']): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function unsupported(what: string): PkiFault {
  return new PkiFault('PKCS11_MECHANISM', `Cannot use token: it does not offer ${what}`);
}
