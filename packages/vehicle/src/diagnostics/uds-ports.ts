/**
 * What an ECU puts behind its diagnostic server: small parts, each of which it has or has not. Every
 * method may refuse by throwing `refusalOf(code)`.
 */
import type {
  AccessRule,
  CertificateRequest,
  CommunicationControl,
  DownloadRequest,
  DtcRecord,
  FileRequest,
  KeyPolicy,
  MemoryBlock,
  MemoryRegion,
  OwnershipProof,
  RoutineControl,
  SecuredPort,
  ServerChallenge,
  SessionCause,
  UdsContext,
  UdsReset,
  UdsSession,
} from '@immota/bus';

/** One data record. */
export interface DataPort {
  readonly read?:
    | {
        readonly access: AccessRule;
        readonly perform: (context: UdsContext) => Promise<Uint8Array>;
      }
    | undefined;
  readonly write?:
    | {
        readonly access: AccessRule;
        readonly lengthMinBytes: number;
        readonly lengthMaxBytes: number;
        readonly perform: (record: Uint8Array, context: UdsContext) => Promise<void>;
      }
    | undefined;
}

/** One routine. */
export interface RoutinePort {
  readonly access: AccessRule;
  readonly controls: readonly RoutineControl[];
  readonly optionMinBytes: number;
  readonly optionMaxBytes: number;
  /** @returns the status record. */
  readonly perform: (
    control: RoutineControl,
    option: Uint8Array,
    context: UdsContext,
  ) => Promise<Uint8Array>;
}

/** What takes the bytes of a transfer, in their order. The bytes are valid until it fulfils. */
export interface TransferPort {
  write(offsetBytes: number, data: Uint8Array): Promise<void>;
  /** @returns the record of the response. */
  finish(record: Uint8Array): Promise<Uint8Array>;
  /** Gives up what is open, if anything is. */
  abort(): Promise<void>;
}

/** Memory that is programmed block by block. */
export interface MemoryPort extends TransferPort {
  readonly access: AccessRule;
  readonly blocks: ReadonlyMap<number, MemoryBlock>;
  /** What was valid in the block is no more when this fulfils. @returns what may be written now. */
  erase(block: number): Promise<{ readonly region: MemoryRegion; readonly record: Uint8Array }>;
  open(block: number, request: DownloadRequest): Promise<void>;
  check(
    block: number,
    option: Uint8Array,
  ): Promise<{ readonly isGood: boolean; readonly record: Uint8Array }>;
  /** Checks that all blocks fit together. @returns the status record. */
  checkDependencies(option: Uint8Array): Promise<Uint8Array>;
}

/** Files. */
export interface FilePort extends TransferPort {
  readonly access: AccessRule;
  open(
    request: FileRequest,
    context: UdsContext,
  ): Promise<{ readonly sizeBytes: number; readonly positionBytes: number }>;
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
}

/** Trouble codes. */
export interface DtcPort {
  /** Bits of the status that the ECU knows. */
  readonly statusMask: number;
  list(): Promise<readonly DtcRecord[]>;
  /** Everything that can be diagnosed. */
  supported(): Promise<readonly DtcRecord[]>;
  /** @returns the status and the records, encoded as the maker does. */
  extendedData(
    dtc: number,
    record: number,
  ): Promise<{ readonly status: number; readonly records: Uint8Array }>;
  clear(group: number): Promise<void>;
  /** Lets codes be set, or not; on again when the session ends. */
  setEnabled(isOn: boolean): Promise<void>;
}

/** Resets. */
export interface ResetPort {
  readonly access: AccessRule;
  readonly resets: readonly UdsReset[];
  /** Gets ready; the answer is sent after this. */
  prepare(reset: UdsReset): Promise<void>;
  /** Resets; the server hears again when this fulfils. */
  perform(reset: UdsReset): Promise<void>;
}

/** Who testers are: certificates and signatures are judged here. */
export interface AuthenticationPort {
  verifyCertificate(request: CertificateRequest): Promise<ServerChallenge>;
  /** @returns the role that the certificate gives. */
  verifyProof(exchange: {
    readonly request: CertificateRequest;
    readonly answer: ServerChallenge;
    readonly proof: OwnershipProof;
  }): Promise<{ readonly role: string; readonly sessionKeyInformation: Uint8Array }>;
}

/** Security levels. */
export interface KeyPort {
  readonly levels: readonly number[];
  readonly policy?: KeyPolicy | undefined;
  /** As kept over the restart. */
  readonly failedAttempts: number;
  /** Durable when it fulfils. */
  keepAttempts(failedAttempts: number): Promise<void>;
  makeSeed(level: number, record: Uint8Array): Promise<Uint8Array>;
  isKey(level: number, seed: Uint8Array, key: Uint8Array): Promise<boolean>;
}

/** All of it. */
export interface UdsPorts {
  readonly data: ReadonlyMap<number, DataPort>;
  readonly routines?: ReadonlyMap<number, RoutinePort> | undefined;
  readonly memory?: MemoryPort | undefined;
  readonly files?: FilePort | undefined;
  readonly dtcs?: DtcPort | undefined;
  readonly resets?: ResetPort | undefined;
  readonly authentication?: AuthenticationPort | undefined;
  readonly keys?: KeyPort | undefined;
  readonly secured?: SecuredPort | undefined;
  readonly communication?:
    | ((control: CommunicationControl, communicationType: number) => Promise<void>)
    | undefined;
  /** Hears of each session that begins; may refuse one that was asked for, not the end by time. */
  readonly enterSession?: ((session: UdsSession, cause: SessionCause) => Promise<void>) | undefined;
  /** A block of a transfer; at most what the carrier bears. */
  readonly blockMaxBytes?: number | undefined;
}
