/** Visits every state that a model can come to, and says which of them must not be. */
import { unreachable } from '@immota/base';
import { firstState, isEnd, type Model, type Part, type State, transitions } from './model.ts';

/** What was found. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** What must not be, each once, with the first state that shows it. */
  readonly violations: ReadonlyMap<string, State>;
  /** By which ends, how many states each. */
  readonly ends: ReadonlyMap<string, number>;
}

/** More than any vehicle of three ECUs has; beyond it a model is not finite. */
const STATES_MAX = 3_000_000;

/** Explores a model, breadth first. */
export function explore(model: Model): Exploration {
  const first = firstState(model);
  const known = new Map<string, number>([[keyOf(first), 0]]);
  const states: State[] = [first];
  const sources: number[] = [];
  const targets: number[] = [];
  const violations = new Map<string, State>();
  const ends = new Map<string, number>();
  for (let index = 0; index < states.length; index += 1) {
    const state = states[index];
    if (state === undefined) break;
    for (const violation of violationsOf(model, state)) {
      if (!violations.has(violation)) violations.set(violation, state);
    }
    if (isEnd(state)) ends.set(state.phase, (ends.get(state.phase) ?? 0) + 1);
    for (const { next } of transitions(model, state)) {
      const key = keyOf(next);
      let at = known.get(key);
      if (at === undefined) {
        at = states.length;
        if (at >= STATES_MAX) throw new RangeError(`more than ${STATES_MAX} states`);
        known.set(key, at);
        states.push(next);
      }
      sources.push(index);
      targets.push(at);
    }
  }
  const stuck = findStuck(model, states, sources, targets);
  if (stuck !== undefined) violations.set('no good end can be reached any more', stuck);
  return { states: states.length, transitions: sources.length, violations, ends };
}

function isOld({ ecu }: Part): boolean {
  return ecu === 'old' || ecu === 'prepared';
}

function isNew({ ecu }: Part): boolean {
  return ecu === 'final';
}

/** What must hold in every state. */
function* violationsOf({ kinds, stops = [] }: Model, state: State): Generator<string> {
  const { phase, parts, said } = state;
  const isDecided = phase === 'committing' || phase === 'all-new' || phase === 'safe-new';
  // {uptane K7}: the floor rises with the trial's end, and never while the vehicle may go back.
  if (!isDecided && parts.some(({ ecu }) => ecu === 'final')) {
    yield 'an ECU is final, and its floor raised, though the vehicle may go back';
  }
  // {R156 7.1.4.2}: where a skilled person has to be there, nothing goes on without them.
  const isOn = phase === 'activating' || phase === 'rolling-back' || isDecided;
  if (isOn && stops.includes('activate') && !said.includes('activate')) {
    yield 'it changes over without its technician';
  }
  if (isDecided && stops.includes('commit') && !said.includes('commit')) {
    yield 'it is final without its technician';
  }
  const found = parts.filter(({ step }) => step !== 'lost');
  switch (phase) {
    case 'preparing':
      if (!parts.every(isOld)) yield 'an ECU was touched before all were prepared';
      break;
    case 'all-new':
      if (!parts.every(isNew)) yield 'the vehicle is mixed, and counts as new';
      break;
    case 'all-old':
      if (!parts.every(isOld)) yield 'the vehicle is mixed, and counts as old';
      break;
    case 'safe-new':
      if (!found.every(isNew)) yield 'an ECU that nobody names is not new';
      if (found.length === parts.length) yield 'a safe state names no ECU';
      break;
    case 'safe-old':
      if (!found.every(isOld)) yield 'an ECU that nobody names is not old';
      if (found.length === parts.length) yield 'a safe state names no ECU';
      break;
    case 'activating':
    case 'committing':
    case 'rolling-back':
      break;
    default:
      unreachable(phase);
  }
  const hasRun = parts.some(({ ecu }, index) => ecu === 'empty' && kinds[index] !== 'in-place');
  if (hasRun) yield 'an ECU with another slot runs nothing';
}

/**
 * From wherever no ECU is lost, a vehicle that is all new or all old can be reached; once it is decided and
 * a trial has ended by itself, that ECU is lost.
 */
function findStuck(
  model: Model,
  states: readonly State[],
  sources: readonly number[],
  targets: readonly number[],
): State | undefined {
  const isGood = new Uint8Array(states.length);
  for (const [index, { phase }] of states.entries()) {
    if (phase === 'all-new' || phase === 'all-old') isGood[index] = 1;
  }
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (let edge = sources.length - 1; edge >= 0; edge -= 1) {
      const [from, to] = [sources[edge] ?? 0, targets[edge] ?? 0];
      if (isGood[from] === 1 || isGood[to] === 0) continue;
      isGood[from] = 1;
      hasChanged = true;
    }
  }
  return states.find((state, index) => {
    const { phase, parts, decays } = state;
    const isLost = parts.some(({ step }) => step === 'lost');
    const hasDecayed = phase === 'committing' && decays < model.decays;
    return isGood[index] === 0 && !isLost && !hasDecayed && !isEnd(state);
  });
}

/** A state as a key. */
export function keyOf({ phase, parts, decays, said }: State): string {
  const texts = parts.map(
    ({ step, ecu, queue, isTold }) => `${step}.${ecu}.${queue.join('+')}.${isTold ? 1 : 0}`,
  );
  return `${phase} ${decays} ${said.join('+')} ${texts.join(' ')}`;
}
