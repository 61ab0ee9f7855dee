/** One ECU as a transaction sees it: ports, behind which are links, slots and files. */
import type { TransactionEcu, TransactionRecord } from './record.ts';
import type { EcuResult } from './results.ts';

/** How an ECU stands by its own signed report and its status. */
export type Standing =
  /** It boots, or receives: ask again. */
  | 'busy'
  /** The new image waits in its other slot. */
  | 'prepared'
  /** It runs the new image, healthy, and can be told to go back. */
  | 'new-trial'
  /** It runs the new image for good. */
  | 'new-final'
  /** It runs what it ran before. */
  | 'old'
  /** It runs something else, or nothing. */
  | 'other';

/**
 * What can be done with an ECU. Each may be done again after an interruption at any point, and may fail
 * with VehicleFault ECU_UNREACHABLE, which says nothing about what was done.
 */
export interface Participant {
  /** Asks how it stands {uptane J4}. @throws VehicleFault ECU_UNREACHABLE, ECU_UNTRUSTED. */
  observe(): Promise<Standing>;
  /** Brings the new image, whole and verified, into the ECU: beside what runs, or over it. */
  prepare(): Promise<void>;
  /** Makes the ECU boot what it has prepared. */
  activate(): Promise<void>;
  /** Makes the trial final. */
  confirm(): Promise<void>;
  /**
   * Brings the older image back: by the other slot, or by writing it again. Gives up what waits. When it
   * fulfils, nothing that was asked of the ECU before is still to come.
   *
   * @throws VehicleFault SLOT_EMPTY when it would have to be written and is not there any more.
   */
  rollBack(): Promise<void>;
}

/** Where a transaction is kept. What was saved is durable before the call returns. */
export interface TransactionJournal {
  save(record: TransactionRecord): void;
  /** Ends the transaction; what it came to and the end itself become durable together. */
  conclude(record: TransactionRecord, results: readonly EcuResult[]): void;
  /** Gives up a transaction that has touched nothing, to begin it anew. */
  abandon(record: TransactionRecord): void;
}

/** Makes the participant of an entry. */
export type ParticipantMaker = (entry: TransactionEcu) => Participant;
