/** The Uptane trust core: metadata in, trust or a refusal out. No I/O, no clock, no chance. */
export { AKTUALIZR } from './encoding/aktualizr.ts';
export { type CanonicalForm, compareCodePoints, encodeCanonical } from './encoding/canonical.ts';
export { decodeRoot, decodeSnapshot, decodeTimestamp } from './encoding/decode-metadata.ts';
export { decodeTargets } from './encoding/decode-targets.ts';
export type { Dialect } from './encoding/dialect.ts';
export {
  type DelegationDescription,
  type FileDescription,
  type HeadDescription,
  keyIdOf,
  type ListedKey,
  type RoleDescription,
  type RootDescription,
  rootPayload,
  snapshotPayload,
  type TargetDescription,
  type TargetsDescription,
  targetsPayload,
  timestampPayload,
} from './encoding/encode-metadata.ts';
export {
  decodeEnvelope,
  encodeEnvelope,
  type Envelope,
  type MadeSignature,
} from './encoding/envelope.ts';
export { decodePublic, encodePublic } from './encoding/keys.ts';
export { TUF } from './encoding/tuf.ts';
export { delegationCovers, globMatches, type TargetQuery } from './delegation/match.ts';
export { findTarget, type FoundTarget } from './delegation/find-target.ts';
export { UptaneFault, type UptaneFaultCode } from './fault.ts';
export * as limits from './limits.ts';
export {
  checkCounter,
  checkSignedBy,
  decodeManifest,
  decodeReport,
  type ManifestDescription,
  signManifest,
  type UnverifiedManifest,
  type VehicleKeys,
  type VerifiedManifest,
  verifyManifest,
} from './manifest/manifest.ts';
export {
  type EcuVersionReport,
  ecuKeyId,
  type InstalledImage,
  signReport,
  type UnverifiedReport,
} from './manifest/report.ts';
export {
  checkMeasurement,
  HASH_FUNCTIONS,
  type HashFunction,
  type Hashes,
  hashesAgree,
  type Measurement,
  parseDigest,
} from './metadata/hashes.ts';
export {
  type PublicKey,
  publicKeyFromDer,
  publicKeyFromEd25519,
  publicKeyFromPem,
  type Signature,
} from './metadata/key.ts';
export {
  type EcuIdentifier,
  type HardwareIdentifier,
  type InstallableName,
  type KeyId,
  parseDelegatedRoleName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseInstallableName,
  parseKeyId,
  parseTargetName,
  parseVehicleIdentifier,
  type RoleName,
  TARGETS_ROLE,
  type TargetName,
  type VehicleIdentifier,
} from './metadata/names.ts';
export { type RepositoryName, TOP_LEVEL_ROLES, type TopLevelRole } from './metadata/repository.ts';
export type {
  DelegatedRole,
  Delegation,
  Delegations,
  EcuAssignment,
  EncryptedForm,
  Metadata,
  RoleKeys,
  Root,
  Signed,
  Snapshot,
  TargetFile,
  TargetFiles,
  Targets,
  Timestamp,
  WrappedKey,
} from './metadata/roles.ts';
export { type MetadataVersion, parseMetadataVersion } from './metadata/version.ts';
export { addSignature, makeSignature, payloadBytes, signMetadata } from './sign/sign-metadata.ts';
export {
  attestTime,
  parseNonces,
  TIME_ATTESTATION_MAX_BYTES,
  TIME_NONCES_MAX,
  type TimeContext,
  verifyTime,
} from './time/attestation.ts';
export {
  advanceRoot,
  advanceSnapshot,
  advanceTargets,
  advanceTimestamp,
  anchorRoot,
  checkFresh,
  keysOf,
} from './verify/advance.ts';
export {
  type AssignedTarget,
  checkAssignment,
  checkImage,
  compareWithImage,
  type EcuState,
  type VerifiedAssignment,
} from './verify/assignment.ts';
export { assignedTargets, checkDirectorTargets, checkVehicle } from './verify/director-targets.ts';
export {
  type Delegator,
  type RepositoryOptions,
  RepositorySession,
} from './verify/repository-session.ts';
export { checkThreshold } from './verify/threshold.ts';
export type { RepositoryTrust, Trusted } from './verify/trusted.ts';
export { type FullVerification, type VerifiedUpdate, verifyFully } from './verify/verify-fully.ts';
export { type PartialVerification, verifyPartially } from './verify/verify-partially.ts';
export {
  encodeFileName,
  type MetadataFile,
  metadataFileName,
  runWorkflow,
  type StepPerformer,
  type StoredRole,
  type Workflow,
  type WorkflowStep,
} from './verify/workflow.ts';
