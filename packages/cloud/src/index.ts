/** The cloud: repositories, Director, inventory, campaigns and the gateways to vehicles and operators. */
export { type Authorities, type ServerNames } from './authorities.ts';
export {
  type Cloud,
  type CloudOptions,
  initialiseCloud,
  type InitialiseOptions,
  openCloud,
  type OpenedKeys,
} from './cloud.ts';
export type { CloudContext } from './context.ts';
export { type Director } from './director/director.ts';
export {
  type EcuInventory,
  type InstalledState,
  NO_OBSERVER,
  NO_PLANS,
  type Observation,
  type Offer,
  type Planner,
  PLANS_CHANNEL,
  type ReportObserver,
  type UpdatePlan,
  type VehicleInventory,
} from './director/ports.ts';
export { type EventSink, FLEET_STREAM, type NewEvent } from './event-log/event-sink.ts';
export { signCheckpoint, verifyCheckpoints, verifyStream } from './event-log/verify-stream.ts';
export { EvidenceFault, type EvidenceFaultCode } from './evidence/evidence-fault.ts';
export {
  type EvidenceReport,
  type EvidenceTrust,
  verifyEvidence,
} from './evidence/verify-evidence.ts';
export { CloudFault, type CloudFaultCode } from './fault.ts';
export {
  revokeCertificate,
  revokeUnrecorded,
  type RevocationRequest,
  revokeVehicle,
  setQuarantine,
} from './inventory/access.ts';
export {
  approveReplacement,
  listReplacements,
  rejectReplacement,
  type ReplacementDecision,
} from './inventory/replacement.ts';
export { BOOTSTRAP_PREFIX, issueCredentials } from './inventory/credentials.ts';
export { saveVehicle, type VehicleDescription } from './inventory/vehicle.ts';
export { MIGRATIONS } from './schema/migrations.ts';
export type { CloudSchema } from './schema/tables.ts';
export { type CampaignRoom, type RunningCloud, type ServeOptions, startCloud } from './serve.ts';
export { draftTargets, initialiseRepositories, type TargetsChange } from './trust/initialise.ts';
export {
  CLOUD_ROLES,
  type CloudRole,
  createKeystore,
  describeRole,
  generateKeys,
  type Keystore,
  loadKeystore,
  OFFLINE_ROLES,
  saveKeystore,
  type SigningProfile,
} from './trust/keystore.ts';
export { expiryOf, LIFETIMES, type Lifetimes } from './trust/lifetimes.ts';
export { type OfferedFile, publishMetadata, type TrustContext } from './trust/publish.ts';
export { createCampaignRoom } from './campaign/campaign-room.ts';
export { inviteFirst } from './access/local-accounts.ts';
export { createToken, revokeToken } from './operator/tokens.ts';
export type { OidcSettings } from './access/oidc.ts';
export { createTenant, listTenants } from './access/tenants.ts';
export { type Platform, type PlatformOptions, startPlatform } from './platform.ts';
export { type PublishedTree, publishTree } from './image-repository/publish-tree.ts';
export { describeUploaded } from './image-repository/upload.ts';
export { exportOfflineUpdate, type OfflineUpdate } from './offline-update.ts';
