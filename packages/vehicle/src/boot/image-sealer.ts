/**
 * The seal that makes an image bootable: a signature of the ECU's own key over what it has verified. The
 * boot loader holds the public half and checks it at every start (ADR 81).
 */
import { concatBytes, type SignatureAlgorithm, type Signer, utf8 } from '@immota/base';
import { isSignedBy, parsePublicKey } from '@immota/pki';

/** Seals statements, and knows its seal again. */
export interface ImageSealer {
  /** No seal is longer. */
  readonly sealMaxBytes: number;
  /** Called when an image is whole and its metadata were verified, and at no other time. */
  seal(statement: Uint8Array): Promise<Uint8Array>;
  isSealed(statement: Uint8Array, seal: Uint8Array): boolean;
}

/** Nothing else that an ECU signs begins like this: metadata and reports begin with a brace. */
const PURPOSE = utf8('IMMOTA-SEAL 1\n');

const SIGNATURE_MAX_BYTES: Readonly<Record<SignatureAlgorithm, number>> = {
  ed25519: 64,
  'ecdsa-p256': 72,
  'rsa-pss': 512,
  'ml-dsa-65': 3309,
};

/**
 * Makes the sealer of one ECU.
 *
 * @param signer - whose key the ECU uses for nothing else.
 * @throws PkiFault when its public key is none.
 */
export function createImageSealer(signer: Signer): ImageSealer {
  const publicKey = parsePublicKey(signer.publicKeyDer);
  return {
    sealMaxBytes: SIGNATURE_MAX_BYTES[publicKey.algorithm],
    seal: async (statement) => signer.sign(concatBytes([PURPOSE, statement])),
    isSealed: (statement, seal) => isSignedBy(publicKey, concatBytes([PURPOSE, statement]), seal),
  };
}
