/** The T-BOX's journal on the bench: what was not synced when its power fails was never there. */
import type { EcuResult, TransactionJournal, TransactionRecord } from '@immota/vehicle';
import { PowerCut } from '../power.ts';

/** What lies in it. */
export interface JournalContent {
  readonly record: TransactionRecord | undefined;
  readonly results: readonly EcuResult[] | undefined;
  /** What technicians have said at the stops of it. */
  readonly said: readonly string[];
}

/** Whether a record is made durable when it is saved; a planted bug says no. */
export type SyncRule = (record: TransactionRecord) => boolean;

/** See the head of the file. */
export class BenchJournal {
  /** Operations left until the power fails. */
  #left: number | undefined;
  #content: JournalContent = { record: undefined, results: undefined, said: [] };
  #durable: JournalContent = this.#content;
  readonly #isSynced: SyncRule;
  /** Hears of each record that was written. */
  onSave: (record: TransactionRecord) => void = () => undefined;

  constructor(isSynced: SyncRule) {
    this.#isSynced = isSynced;
  }

  get isCutPlanned(): boolean {
    return this.#left !== undefined;
  }

  get content(): JournalContent {
    return this.#content;
  }

  /** Plans a cut: at which write or sync from now on, counted from 1. */
  failPower(operation: number): void {
    this.#left = operation;
  }

  /** What is left of it after a cut. */
  losePower(): void {
    this.#content = this.#durable;
  }

  /** Keeps a technician's word: durable before it counts. */
  keepWord(word: string): void {
    this.#write({ ...this.#content, said: [...this.#content.said, word] }, true);
  }

  /** The journal of one life of the T-BOX: after its end it takes nothing. */
  open(isAlive: () => boolean): TransactionJournal {
    const write = (changes: Partial<JournalContent>, isSynced: boolean): void => {
      if (!isAlive()) throw new PowerCut('the T-BOX is off');
      this.#write({ ...this.#content, ...changes }, isSynced);
    };
    return {
      save: (record) => {
        write({ record, results: undefined }, this.#isSynced(record));
        this.onSave(record);
      },
      abandon: () => write({ record: undefined, results: undefined }, true),
      conclude: (_, results) => write({ record: undefined, results }, true),
    };
  }

  #write(content: JournalContent, isSynced: boolean): void {
    this.#operation();
    this.#content = content;
    this.#operation();
    if (isSynced) this.#durable = content;
  }

  #operation(): void {
    if (this.#left === undefined) return;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = undefined;
    throw new PowerCut('the T-BOX is off');
  }
}
