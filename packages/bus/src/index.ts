/** The protocols of the vehicle's own networks, without a socket: bytes and times in, bytes out. */
export { type BitCount, countBits } from './can/bit-count.ts';
export { type CanBitRate, canBitRate, frameTimeMs } from './can/bit-rate.ts';
export type { CanBus, CanListener } from './can/can-bus.ts';
export { CanFault, type CanFaultCode } from './can/can-fault.ts';
export { formatCandumpLine } from './can/candump.ts';
export { type CannelloniDatagram, decodeCannelloni, encodeCannelloni } from './can/cannelloni.ts';
export { CanSegment, type CanSegmentInput, type CanSegmentOutput } from './can/can-segment.ts';
export { canFrame, type CanFrame, type CanFrameParts } from './can/frame.ts';
export {
  decodePythonCan,
  encodePythonCan,
  PYTHON_CAN_GROUP,
  PYTHON_CAN_GROUP_IPV6,
  PYTHON_CAN_PORT,
} from './can/python-can.ts';
export {
  EventFilter,
  type EventFilterOptions,
  type EventFilterRule,
  type SensedEvent,
} from './idsm/event-filter.ts';
export { IdsmFault, type IdsmFaultCode } from './idsm/idsm-fault.ts';
export {
  attachSignature,
  decodeSecurityEvent,
  encodeSecurityEvent,
  type ReceivedSecurityEvent,
  type SecurityEvent,
  type SecurityEventTime,
} from './idsm/security-event.ts';
export {
  extendedAddress,
  type FixedAddressParts,
  type IsoTpAddress,
  type IsoTpTarget,
  mirrorAddress,
  mixedAddress,
  mixedFixedAddress,
  normalAddress,
  type NormalAddressParts,
  normalFixedAddress,
} from './isotp/address.ts';
export { IsoTpFault, type IsoTpFaultCode } from './isotp/isotp-fault.ts';
export { type IsoTpInput, IsoTpLink } from './isotp/link.ts';
export type { IsoTpOutput } from './isotp/output.ts';
export {
  type IsoTpParameters,
  isoTpParameters,
  type IsoTpSettings,
  type IsoTpTimes,
} from './isotp/parameters.ts';
export { type FlowStatus, type Pdu, readPdu } from './isotp/pdu.ts';
export { decodeSeparationTime, encodeSeparationTime } from './isotp/separation-time.ts';
export {
  DoipClient,
  type DoipClientInput,
  type DoipClientOptions,
  type DoipClientOutput,
} from './doip/client.ts';
export {
  DOIP_ACTIVATION,
  DOIP_ACTIVATION_TYPES,
  DOIP_NACK,
  type DoipNackCode,
} from './doip/codes.ts';
export {
  type DiscoveredDoipEntity,
  DoipDiscovery,
  type DoipDiscoveryRequest,
  encodeDoipDiscovery,
} from './doip/discovery.ts';
export { DoipFault, type DoipFaultCode } from './doip/doip-fault.ts';
export { DoipEntity } from './doip/entity.ts';
export type {
  DoipActivationRule,
  DoipActivationVerdict,
  DoipCloseReason,
  DoipEntityInput,
  DoipEntityOptions,
  DoipEntityOutput,
} from './doip/entity-port.ts';
export {
  type DoipDatagram,
  DoipIdentification,
  type DoipIdentificationOptions,
} from './doip/identification.ts';
export type { DoipIdentity } from './doip/message.ts';
export { type AesKey, computeCmac, importAesKey } from './secoc/cmac.ts';
export { CounterReceiver, CounterSender } from './secoc/counter-freshness.ts';
export {
  type Freshness,
  type FreshnessStore,
  NO_FRESHNESS,
  type ReceivingFreshness,
  type SendingFreshness,
} from './secoc/freshness.ts';
export { SECOC_PROFILE_NAMES, type SecocProfileName } from './secoc/profile.ts';
export { SecocFault, type SecocFaultCode } from './secoc/secoc-fault.ts';
export {
  SecocReceiver,
  type SecocReceiverOptions,
  SecocSender,
  type SecocSenderOptions,
  type SecocStream,
} from './secoc/secured-pdu.ts';
export type { SheFlag, SheMemory, SheSlot } from './secoc/she-memory.ts';
export {
  acceptSheUpdate,
  checkSheConfirmation,
  makeSheUpdate,
  type SheConfirmation,
  type SheOrder,
  type SheUpdate,
} from './secoc/she-update.ts';
export { TokenBucket, type TokenBucketOptions } from './secoc/token-bucket.ts';
export { TripReceiver, TripSender } from './secoc/trip-freshness.ts';
export {
  TripMaster,
  type TripMasterOptions,
  TripSlave,
  type TripSynchronisation,
  type TripSynchronisationOptions,
} from './secoc/trip-synchronisation.ts';
export type { TripClock, TripState } from './secoc/trip-value.ts';
export { encodeOwnershipToken, type OwnershipToken } from './uds/authentication-token.ts';
export { makeCall, type UdsCall, type UdsRequest } from './uds/call.ts';
export { gainRights, type UdsCredential } from './uds/client/authentication-procedure.ts';
export {
  type ActivationPlan,
  awaitReturn,
  type PlannedBlock,
  programEcu,
  type ProgrammingPlan,
} from './uds/client/programming-procedure.ts';
export {
  ask,
  type ProgrammingPhase,
  tellGroup,
  type UdsProcedure,
  type UdsProgress,
  type UdsStep,
} from './uds/client/step.ts';
export {
  downloadMemory,
  readFile,
  sendFile,
  type TransferSource,
} from './uds/client/transfer-procedure.ts';
export {
  DEFAULT_PATIENCE,
  type UdsPatience,
  UdsRequester,
  type UdsRequesterOutput,
} from './uds/client/uds-requester.ts';
export { MessageReader, uintBytes } from './uds/message-reader.ts';
export { nameResponseCode, RESPONSE_CODES, type ResponseCodeName } from './uds/response-code.ts';
export type {
  AccessRule,
  DataRule,
  KeyPolicy,
  MemoryBlock,
  RoutineRule,
  SecuredPort,
  ServiceRule,
  UdsDescription,
} from './uds/server/description.ts';
export type {
  MemoryRegion,
  SessionCause,
  UdsContext,
  UdsOperation,
  UdsOutcome,
  UdsResult,
} from './uds/server/operation.ts';
export { refusalOf } from './uds/server/reaction.ts';
export {
  UdsServer,
  type UdsServerOutput,
  type UdsServerRequest,
  type UdsServerStart,
} from './uds/server/uds-server.ts';
export { SERVICES, type UdsSession } from './uds/service-id.ts';
export {
  type SessionTiming,
  startSession,
  startSessionSilently,
} from './uds/service/0x10-diagnostic-session-control.ts';
export { resetEcu, type UdsReset } from './uds/service/0x11-ecu-reset.ts';
export { ALL_DTC_GROUPS, clearDtcs } from './uds/service/0x14-clear-diagnostic-information.ts';
export {
  countDtcs,
  type DtcQuery,
  type DtcRecord,
  encodeDtcCount,
  encodeDtcList,
  listDtcs,
  listSupportedDtcs,
  readDtcExtendedData,
} from './uds/service/0x19-read-dtc-information.ts';
export {
  DATA_IDENTIFIERS,
  encodeDataRecord,
  readData,
  readSeveralData,
} from './uds/service/0x22-read-data-by-identifier.ts';
export { requestSeed, sendKey } from './uds/service/0x27-security-access.ts';
export {
  type CommunicationControl,
  controlCommunication,
} from './uds/service/0x28-communication-control.ts';
export {
  type CertificateRequest,
  deAuthenticate,
  type OwnershipProof,
  proveOwnership,
  readAuthenticationConfiguration,
  type ServerChallenge,
  verifyCertificate,
} from './uds/service/0x29-authentication.ts';
export { writeData } from './uds/service/0x2e-write-data-by-identifier.ts';
export {
  controlRoutine,
  type RoutineControl,
  ROUTINES,
} from './uds/service/0x31-routine-control.ts';
export { type DownloadRequest, requestDownload } from './uds/service/0x34-request-download.ts';
export { transferData } from './uds/service/0x36-transfer-data.ts';
export { exitTransfer } from './uds/service/0x37-request-transfer-exit.ts';
export {
  type FileAnswer,
  type FileMode,
  type FileRequest,
  requestFileTransfer,
} from './uds/service/0x38-request-file-transfer.ts';
export { testerPresent } from './uds/service/0x3e-tester-present.ts';
export {
  makeSecured,
  readSecured,
  SECURED_FLAGS,
  type SecuredMessage,
} from './uds/service/0x84-secured-data-transmission.ts';
export { controlDtcSetting } from './uds/service/0x85-control-dtc-setting.ts';
export { UdsFault, type UdsFaultCode } from './uds/uds-fault.ts';
