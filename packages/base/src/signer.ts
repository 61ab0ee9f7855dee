/** The signature algorithms of the house: what metadata, manifests and reports are signed with. */
export const SIGNATURE_ALGORITHMS = ['ed25519', 'ecdsa-p256', 'rsa-pss', 'ml-dsa-65'] as const;

/**
 * One way to sign.
 *
 * `ed25519`: RFC 8032, 64 raw bytes. `ecdsa-p256`: SHA-256, the signature in ASN.1 DER.
 * `rsa-pss`: SHA-256, MGF1-SHA-256, salt of 32 bytes, modulus of 2048, 3072 or 4096 bits.
 * `ml-dsa-65`: FIPS 204, pure, empty context, 3309 bytes.
 */
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/**
 * A private key that signs, wherever it lives: a file, a PKCS#11 token, an ECU. The port behind
 * which `pki` keeps its keys; nobody above it sees private bytes.
 */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** The public half as SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
  /**
   * Signs a message; hashing is part of it.
   *
   * @param message - the exact bytes that a verifier will hold.
   * @returns the signature in the form that `algorithm` names.
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
}
