import { Fault } from '@immota/base';

/** Why a key, a certificate or a request about them was refused. */
export type PkiFaultCode =
  /** Not DER, or not the structure that was expected: parser differentials, crafted input. */
  | 'DER_MALFORMED'
  /** Not a PEM block with the label that was expected. */
  | 'PEM_MALFORMED'
  /** More bytes, certificates or entries than the reader allows: exhaustion. */
  | 'LIMIT'
  /** An algorithm, curve or key size that the house does not accept: downgrade. */
  | 'ALGORITHM'
  /** DER, but breaks a rule of RFC 5280: a repeated extension, a bad serial, a version below 3. */
  | 'CERTIFICATE_MALFORMED'
  /** Holds a critical extension that is not understood here. */
  | 'CERTIFICATE_UNSUPPORTED'
  /** No way from the certificate to any of the given anchors: an impostor's certificate. */
  | 'CHAIN_UNTRUSTED'
  /** The issuer's key did not make this signature: forgery. */
  | 'CHAIN_SIGNATURE'
  /** A certificate of the chain is not valid yet. */
  | 'CHAIN_NOT_YET_VALID'
  /** A certificate of the chain is no longer valid. */
  | 'CHAIN_EXPIRED'
  /** The issuer is no certification authority: a leaf that plays one. */
  | 'CHAIN_NOT_AUTHORITY'
  /** More authorities below one than its path length allows. */
  | 'CHAIN_PATH_LENGTH'
  /** Key usage or extended key usage does not allow this use: a device that plays a server. */
  | 'CHAIN_PURPOSE'
  /** A name that an authority above is not allowed to vouch for. */
  | 'CHAIN_NAME'
  /** The certificate, or an authority above it, has been revoked. */
  | 'REVOKED'
  /** Not a legal device identifier. */
  | 'DEVICE_ID'
  /** The authority may not issue this: wrong kind, wrong key, or outside its own validity or names. */
  | 'ISSUE_REFUSED'
  /** The request's own signature does not fit its key: somebody else's public key. */
  | 'CSR_POSSESSION'
  /** The request names another subject than the one who is asking: identity theft. */
  | 'CSR_SUBJECT'
  /** Not a private key, or not a public key, that can be read. */
  | 'KEY_MALFORMED'
  /** Not a key container of a known version, or its parameters are out of bounds. */
  | 'KEY_FILE_MALFORMED'
  /** The passphrase opens the container, but its content was changed. */
  | 'KEY_FILE_TAMPERED'
  /** No key file of this name. */
  | 'KEY_FILE_MISSING'
  /** A key file of this name is there already; keys are never overwritten. */
  | 'KEY_FILE_EXISTS'
  /** Others than its owner may read or write the key file. */
  | 'KEY_FILE_PERMISSIONS'
  /** Not a legal name for a key file. */
  | 'KEY_NAME'
  /** The passphrase does not open the container. */
  | 'PASSPHRASE_WRONG'
  /** A new passphrase is too short. */
  | 'PASSPHRASE_WEAK'
  /** The PKCS#11 addon is not built on this machine. */
  | 'PKCS11_UNAVAILABLE'
  /** The PKCS#11 module cannot be loaded. */
  | 'PKCS11_MODULE'
  /** No token with this label in any slot, or two. */
  | 'PKCS11_TOKEN'
  /** The token refused the PIN. */
  | 'PKCS11_PIN_WRONG'
  /** The token has locked the PIN after too many attempts. */
  | 'PKCS11_PIN_LOCKED'
  /** The token holds no signing key with this label. */
  | 'PKCS11_KEY_MISSING'
  /** The token holds several keys with this label, so that none is meant for certain. */
  | 'PKCS11_KEY_AMBIGUOUS'
  /** The token does not offer the mechanism. */
  | 'PKCS11_MECHANISM'
  /** The token failed in another way; `cause` has its return value. */
  | 'PKCS11_FAILED'
  /** An enrolment body that is not what RFC 7030 asks for. */
  | 'EST_MALFORMED'
  /** An enrolment body of another media type. */
  | 'EST_MEDIA_TYPE'
  /** The caller may not enrol this device. */
  | 'EST_FORBIDDEN'
  /** A revocation that contradicts the one that is there already. */
  | 'REVOCATION_CONFLICT'
  /** An OCSP request that is not understood. */
  | 'OCSP_MALFORMED';

/** Thrown by every refusal of this package. */
export class PkiFault extends Fault<PkiFaultCode> {
  override readonly name = 'PkiFault';
}
