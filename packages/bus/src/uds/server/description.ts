/** What an ECU offers to testers: tables, against which the server holds each request. */
import type { UdsSession } from '../service-id.ts';
import type { MemoryRegion } from './operation.ts';

/** Who may. */
export interface AccessRule {
  readonly sessions: readonly UdsSession[];
  /** Security levels that open it; with `roles`, either will do. Undefined for a door without lock. */
  readonly levels?: readonly number[] | undefined;
  /** Roles of authenticated testers that open it. */
  readonly roles?: readonly string[] | undefined;
  /** Only within secured data transmission. */
  readonly isSecuredOnly?: boolean | undefined;
}

/** A service, and which of its sub-functions. */
export interface ServiceRule extends AccessRule {
  /** For a service that has them; each may be closed in more sessions than the service. */
  readonly subFunctions?: ReadonlyMap<number, AccessRule> | undefined;
}

/** A data record. */
export interface DataRule {
  readonly read?: AccessRule | undefined;
  readonly write?:
    | (AccessRule & { readonly lengthMinBytes: number; readonly lengthMaxBytes: number })
    | undefined;
}

/** A routine. */
export interface RoutineRule extends AccessRule {
  readonly controls: readonly ('start' | 'stop' | 'results')[];
  readonly optionMinBytes: number;
  readonly optionMaxBytes: number;
  /**
   * What it means to the programming of memory: the server itself binds these to blocks, and the ECU
   * gets `eraseBlock` and `checkBlock` instead of `routine`.
   */
  readonly purpose?: 'erase' | 'check' | 'dependencies' | undefined;
}

/** Memory that can be programmed. */
export interface MemoryBlock extends MemoryRegion {
  /** Formats of data that are taken: compression and encryption. */
  readonly dataFormats: readonly number[];
}

/** How security levels defend themselves. */
export interface KeyPolicy {
  readonly attemptsMax: number;
  readonly delayMs: number;
  readonly bootDelayMs: number;
}

/** The code over secured messages; the key is the port's. */
export interface SecuredPort {
  /** The number of its algorithm in messages. */
  readonly calculation: number;
  readonly signatureBytes: number;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
  sign(bytes: Uint8Array): Uint8Array;
}

/** All of it. Sessions belong to one tester; what needs one is not served in the default session. */
export interface UdsDescription {
  readonly services: ReadonlyMap<number, ServiceRule>;
  readonly data: ReadonlyMap<number, DataRule>;
  readonly routines: ReadonlyMap<number, RoutineRule>;
  readonly blocks: ReadonlyMap<number, MemoryBlock>;
  /** The longest request with a block that the ECU takes, head included. */
  readonly blockMaxBytes: number;
  readonly keyPolicy?: KeyPolicy | undefined;
  readonly secured?: SecuredPort | undefined;
  /** Seconds that a rapid shut-down takes, 0 to 254. */
  readonly powerDownSeconds?: number | undefined;
}
