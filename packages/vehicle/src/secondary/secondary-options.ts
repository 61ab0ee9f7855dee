/** What a Secondary is made of. */
import type { EncryptionProfile } from '@immota/image';
import type { EcuIdentifier, HardwareIdentifier, VehicleIdentifier } from '@immota/uptane';
import type { SelfTest } from '../boot/self-test.ts';
import type { Surroundings } from '../ports.ts';
import type { HealthCheck } from '../slots/folder-slots.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import type { Rxswin } from '../state/rxswins.ts';

/** What the factory puts into a Secondary {uptane H1} {uptane H2} {uptane H3}. */
export interface SecondaryFactory {
  readonly vehicleIdentifier: VehicleIdentifier;
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** `full` checks both repositories; `partial` the Director's Root and Targets alone. */
  readonly verification: 'full' | 'partial';
  /** Which keys the ECU makes at its first start. */
  readonly profile: EncryptionProfile;
  /** The earliest time it can be {uptane G3}. */
  readonly builtAt: Temporal.Instant;
  readonly directorRoot: Uint8Array;
  /** Needed for full verification. */
  readonly imageRoot: Uint8Array | undefined;
}

/** How to open a Secondary. */
export interface SecondaryOptions {
  readonly factory: SecondaryFactory;
  /** Of this ECU alone: its state, its keys and its slots lie below. */
  readonly folder: string;
  readonly surroundings: Surroundings;
  /** Asked when a new image is tried; see `openFolderSlots`. */
  readonly healthCheck?: HealthCheck | undefined;
  /** Asked instead, where the ECU can tell its trouble codes too. */
  readonly selfTest?: SelfTest | undefined;
  /** The approved software that the ECU is part of from the factory on (UN R156). */
  readonly factoryRxswins?: readonly Rxswin[] | undefined;
  /** Other slots than those of the folder: flash, or a simulation's. */
  readonly slots?: ResumableSlots | undefined;
  /** Called before each durable write to the state: a simulation stops the power here. */
  readonly onWrite?: (() => void) | undefined;
  readonly onProgress?: SecondaryListener | undefined;
}

/** What a Secondary does, for whoever watches. */
export type SecondaryProgress =
  | { readonly kind: 'time-attested'; readonly time: Temporal.Instant }
  | { readonly kind: 'metadata-verified'; readonly assigned: string | undefined }
  | {
      readonly kind: 'receiving';
      readonly name: string;
      readonly receivedBytes: number;
      readonly lengthBytes: number;
    }
  | { readonly kind: 'prepared'; readonly name: string }
  | {
      readonly kind: 'booted';
      readonly name: string | undefined;
      readonly outcome: string | undefined;
    }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Hears of it. */
export type SecondaryListener = (progress: SecondaryProgress) => void;
