/** The rows of the tables of what happened, as Kysely sees them; `migrations.ts` makes them. */
import type { JsonObject } from '@immota/base';
import type { Generated } from '@immota/store';

type Time = Temporal.Instant;

/** One event. `stream` is a vehicle's id, or `fleet`. */
export interface EventRow {
  readonly stream: string;
  readonly sequence: number;
  readonly at: Time;
  readonly kind: string;
  readonly body: JsonObject;
  /** SHA-256 over the hash before it and the canonical form of this one. */
  readonly hash: Uint8Array;
  /** Of the transaction that appended it: first in the order of all events. */
  readonly tx: Generated<string>;
  readonly position: Generated<number>;
}

/** A signature over the head of a stream's chain. */
export interface EventCheckpointRow {
  readonly stream: string;
  readonly sequence: number;
  readonly document: Uint8Array;
}

/** An unsigned progress event of a vehicle's client. */
export interface ClientEventRow {
  readonly vehicle_id: string;
  readonly event_id: string;
  readonly at: Generated<Time>;
  readonly kind: string;
  readonly body: JsonObject;
}

/** A signed consent receipt. */
export interface ConsentRow {
  readonly vehicle_id: string;
  readonly correlation_id: string;
  readonly step: string;
  readonly decision: string;
  readonly document: Uint8Array;
  readonly decided_at: Time;
  readonly received_at: Generated<Time>;
}
