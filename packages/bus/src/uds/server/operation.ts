/**
 * What the server asks of the ECU behind it, and what the ECU answers. The server has checked all
 * that the standard and its tables say before an operation comes out of it.
 */
import type { CommunicationControl } from '../service/0x28-communication-control.ts';
import type {
  CertificateRequest,
  OwnershipProof,
  ServerChallenge,
} from '../service/0x29-authentication.ts';
import type { DtcQuery } from '../service/0x19-read-dtc-information.ts';
import type { DownloadRequest } from '../service/0x34-request-download.ts';
import type { FileRequest } from '../service/0x38-request-file-transfer.ts';
import type { RoutineControl } from '../service/0x31-routine-control.ts';
import type { UdsReset } from '../service/0x11-ecu-reset.ts';
import type { UdsSession } from '../service-id.ts';

/** Who asks, and what is known of them. */
export interface UdsContext {
  readonly tester: number;
  readonly session: UdsSession;
  /** As an authentication has proved it; undefined for a stranger. */
  readonly role: string | undefined;
  /** The security level that is unlocked. */
  readonly level: number | undefined;
}

/** Why a session begins. */
export type SessionCause = 'request' | 'timeout';

/** What the ECU is to do. */
export type UdsOperation =
  /** Gives up what belonged to the session before, transfers above all, and begins another. */
  | { readonly kind: 'enterSession'; readonly session: UdsSession; readonly cause: SessionCause }
  /** Gets ready for a reset; the reset itself comes when the answer is on its way. */
  | { readonly kind: 'prepareReset'; readonly reset: UdsReset }
  | { readonly kind: 'reset'; readonly reset: UdsReset }
  | { readonly kind: 'readData'; readonly identifiers: readonly number[] }
  | { readonly kind: 'writeData'; readonly identifier: number; readonly record: Uint8Array }
  | { readonly kind: 'clearDtcs'; readonly group: number }
  | { readonly kind: 'readDtcs'; readonly query: DtcQuery }
  | { readonly kind: 'setDtcs'; readonly isOn: boolean }
  | {
      readonly kind: 'controlCommunication';
      readonly control: CommunicationControl;
      readonly communicationType: number;
    }
  | { readonly kind: 'makeSeed'; readonly level: number; readonly record: Uint8Array }
  | {
      readonly kind: 'checkKey';
      readonly level: number;
      readonly seed: Uint8Array;
      readonly key: Uint8Array;
    }
  | { readonly kind: 'verifyCertificate'; readonly request: CertificateRequest }
  | {
      readonly kind: 'verifyProof';
      readonly request: CertificateRequest;
      readonly answer: ServerChallenge;
      readonly proof: OwnershipProof;
    }
  | {
      readonly kind: 'routine';
      readonly control: RoutineControl;
      readonly routine: number;
      readonly option: Uint8Array;
    }
  /** What was valid in the block is no more when this fulfils. */
  | { readonly kind: 'eraseBlock'; readonly block: number; readonly routine: number }
  | {
      readonly kind: 'checkBlock';
      readonly block: number;
      readonly routine: number;
      readonly option: Uint8Array;
    }
  | { readonly kind: 'openDownload'; readonly block: number; readonly request: DownloadRequest }
  | { readonly kind: 'openFile'; readonly request: FileRequest }
  /** Bytes of the open transfer in their order; they are part of the message that brought them. */
  | { readonly kind: 'writeTransfer'; readonly offsetBytes: number; readonly data: Uint8Array }
  | { readonly kind: 'readTransfer'; readonly offsetBytes: number; readonly lengthBytes: number }
  | { readonly kind: 'finishTransfer'; readonly record: Uint8Array };

/** A region of memory. */
export interface MemoryRegion {
  readonly address: number;
  readonly sizeBytes: number;
}

/** What came of an operation. */
export type UdsResult =
  /** The bytes that the response carries; most carry none. */
  | { readonly kind: 'record'; readonly record: Uint8Array }
  /** To `eraseBlock`: what may be written now, within the block. */
  | { readonly kind: 'erased'; readonly record: Uint8Array; readonly region: MemoryRegion }
  /** To `checkBlock` and to `routine` of the dependencies. */
  | { readonly kind: 'checked'; readonly record: Uint8Array; readonly isGood: boolean }
  /** To `openFile`: how long what is read is, and where a resumed file goes on. */
  | { readonly kind: 'opened'; readonly sizeBytes: number; readonly positionBytes: number }
  | { readonly kind: 'key'; readonly isValid: boolean }
  | { readonly kind: 'challenge'; readonly answer: ServerChallenge }
  | { readonly kind: 'role'; readonly role: string; readonly sessionKeyInformation: Uint8Array };

/** How an operation ended. */
export type UdsOutcome =
  | { readonly kind: 'done'; readonly result: UdsResult }
  | { readonly kind: 'refused'; readonly responseCode: number };
