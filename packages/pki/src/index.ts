/** Keys, certificates, enrolment and revocation. */
export {
  type Authority,
  type AuthorityKind,
  type AuthorityRequest,
  chainBelowRoot,
  createRootAuthority,
  issueAuthority,
  openAuthority,
  type RootRequest,
} from './authority/authority.ts';
export {
  type DeviceRequest,
  issueDeviceCertificate,
  issueServerCertificate,
  type ServerRequest,
} from './authority/leaf.ts';
export {
  type BatchRequest,
  type CredentialFiles,
  type CredentialsRequest,
  type DeviceCredentials,
  encodeCredentialFiles,
  encodeCredentialPkcs12,
  makeCredentialsBatch,
  makeDeviceCredentials,
} from './credential/device-credentials.ts';
export { encodePkcs12, type Pkcs12Content } from './credential/pkcs12.ts';
export {
  encodeEnrolmentRequest,
  parseCaCerts,
  parseEnrolmentResponse,
} from './enrolment/client.ts';
export type { EstMessage, EstResponse } from './enrolment/message.ts';
export {
  answerCaCerts,
  type Enrolment,
  type EnrolmentContext,
  type EnrolmentRequest,
  parseEnrolmentRequest,
  refuseEnrolment,
  simpleEnrol,
  simpleReenrol,
} from './enrolment/server.ts';
export { type CrlEdition, encodeCrl } from './revocation/crl.ts';
export { answerOcsp, encodeOcspRefusal, type OcspContext } from './revocation/ocsp-response.ts';
export {
  advanceRevocationList,
  emptyRevocationList,
  isRevokedIn,
  REVOCATION_REASONS,
  type Revocation,
  type RevocationList,
  type RevocationReason,
} from './revocation/revocation-list.ts';
export { type DeviceId, parseDeviceId } from './device-id.ts';
export { PkiFault, type PkiFaultCode } from './fault.ts';
export {
  decodeKeyContainer,
  describeKeyContainer,
  encodeKeyContainer,
  KEY_DERIVATION_COST,
  type KeyDerivationCost,
  type KeyDescription,
  type SealOptions,
} from './keys/container.ts';
export { algorithmOfKey, isSignedBy, parsePublicKey, type PublicKey } from './keys/public-key.ts';
export {
  describeKeyFile,
  type KeyFileEntry,
  type KeyName,
  listKeyFiles,
  loadKeyFile,
  parseKeyName,
  saveKeyFile,
} from './keys/shell/key-file.ts';
export {
  generatePkcs11Signer,
  listPkcs11Keys,
  openPkcs11Signer,
  type Pkcs11Options,
  type Pkcs11Signer,
} from './keys/shell/pkcs11-signer.ts';
export type { TokenOptions } from './keys/shell/pkcs11-module.ts';
export {
  exportPrivateKey,
  generateSigner,
  signerFromPrivateKey,
  signerOnOtherThreads,
  type SoftwareSigner,
} from './keys/software.ts';
export {
  type Certificate,
  fingerprintOf,
  keyIdOf,
  parseCertificate,
  parseSerialNumber,
  type SerialNumber,
  type Validity,
} from './x509/certificate.ts';
export {
  type ChainContext,
  type ChainPurpose,
  checkChain,
  type VerifiedChain,
} from './x509/chain.ts';
export type { StatusLocations } from './x509/extension.ts';
export {
  type DistinguishedName,
  findCommonName,
  findOrganization,
  type NameParts,
} from './x509/name.ts';
export {
  encodeCertificatesPem,
  encodePem,
  parseCertificatesPem,
  parsePem,
  type PemLabel,
} from './x509/pem.ts';
export {
  type CertificateRequest,
  createCertificateRequest,
  parseCertificateRequest,
} from './x509/request.ts';
export {
  checkDevice,
  type DeviceContext,
  type IsRevoked,
  type VerifiedDevice,
} from './x509/verified.ts';
