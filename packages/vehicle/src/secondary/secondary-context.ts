/** What the parts of a Secondary share while it runs. */
import type { Surroundings } from '../ports.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import type { Rxswin } from '../state/rxswins.ts';
import type { EcuKeys } from '../state/ecu-keys.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import type { SecondaryFactory, SecondaryListener } from './secondary-options.ts';

/** See the head of the file. */
export interface SecondaryContext {
  readonly factory: SecondaryFactory;
  readonly state: VehicleState;
  readonly keys: EcuKeys;
  readonly slots: ResumableSlots;
  readonly surroundings: Surroundings;
  /** Those that the ECU left the factory with; undefined when it has none. */
  readonly factoryRxswins: readonly Rxswin[] | undefined;
  readonly onProgress: SecondaryListener;
}
