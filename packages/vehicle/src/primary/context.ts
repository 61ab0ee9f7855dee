/** What the parts of a Primary share while it runs. */
import type { VehicleSignals } from '../conditions/vehicle-signals.ts';
import type { Network } from '../download/request.ts';
import type { SecondaryLink } from '../link/secondary-link.ts';
import type { Surroundings } from '../ports.ts';
import type { TechnicianDesk } from '../technician/desk.ts';
import type { ConditionsGate } from '../transaction/conditions.ts';
import type { VehicleLayout } from '../transaction/layout.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import type { EcuKeys } from '../state/ecu-keys.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import type { VehicleBundle } from './bundle.ts';
import type { PrimaryPolicy } from './policy.ts';
import type { ProgressListener } from './progress.ts';

/** See the head of the file. */
export interface PrimaryContext {
  readonly bundle: VehicleBundle;
  readonly policy: PrimaryPolicy;
  readonly state: VehicleState;
  /** Of the Primary as an ECU. */
  readonly keys: EcuKeys;
  readonly slots: ResumableSlots;
  readonly links: readonly SecondaryLink[];
  readonly surroundings: Surroundings;
  /** The connection to the gateway; another one after a certificate was renewed. */
  readonly network: () => Network;
  /** Whether the vehicle is in a condition for a step. */
  readonly gate: ConditionsGate;
  /** What campaigns may ask about. */
  readonly signals: VehicleSignals;
  /** Whether this cycle reads a folder, and no network. */
  readonly isOffline: boolean;
  /** Where technicians are met. */
  readonly technicians: TechnicianDesk;
  /** How the ECUs are connected. */
  readonly layout: VehicleLayout;
  /** Where downloads lie. */
  readonly downloadFolder: string;
  readonly findFreeBytes: ((folder: string) => Promise<number>) | undefined;
  readonly onProgress: ProgressListener;
}
