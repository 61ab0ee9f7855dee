/** Asking whether a technician lets the transaction go on: a port. */
import type { TransactionRecord } from '../transaction/record.ts';
import type { TechnicianStop } from './stop.ts';

/** What became of a stop. */
export type TechnicianVerdict =
  | { readonly kind: 'go' }
  /** Nobody has approved it yet. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** The technician says no: what was begun is taken back. */
  | { readonly kind: 'stop'; readonly reason: string };

/** See the head of the file. */
export interface TechnicianGate {
  /** Asks at a stop. What it answers with `go` it has kept durably, or may answer otherwise next time. */
  ask(stop: TechnicianStop, record: TransactionRecord): Promise<TechnicianVerdict>;
}
