/**
 * What the gateway writes besides its answers: refusals, counted so that a flood of them costs a few
 * rows, and last contacts, gathered so that a fleet's cost a statement.
 */
import { type Scheduled, sql, systemTimer, type Timer } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { FLEET_STREAM, type NewEvent } from '../event-log/event-sink.ts';
import { REFUSAL_ENTRIES, REFUSAL_FLUSH_MS, TOUCH_FLUSH_MS, TOUCH_ITEMS } from './limits.ts';

/** A refusal. */
export interface Refusal {
  readonly kind: 'certificate.refused' | 'request.refused';
  /** Undefined when it is not known who asked. */
  readonly vehicleId: string | undefined;
  readonly code: string;
  /** The route's name, never the path that was asked for. */
  readonly route: string;
  readonly address: string;
}

/** Counts and gathers. Closing it writes what is left. */
export class GatewayRecorder {
  readonly #context: CloudContext;
  readonly #failed: (error: unknown) => void;
  readonly #timer: Timer;
  #refusals = new Map<string, { readonly refusal: Refusal; count: number }>();
  #touched = new Set<string>();
  #refusalFlush: Scheduled | undefined;
  #touchFlush: Scheduled | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(context: CloudContext, failed: (error: unknown) => void, timer: Timer = systemTimer) {
    this.#context = context;
    this.#failed = failed;
    this.#timer = timer;
  }

  /** Notes a refusal. Beyond so many different ones in a second only their number is kept. */
  refuse(refusal: Refusal): void {
    const { kind, vehicleId, code, route } = refusal;
    const isFull = this.#refusals.size >= REFUSAL_ENTRIES;
    const key = isFull ? `overflow ${kind}` : JSON.stringify([kind, vehicleId, code, route]);
    const known = this.#refusals.get(key);
    if (known === undefined) {
      const kept = isFull ? { ...refusal, vehicleId: undefined, route: 'several' } : refusal;
      this.#refusals.set(key, { refusal: kept, count: 1 });
    } else known.count += 1;
    this.#refusalFlush ??= this.#timer.schedule(REFUSAL_FLUSH_MS, () => {
      this.flush();
    });
  }

  /** Notes that a vehicle was here. */
  touch(vehicleId: string): void {
    this.#touched.add(vehicleId);
    if (this.#touched.size >= TOUCH_ITEMS) this.flush();
    else {
      this.#touchFlush ??= this.#timer.schedule(TOUCH_FLUSH_MS, () => {
        this.flush();
      });
    }
  }

  /** Writes what was gathered, one write after the other. */
  flush(): void {
    this.#refusalFlush?.cancel();
    this.#touchFlush?.cancel();
    this.#refusalFlush = undefined;
    this.#touchFlush = undefined;
    const refusals = [...this.#refusals.values()];
    const touched = [...this.#touched];
    this.#refusals = new Map();
    this.#touched = new Set();
    if (refusals.length === 0 && touched.length === 0) return;
    this.#running = this.#running
      .then(() => this.#write(refusals, touched))
      .catch((error: unknown) => {
        this.#failed(error);
      });
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.flush();
    await this.#running;
  }

  async #write(
    refusals: readonly { readonly refusal: Refusal; readonly count: number }[],
    touched: readonly string[],
  ): Promise<void> {
    const { database, clock, events } = this.#context;
    const at = clock.now();
    if (touched.length > 0) {
      await sql`update vehicle set last_seen_at = ${at}
        where vehicle_id = any(${touched})`.execute(database.kysely);
    }
    if (refusals.length === 0) return;
    const noted = refusals.map(({ refusal, count }): NewEvent => {
      const { kind, vehicleId, code, route, address } = refusal;
      const stream = vehicleId ?? FLEET_STREAM;
      return { stream, kind, at, body: { code, route, address, count } };
    });
    await committed(database, (tx) => events.append(tx, noted));
  }
}
