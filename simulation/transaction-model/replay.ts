/**
 * Holds what a T-BOX has written, in the order in which it was written, against a model: each record has to
 * be a step of it, from a state that the records before it allow, with the ECUs as they were seen.
 */
import { keyOf } from './explore.ts';
import { type Ecu, firstState, type Model, type State, transitions } from './model.ts';

/** One record: how far the whole was, each ECU, and how each was seen; `?` when it was off. */
export interface RecordedStep {
  readonly phase: string;
  readonly steps: readonly string[];
  readonly seen: readonly string[];
  /** What technicians have opened by then. */
  readonly said: readonly string[];
}

/** The first record that is no step of the model; undefined when all are. */
export interface ReplayFault {
  readonly index: number;
  readonly record: RecordedStep;
}

/** How an ECU of the model looks from outside. */
const LOOKS: Readonly<Record<Ecu, string>> = {
  old: 'old',
  prepared: 'prepared',
  armed: 'prepared',
  trial: 'new-trial',
  final: 'new-final',
  open: 'other',
  empty: 'other',
  back: 'other',
  'back-armed': 'other',
};

/** Replays runs of one model; what several of them share is looked at once. */
export class Replayer {
  readonly #model: Model;
  /** Sets of states by what they contain, and where each record leads from them. */
  readonly #sets = new Map<string, readonly State[]>();
  readonly #steps = new Map<string, string>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** Replays one run. */
  replay(records: readonly RecordedStep[]): ReplayFault | undefined {
    let current = this.#keep(this.#closure([firstState(this.#model)]));
    for (const [index, record] of records.entries()) {
      const { phase, steps, seen, said } = record;
      const label = `${phase} ${steps.join()} ${seen.join()} ${said.join()}`;
      const path = `${current}\n${label}`;
      const next = this.#steps.get(path) ?? this.#follow(current, record);
      this.#steps.set(path, next);
      if (next === '') return { index, record };
      current = next;
    }
    return undefined;
  }

  #follow(from: string, record: RecordedStep): string {
    const matching = new Map<string, State>();
    for (const state of this.#sets.get(from) ?? []) {
      // A record that says nothing new was written to count an attempt.
      if (isAs(state, record)) matching.set(keyOf(state), state);
      for (const { isJournal, next } of transitions(this.#model, state)) {
        if (isJournal && isAs(next, record)) matching.set(keyOf(next), next);
      }
    }
    return matching.size === 0 ? '' : this.#keep(this.#closure([...matching.values()]));
  }

  /** Everything that may happen without the journal. */
  #closure(states: readonly State[]): readonly State[] {
    const found = new Map(states.map((state) => [keyOf(state), state]));
    for (const state of found.values()) {
      for (const { isJournal, next } of transitions(this.#model, state)) {
        if (!isJournal) found.set(keyOf(next), found.get(keyOf(next)) ?? next);
      }
    }
    return [...found.values()];
  }

  #keep(states: readonly State[]): string {
    const key = states
      .map((state) => keyOf(state))
      .toSorted()
      .join('\n');
    if (!this.#sets.has(key)) this.#sets.set(key, states);
    return key;
  }
}

function isAs({ phase, parts, said }: State, record: RecordedStep): boolean {
  if (phase !== record.phase || said.join() !== record.said.join()) return false;
  return parts.every(({ step, ecu }, index) => {
    const seen = record.seen[index] ?? '?';
    return step === record.steps[index] && (seen === '?' || seen === LOOKS[ecu]);
  });
}
