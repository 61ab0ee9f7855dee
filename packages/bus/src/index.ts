/** The protocols of the vehicle's own networks, without a socket: bytes and times in, bytes out. */
export type { CanBus, CanListener } from './can/can-bus.ts';
export { CanFault, type CanFaultCode } from './can/can-fault.ts';
export { canFrame, type CanFrame, type CanFrameParts } from './can/frame.ts';
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
