/** What this Primary knows of how long its ECUs take, and what it learns while they are programmed. */
import { experienceSchema, learn } from '../transaction/experience.ts';
import {
  createScheduler,
  type Forecast,
  type Foreknowledge,
  foretell as foretellBy,
} from '../transaction/forecast.ts';
import type { Participant } from '../transaction/participant.ts';
import type { PrepareScheduler } from '../transaction/prepare-all.ts';
import type { TransactionEcu, TransactionRecord } from '../transaction/record.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';

const EXPERIENCE = jsonValue('experience', experienceSchema);

/** Makes the scheduler of this vehicle. */
export function schedulerOf(context: PrimaryContext): PrepareScheduler {
  return createScheduler(knowledgeOf(context));
}

/** Foretells a transaction; undefined when too little is known. */
export function foretell(
  context: PrimaryContext,
  { ecus }: TransactionRecord,
): Forecast | undefined {
  return foretellBy(ecus, knowledgeOf(context));
}

/** Watches the ECUs of one transaction, and learns from how long they take. */
export class Watch {
  readonly #context: PrimaryContext;
  /** Transfers under way, and whether another one went on beside them. */
  readonly #running = new Map<string, { isShared: boolean }>();

  constructor(context: PrimaryContext) {
    this.#context = context;
  }

  /** The same participant, watched. */
  over(entry: TransactionEcu, participant: Participant): Participant {
    const { timer } = this.#context.surroundings;
    let activatedMs: number | undefined;
    return {
      ...participant,
      prepare: async () => {
        const beganMs = timer.elapsedMs();
        const transfer = { isShared: this.#running.size > 0 };
        for (const other of this.#running.values()) other.isShared = true;
        this.#running.set(entry.ecu, transfer);
        try {
          await participant.prepare();
        } finally {
          this.#running.delete(entry.ecu);
        }
        const seconds = (timer.elapsedMs() - beganMs) / 1000;
        // What shared a bus says how fast the bus was, and not the ECU.
        if (!transfer.isShared && seconds > 0) {
          this.#learn(entry, 'bytesPerSecond', entry.served.lengthBytes / seconds);
        }
      },
      activate: async () => {
        activatedMs = timer.elapsedMs();
        await participant.activate();
      },
      observe: async () => {
        const standing = await participant.observe();
        if (standing === 'new-trial' && activatedMs !== undefined) {
          this.#learn(entry, 'bootMs', timer.elapsedMs() - activatedMs);
          activatedMs = undefined;
        }
        return standing;
      },
    };
  }

  #learn({ ecu }: TransactionEcu, kind: 'bytesPerSecond' | 'bootMs', value: number): void {
    const { values } = this.#context.state;
    const known = values.load(EXPERIENCE) ?? [];
    const next = learn(known, { ecu, kind, value });
    if (next !== known) values.save(EXPERIENCE, next);
  }
}

function knowledgeOf({ layout, state }: PrimaryContext): Foreknowledge {
  return { layout, experience: state.values.load(EXPERIENCE) ?? [] };
}
