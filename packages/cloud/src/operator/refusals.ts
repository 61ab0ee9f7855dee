/** What the operator API refused, on record: counted, so that a flood of refusals costs a few rows. */
import { type Scheduled, systemTimer, type Timer } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream, type NewEvent } from '../event-log/event-sink.ts';
import { FIRST_TENANT } from '../inventory/fleet-scope.ts';

/** Different refusals kept at once; beyond it only their number is. */
const ENTRIES_MAX = 1000;
/** How long refusals are gathered. */
const FLUSH_MS = 1000;

/** A refusal. */
export interface OperatorRefusal {
  readonly kind: 'authentication.refused' | 'authorisation.denied' | 'request.refused';
  readonly code: string;
  /** The route's pattern, never the path that was asked for. */
  readonly route: string;
  /** Whose token it was; undefined when that is not known. */
  readonly by: string | undefined;
  /** Whose record it goes on; the installation's when that is not known. */
  readonly tenant?: string | undefined;
}

/** Gathers refusals. Closing it writes what is left. */
export class RefusalLog {
  readonly #context: CloudContext;
  readonly #failed: (error: unknown) => void;
  readonly #timer: Timer;
  #entries = new Map<string, { readonly refusal: OperatorRefusal; count: number }>();
  #scheduled: Scheduled | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(context: CloudContext, failed: (error: unknown) => void, timer: Timer = systemTimer) {
    this.#context = context;
    this.#failed = failed;
    this.#timer = timer;
  }

  /** Notes a refusal; within a second it is on record. */
  note(refusal: OperatorRefusal): void {
    const { kind, code, route, by, tenant = FIRST_TENANT } = refusal;
    const isFull = this.#entries.size >= ENTRIES_MAX;
    const kept = isFull
      ? { ...refusal, route: 'several', by: undefined, tenant: undefined }
      : refusal;
    const key = isFull
      ? `overflow ${kind} ${code}`
      : JSON.stringify([kind, code, route, by, tenant]);
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, { refusal: kept, count: 1 });
    else known.count += 1;
    this.#scheduled ??= this.#timer.schedule(FLUSH_MS, () => {
      this.#flush();
    });
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#flush();
    await this.#running;
  }

  #flush(): void {
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
    const entries = [...this.#entries.values()];
    this.#entries = new Map();
    if (entries.length === 0) return;
    this.#running = this.#running
      .then(() => this.#write(entries))
      .catch((error: unknown) => {
        this.#failed(error);
      });
  }

  async #write(
    entries: readonly { readonly refusal: OperatorRefusal; readonly count: number }[],
  ): Promise<void> {
    const { database, events, clock } = this.#context;
    const at = clock.now();
    const noted = entries.map(({ refusal, count }): NewEvent => {
      const { kind, code, route, by, tenant = FIRST_TENANT } = refusal;
      const body = { code, route, count, ...(by === undefined ? {} : { by }) };
      return { stream: fleetStream(tenant), kind, at, body };
    });
    await committed(database, (tx) => events.append(tx, noted));
  }
}
