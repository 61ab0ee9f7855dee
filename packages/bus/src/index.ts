/** The protocols of the vehicle's own networks, without a socket: bytes and times in, bytes out. */
export { type BitCount, countBits } from './can/bit-count.ts';
export { type CanBitRate, canBitRate, frameTimeMs } from './can/bit-rate.ts';
export type { CanBus, CanListener } from './can/can-bus.ts';
export { CanFault, type CanFaultCode } from './can/can-fault.ts';
export { CanSegment, type CanSegmentInput, type CanSegmentOutput } from './can/can-segment.ts';
export { canFrame, type CanFrame, type CanFrameParts } from './can/frame.ts';
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
