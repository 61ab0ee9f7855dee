/** The vehicle: a Primary, its Secondaries, and what both stand on. */
export { bundleName, fetchFromBundle, type MetadataBundle } from './link/metadata-bundle.ts';
export type {
  ImageOffer,
  SecondaryInfo,
  SecondaryLink,
  SecondaryStatus,
} from './link/secondary-link.ts';
export { drawFraction, type Surroundings, type Timer, wait } from './ports.ts';
export type { ImageSlots, SlotImage, SlotWriter } from './slots/image-slots.ts';
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
export { VehicleFault, type VehicleFaultCode } from './vehicle-fault.ts';
