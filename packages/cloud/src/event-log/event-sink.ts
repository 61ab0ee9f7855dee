/** The port through which everything that happens is put on record (ADR 7). */
import type { EventId } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { FIRST_TENANT } from '../inventory/fleet-scope.ts';
import type { CloudTransaction } from '../schema/database.ts';

/** The stream of everything that is no single vehicle's: of the first tenant, and of the installation. */
export const FLEET_STREAM = 'fleet';

/**
 * Names the stream of everything of a tenant that is no single vehicle's, so that the records of two tenants
 * never meet.
 */
export function fleetStream(tenant: string): string {
  return tenant === FIRST_TENANT ? FLEET_STREAM : `${FLEET_STREAM}:${tenant}`;
}

/** Tells whether a name is kept for the streams of fleets: no vehicle may have it. */
export function isFleetStream(stream: string): boolean {
  return stream === FLEET_STREAM || stream.startsWith(`${FLEET_STREAM}:`);
}

/** An event to be appended. */
export interface NewEvent {
  /** A vehicle's id, or what {@link fleetStream} gives. */
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
