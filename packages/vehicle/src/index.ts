/** The vehicle: a Primary, its Secondaries, and what both stand on. */
export { type EcuNode, type EcuNodeOptions, startEcuNode } from './assembly/ecu-node.ts';
export { type EcuStorage, type EcuStorageOptions, openEcuStorage } from './assembly/ecu-storage.ts';
export { type LoneCarrier, type LoneEcu, startLoneEcu } from './assembly/lone-ecu.ts';
export { programAtFactory } from './assembly/program-at-factory.ts';
export { createSafeGate, type SafeGateOptions } from './assembly/safe-gate.ts';
export { openTboxLinks, type TboxLinks, type TboxLinksOptions } from './assembly/tbox-links.ts';
export {
  type BusPlan,
  type EcuPlacement,
  encodeTopology,
  layoutOf,
  type ObdPlan,
  parseTopology,
  type PlacePlan,
  type StoragePlan,
  type VehicleTopology,
} from './assembly/topology.ts';
export {
  type EntityAddress,
  startVehicleNetwork,
  type VehicleNetwork,
  type VehicleNetworkOptions,
} from './assembly/vehicle-network.ts';
export { type BankOutcome, type BankRecord } from './boot/bank-record.ts';
export type { BankCondition, BankSlots } from './boot/bank-slots-setup.ts';
export { createImageSealer, type ImageSealer } from './boot/image-sealer.ts';
export {
  type BankSlotsOptions,
  openOneBankSlots,
  openTwoBankSlots,
  planBanks,
} from './boot/open-bank-slots.ts';
export { type LoadedRecord, openRecordLog, type RecordStore } from './boot/record-log.ts';
export type { SelfTest, Watchdog } from './boot/self-test.ts';
export {
  checkConditions,
  type Condition,
  describeUnmet,
  findUnmetConditions,
  parseConditions,
  type UnmetCondition,
} from './conditions/condition.ts';
export { ConditionFault, type ConditionFaultCode } from './conditions/condition-fault.ts';
export {
  assessEnergy,
  checkEnergy,
  type EnergyBudget,
  type EnergyLoad,
} from './conditions/energy-budget.ts';
export type { Immobiliser } from './conditions/immobiliser.ts';
export {
  PARK_GEAR,
  SIGNAL_CATALOGUE,
  type SignalCatalogue,
  type SignalDescription,
} from './conditions/signal-catalogue.ts';
export {
  ACTIVATE_CONDITIONS,
  DOWNLOAD_CONDITIONS,
  INSTALL_CONDITIONS,
  ONE_BANK_CONDITIONS,
  PARKED,
} from './conditions/standing-conditions.ts';
export type {
  MeasuredSignal,
  SignalReading,
  VehicleSignals,
} from './conditions/vehicle-signals.ts';
export { watchConditions, type WatchOptions } from './conditions/watch-conditions.ts';
export {
  CONSENT_ROLES,
  CONSENT_STEPS,
  type ConsentAuthority,
  type ConsentRole,
  type ConsentStep,
  DEFAULT_AUTHORITY,
  parseAuthority,
  parseConsentRole,
} from './consent/authority.ts';
export { type ConsentRules, DEFAULT_RULES } from './consent/check-answer.ts';
export { ConsentFault, type ConsentFaultCode } from './consent/consent-fault.ts';
export {
  type ConsentAnswer,
  type ConsentPolicy,
  type ConsentPort,
  type ConsentRequest,
  policyConsent,
} from './consent/consent-port.ts';
export { promptConsent, type PromptOptions } from './consent/prompt-consent.ts';
export { isStanding } from './consent/standing.ts';
export type {
  DiagnosticChannel,
  DiagnosticEndpoint,
  DiagnosticRequest,
} from './diagnostics/channel.ts';
export {
  certificateOf,
  createEcuAuthentication,
  type DiagnosticPeer,
  type EcuAuthenticationOptions,
  primaryRoleOf,
  proveToEcu,
  type TesterAuthenticationOptions,
} from './diagnostics/certificate-authentication.ts';
export { createSecondaryPorts, type SecondaryPortsOptions } from './diagnostics/secondary-ports.ts';
export {
  type RefusedRequest,
  type RunningUdsServer,
  serveUds,
  type ServeUdsOptions,
} from './diagnostics/serve-uds.ts';
export { createUdsApplication, type UdsApplication } from './diagnostics/uds-application.ts';
export {
  openUdsClient,
  type UdsClient,
  type UdsClientOptions,
  type UdsEnvironment,
} from './diagnostics/uds-client.ts';
export type {
  AuthenticationPort,
  DataPort,
  DtcPort,
  FilePort,
  KeyPort,
  MemoryPort,
  ResetPort,
  RoutinePort,
  TransferPort,
  UdsPorts,
} from './diagnostics/uds-ports.ts';
export {
  openUdsSecondaryLink,
  type UdsSecondaryLinkOptions,
} from './diagnostics/uds-secondary-link.ts';
export type { Fetcher, FetchRequest, FetchResponse } from './download/fetcher.ts';
export {
  createHttpsFetcher,
  type HttpsOptions,
  type TlsCredential,
} from './download/https-fetcher.ts';
export {
  type ByteRange,
  bytesOfSectors,
  type Flash,
  type FlashGeometry,
  type FlashTiming,
  type SectorRange,
} from './flash/flash.ts';
export { FlashFault, type FlashFaultCode } from './flash/flash-fault.ts';
export { type FlashFile, type FlashFileOptions, openFlashFile } from './flash/flash-file.ts';
export {
  type BankLayout,
  type FlashLayout,
  type LayoutRequest,
  planLayout,
} from './flash/layout.ts';
export { paceFlash } from './flash/paced-flash.ts';
export { FLASH_PARTS, type FlashPart } from './flash/parts.ts';
export {
  type FailingRegion,
  type FlashMirror,
  FlashPowerCut,
  type PowerFailure,
  SimulatedFlash,
  type SimulatedFlashOptions,
} from './flash/simulated-flash.ts';
export {
  createDiagnosticRouter,
  type DiagnosticPermission,
  type DiagnosticRouter,
  type DiagnosticRouterOptions,
} from './doip/diagnostic-router.ts';
export { discoverDoip, type DiscoverDoipOptions } from './doip/discover-doip.ts';
export {
  type ClientTls,
  connectDoip,
  type ConnectDoipOptions,
  type DoipChannelOptions,
  type DoipConnection,
} from './doip/doip-client.ts';
export { type DoipEntityServer, openDoipEntity } from './doip/doip-entity.ts';
export type { DoipTlsCredential, EntityTls } from './doip/doip-tls.ts';
export type {
  DoipActivation,
  DoipEntityEvent,
  DoipPeer,
  OpenDoipEntityOptions,
} from './doip/entity-options.ts';
export {
  createLocalTarget,
  type DiagnosticRoute,
  type DiagnosticTarget,
  type LocalTarget,
  type RoutedRequest,
} from './doip/target.ts';
export {
  createGateway,
  type Gateway,
  type GatewayCounts,
  type GatewayOptions,
  type GatewaySynchronisation,
} from './gateway/create-gateway.ts';
export { freshnessStoreOf } from './gateway/durable-memory.ts';
export type { EventLogOptions } from './gateway/event-log.ts';
export type { StoredEvent } from './gateway/event-segment.ts';
export { GatewayFault, type GatewayFaultCode } from './gateway/gateway-fault.ts';
export { type Refusal, REFUSAL_EVENT_IDS, type RefusalReason } from './gateway/refusal.ts';
export {
  type DiagnosticPair,
  type DiagnosticRule,
  type FrameRule,
  type GatewayRules,
  parseGatewayRules,
} from './gateway/rules.ts';
export {
  EVENTS_LOST_ID,
  GATEWAY_EVENT_FILTER,
  openSecurityEvents,
  type SecurityEvents,
  type SecurityEventsOptions,
} from './gateway/security-events.ts';
export type { ServiceRule } from './gateway/guarded-services.ts';
export { TesterRoles } from './gateway/tester-roles.ts';
export { type Hmi, type HmiOptions, type HmiPrimary, openHmi } from './hmi/hmi.ts';
export { HmiFault, type HmiFaultCode } from './hmi/hmi-fault.ts';
export { bundleName, fetchFromBundle, type MetadataBundle } from './link/metadata-bundle.ts';
export {
  createVehicleLinkCredentials,
  type LinkCredential,
  type LinkCredentialsRequest,
  loadLinkCredential,
  saveLinkCredential,
  type VehicleLinkCredentials,
} from './link/link-credentials.ts';
export { connectSecondary, type ConnectSecondaryOptions } from './link/tcp-client.ts';
export {
  type SecondaryServer,
  serveSecondary,
  type ServeSecondaryOptions,
} from './link/tcp-server.ts';
export type {
  ImageOffer,
  SecondaryInfo,
  SecondaryLink,
  SecondaryStatus,
} from './link/secondary-link.ts';
export { bridgeBuses, type BusBridgeOptions } from './network/bridge-buses.ts';
export { type CanHub, type CanHubOptions, createCanHub } from './network/can-hub.ts';
export {
  type CannelloniBus,
  type CannelloniOptions,
  openCannelloni,
} from './network/cannelloni-bus.ts';
export type { TunnelBus, TunnelStatistics } from './network/datagram-bus.ts';
export {
  type IsoTpEndpointOptions,
  type IsoTpOptions,
  type IsoTpTester,
  openIsoTpEndpoint,
  openIsoTpTester,
} from './network/isotp-diagnostics.ts';
export {
  openSocketCan,
  type SocketCanOptions,
  type SocketCanPackage,
} from './network/socket-can.ts';
export { openUdpMulticast, type UdpMulticastOptions } from './network/udp-multicast.ts';
export { drawFraction, type Surroundings, type Timer, wait } from './ports.ts';
export { type BundleConfiguration, loadBundle, type VehicleBundle } from './primary/bundle.ts';
export type { CheckInResult } from './primary/carry-out.ts';
export { type FactoryImage, keepFactoryImages } from './primary/image-archive.ts';
export { DEFAULT_POLICY, type PrimaryPolicy } from './primary/policy.ts';
export type { CyclePhase, ProgressEvent, ProgressListener } from './primary/progress.ts';
export { type Primary, type PrimaryOptions, runPrimary } from './primary/run-primary.ts';
export {
  runSecondary,
  type RunSecondaryOptions,
  SECONDARY_NODE_FLAGS,
} from './secondary/run-secondary.ts';
export {
  loadSecondaryBundle,
  saveSecondaryBundle,
  type SecondaryBundle,
} from './secondary/secondary-bundle.ts';
export { openSecondary, type SecondaryEcu } from './secondary/secondary-ecu.ts';
export type {
  SecondaryFactory,
  SecondaryListener,
  SecondaryOptions,
  SecondaryProgress,
} from './secondary/secondary-options.ts';
export type { BootHealth } from './slots/boot-health.ts';
export type { BootOutcome, SlotName } from './slots/boot-record.ts';
export {
  type FolderSlotsOptions,
  type HealthCheck,
  openFolderSlots,
} from './slots/folder-slots.ts';
export type { ImageSlots, SlotImage, SlotWriter } from './slots/image-slots.ts';
export { type DeltaInstallation, installDelta } from './slots/install-delta.ts';
export { type ImageInstallation, installImage } from './slots/install-image.ts';
export type { ResumableSlots, ResumableWriter, SlotCondition } from './slots/resumable-slots.ts';
export type { SlotFile, SlotFiles } from './slots/slot-files.ts';
export {
  type EcuKeyOptions,
  type EcuKeys,
  loadEcuKeys,
  signEncryptionKey,
} from './state/ecu-keys.ts';
export type { JournalEntry } from './state/journal-table.ts';
export type { QueuedMessage } from './state/queue-table.ts';
export type { StateValue } from './state/value-table.ts';
export { openState, type StateOptions, VehicleState } from './state/vehicle-state.ts';
export { systemSurroundings } from './system-clock.ts';
export {
  type ApprovalContext,
  signApproval,
  type TechnicianApproval,
  type TechnicianCredential,
  type VerifiedApproval,
  verifyApproval,
} from './technician/approval.ts';
export {
  type FolderDesk,
  handInApproval,
  openFolderDesk,
  readTechnicianAnswer,
  readTechnicianRequest,
  type TechnicianAnswer,
  type TechnicianDesk,
  type TechnicianRequest,
} from './technician/desk.ts';
export type { TechnicianGate, TechnicianVerdict } from './technician/gate.ts';
export {
  findStops,
  type PlannedImage,
  type TechnicianStep,
  type TechnicianStop,
  workSha256Of,
} from './technician/stop.ts';
export {
  ALWAYS_GO,
  type ConditionsGate,
  type GateScope,
  type GateStep,
  type GateVerdict,
} from './transaction/conditions.ts';
export { NO_LAYOUT, type VehicleLayout } from './transaction/layout.ts';
export type {
  Participant,
  ParticipantMaker,
  Standing,
  TransactionJournal,
} from './transaction/participant.ts';
export type {
  EcuStep,
  ParticipantKind,
  TransactionEcu,
  TransactionPhase,
  TransactionRecord,
} from './transaction/record.ts';
export type { EcuResult, ResultCode } from './transaction/results.ts';
export {
  advanceTransaction,
  type TransactionOutcome,
  type TransactionPorts,
} from './transaction/vehicle-transaction.ts';
export { VehicleFault, type VehicleFaultCode } from './vehicle-fault.ts';
