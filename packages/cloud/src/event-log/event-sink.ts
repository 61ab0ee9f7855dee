/** The port through which everything that happens is put on record (ADR 7). */
import type { EventId } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { CloudTransaction } from '../schema/database.ts';

/** The stream of everything that is no single vehicle's. */
export const FLEET_STREAM = 'fleet';

/** An event to be appended. */
export interface NewEvent {
  /** A vehicle's id, or {@link FLEET_STREAM}. */
  readonly stream: string;
  readonly kind: EventId;
  /** When it happened; cut to milliseconds. */
  readonly at: Temporal.Instant;
  /** Whole numbers, texts, truth values, lists and objects: no fractions. */
  readonly body: JsonObject;
}

/** Puts events on record. */
export interface EventSink {
  /**
   * Appends events to their streams' chains, inside the transaction of the change they record.
   *
   * The transaction runs `read committed`: the heads of the chains are read behind a lock.
   *
   * @param tx - of the change.
   * @param events - in the order in which they happened.
   */
  append(tx: CloudTransaction, events: readonly NewEvent[]): Promise<void>;
}
