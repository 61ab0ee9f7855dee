/**
 * The vehicle's transaction as a relation between states: what the journal says, how each ECU is, and what
 * is on its way to it. Written from the protocol and not from its code, so that the one can be held
 * against the other.
 *
 * The T-BOX has no memory but its journal: a crash of it changes nothing here, and what it had sent may
 * still arrive. A message may be lost, or come as late as it likes, behind those sent before it. An ECU
 * may lose its power at any instant: what it does is whole or was not begun, writing in place excepted.
 * Silence is a choice that may fall at any time.
 *
 * Where a technician has to stand by, the whole stops twice: when all is prepared, and when every ECU runs
 * its new image on trial. What they say is durable before it counts; it may run out, and be said again.
 */
import { unreachable } from '@immota/base';

/** How an ECU takes part. */
export type Kind = 'banked' | 'in-place' | 'self';
/** How far the whole is; the last four are ends. */
export type Phase =
  | 'preparing'
  | 'activating'
  | 'committing'
  | 'rolling-back'
  | 'all-new'
  | 'all-old'
  | 'safe-new'
  | 'safe-old';
/** What the journal says of an ECU. */
export type Step =
  | 'idle'
  | 'prepared'
  | 'begun'
  | 'trial'
  | 'confirmed'
  | 'failed'
  | 'rolled-back'
  | 'lost';
/**
 * How an ECU truly is. `armed`: its next boot tries the new image. `open`: half written, in place.
 * `back` and `back-armed`: the old image was written again, in place. `empty`: nothing runs but a loader.
 */
export type Ecu =
  | 'old'
  | 'prepared'
  | 'armed'
  | 'trial'
  | 'final'
  | 'open'
  | 'empty'
  | 'back'
  | 'back-armed';
/** What the T-BOX asks of an ECU. */
type Command = 'prepare' | 'activate' | 'confirm' | 'revert' | 'rewrite';

/** Where the whole stops for a technician: before anything changes over, before all of it becomes final. */
export type Stop = 'activate' | 'commit';

/** One ECU in a state. */
export interface Part {
  readonly step: Step;
  readonly ecu: Ecu;
  /** On its way, oldest first. */
  readonly queue: readonly Command[];
  /** Whether it has answered that it was told to go back. */
  readonly isTold: boolean;
}

/** A state of the whole. */
export interface State {
  readonly phase: Phase;
  readonly parts: readonly Part[];
  /** How many trials may still end by themselves. */
  readonly decays: number;
  /** Stops that a technician has opened, and `no` where they have said that it ends. */
  readonly said: readonly (Stop | 'no')[];
}

/** A rule that is left out, to see that the checker finds what it is good for. */
export type Defect =
  /** The decision falls when the first ECU is well. */
  | 'early-decision'
  /** What seems to be back counts as back, whatever is still on its way to it. */
  | 'no-barrier'
  /** An ECU that is lost after the decision makes the others go back. */
  | 'undecided'
  /** It goes on when it is ready, whatever the technician says. */
  | 'unapproved';

/** A vehicle. */
export interface Model {
  readonly kinds: readonly Kind[];
  /** Whose new image is not healthy. */
  readonly sick: readonly boolean[];
  readonly decays: number;
  /** Where a technician has to stand by; nowhere when left out. */
  readonly stops?: readonly Stop[] | undefined;
  readonly defect?: Defect | undefined;
}

/** A step from a state. */
export interface Transition {
  /** Whether the journal changes: these are what a recorded run shows. */
  readonly isJournal: boolean;
  readonly next: State;
}

const QUEUE_MAX = 2;

/** Where a transaction begins. */
export function firstState({ kinds, decays }: Model): State {
  const part: Part = { step: 'idle', ecu: 'old', queue: [], isTold: false };
  return { phase: 'preparing', parts: kinds.map(() => part), decays, said: [] };
}

/** Tells whether the transaction is over. */
export function isEnd({ phase }: State): boolean {
  return phase.startsWith('all-') || phase.startsWith('safe-');
}

/** Lists everything that may happen next. */
export function* transitions(model: Model, state: State): Generator<Transition> {
  for (const [index, part] of state.parts.entries()) {
    for (const next of arrivals(model, state, index)) yield { isJournal: false, next };
    for (const next of boots(model, state, index)) yield { isJournal: false, next };
    if (isEnd(state)) continue;
    for (const changes of asks(model, state, index)) {
      yield { isJournal: false, next: withPart(state, index, changes) };
    }
    for (const step of notes(model, state, index)) {
      yield { isJournal: true, next: withPart(state, index, { ...part, step }) };
    }
  }
  for (const next of decisions(model, state)) yield { isJournal: true, next };
  for (const next of words(model, state)) yield { isJournal: false, next };
}

/** At a stop a technician may speak, change their mind, or go home. */
function* words({ stops = [] }: Model, state: State): Generator<State> {
  const stop = findStop(state);
  if (stop === undefined || !stops.includes(stop)) return;
  const before = state.said.filter((one) => one !== stop && one !== 'no');
  yield { ...state, said: before };
  yield { ...state, said: [...before, stop] };
  yield { ...state, said: [...before, 'no'] };
}

/** The stop that the whole is at. */
function findStop({ phase, parts }: State): Stop | undefined {
  if (phase === 'preparing' && parts.every(({ step }) => step === 'prepared')) return 'activate';
  return phase === 'activating' && parts.every(({ step }) => step === 'trial')
    ? 'commit'
    : undefined;
}

/** Whether nobody has to be asked before a stop is passed, or somebody was. */
function mayPass({ stops = [], defect }: Model, { said }: State, stop: Stop): boolean {
  return !stops.includes(stop) || said.includes(stop) || defect === 'unapproved';
}

/** A message is lost, or arrives. An ECU that is to boot does that first. */
function* arrivals({ kinds }: Model, state: State, index: number): Generator<State> {
  const part = partOf(state, index);
  const [command, ...queue] = part.queue;
  if (command === undefined) return;
  yield withPart(state, index, { ...part, queue });
  if (part.ecu === 'armed' || part.ecu === 'back-armed') return;
  for (const ecu of effects(kinds[index] ?? 'banked', part.ecu, command)) {
    yield withPart(state, index, { ...part, ecu, queue });
    // Its answer may get lost: then the T-BOX does not count on it.
    if (command === 'revert') yield withPart(state, index, { ...part, ecu, queue, isTold: true });
  }
}

/** What a command makes of an ECU. */
function effects(kind: Kind, ecu: Ecu, command: Command): readonly Ecu[] {
  switch (command) {
    case 'prepare':
      if (kind !== 'in-place') return [ecu === 'old' ? 'prepared' : ecu];
      // What it ran is gone with the first byte; the transfer may break off. A trial is not written over.
      return ecu === 'final' || ecu === 'trial' ? [ecu] : ['open', 'prepared'];
    case 'rewrite':
      return ecu === 'final' || ecu === 'old' ? [ecu] : ['open', 'back'];
    case 'activate':
      return [ecu === 'prepared' ? 'armed' : ecu === 'back' ? 'back-armed' : ecu];
    case 'confirm':
      return [ecu === 'trial' ? 'final' : ecu];
    case 'revert':
      if (kind === 'in-place') return [ecu === 'prepared' || ecu === 'back' ? 'empty' : ecu];
      return [ecu === 'prepared' || ecu === 'trial' ? 'old' : ecu];
    default:
      return unreachable(command);
  }
}

/** An ECU boots; or what runs on trial fails by itself. */
function* boots({ kinds, sick }: Model, state: State, index: number): Generator<State> {
  const part = partOf(state, index);
  const fallen: Ecu = kinds[index] === 'in-place' ? 'empty' : 'old';
  if (part.ecu === 'armed') {
    yield withPart(state, index, { ...part, ecu: sick[index] === true ? fallen : 'trial' });
  }
  if (part.ecu === 'back-armed') yield withPart(state, index, { ...part, ecu: 'old' });
  if (part.ecu === 'trial' && state.decays > 0) {
    const next = withPart(state, index, { ...part, ecu: fallen });
    yield { ...next, decays: state.decays - 1 };
  }
}

/** What the T-BOX asks, by what its journal and a look at the ECU tell it. */
function* asks({ kinds }: Model, state: State, index: number): Generator<Part> {
  const part = partOf(state, index);
  const { phase } = state;
  const { step, ecu, queue, isTold } = part;
  const kind = kinds[index] ?? 'banked';
  const commands: Command[] = [];
  if (phase === 'preparing' && step === 'idle' && kind !== 'in-place') commands.push('prepare');
  if (phase === 'activating' && step === 'begun') {
    const mayWrite = kind === 'in-place' && ecu !== 'trial';
    if (ecu === 'prepared') commands.push('activate');
    else if (mayWrite) commands.push('prepare');
  }
  if (phase === 'committing' && step === 'trial' && ecu === 'trial') commands.push('confirm');
  if (phase === 'rolling-back' && isToGoBack(part) && isTurn(kinds, state, index)) {
    commands.push('revert');
    if (kind === 'in-place' && isTold && ecu !== 'old') commands.push('rewrite');
    if (ecu === 'back') commands.push('activate');
  }
  for (const command of commands) {
    if (kind === 'self') {
      // It asks itself: nothing is on its way, and nothing gets lost.
      const [own] = effects(kind, ecu, command);
      if (ecu !== 'armed' && own !== undefined) {
        yield { ...part, ecu: own, isTold: isTold || command === 'revert' };
      }
    } else if (queue.length < QUEUE_MAX && queue.at(-1) !== command) {
      yield { ...part, queue: [...queue, command] };
    }
  }
}

/** What the T-BOX may note of an ECU. */
function* notes({ kinds, defect }: Model, state: State, index: number): Generator<Step> {
  const part = partOf(state, index);
  const { step, ecu, isTold } = part;
  switch (state.phase) {
    case 'preparing':
      if (state.said.includes('no') && step === 'prepared') yield 'failed';
      if (step !== 'idle') return;
      if (kinds[index] === 'in-place' || ecu === 'prepared') yield 'prepared';
      yield 'failed';
      return;
    case 'activating':
      // Asked once more, all of them, before the decision: one may have fallen back, or be silent.
      if (state.parts.every((one) => one.step === 'trial')) yield 'failed';
      if ((step !== 'prepared' && step !== 'begun') || !isTurn(kinds, state, index)) return;
      if (step === 'prepared') yield 'begun';
      if (ecu === 'trial' || ecu === 'final') yield 'trial';
      yield 'failed';
      return;
    case 'committing':
      if (step !== 'trial') return;
      if (ecu === 'final') yield 'confirmed';
      yield 'lost';
      return;
    case 'rolling-back':
      if (!isToGoBack(part) || !isTurn(kinds, state, index)) return;
      if (ecu === 'old' && (isTold || defect === 'no-barrier')) yield 'rolled-back';
      yield 'lost';
      return;
    case 'all-new':
    case 'all-old':
    case 'safe-new':
    case 'safe-old':
      return;
    default:
      unreachable(state.phase);
  }
}

/** What the T-BOX may decide for the whole. */
function* decisions(model: Model, state: State): Generator<State> {
  const { defect } = model;
  const { phase, parts } = state;
  const is = (step: Step): boolean => parts.every((part) => part.step === step);
  const has = (step: Step): boolean => parts.some((part) => part.step === step);
  switch (phase) {
    case 'preparing':
      if (has('failed')) yield { ...state, phase: 'all-old' };
      if (is('prepared') && mayPass(model, state, 'activate'))
        yield { ...state, phase: 'activating' };
      // After a crash it begins anew.
      yield { ...state, parts: parts.map((part) => ({ ...part, step: 'idle' })) };
      return;
    case 'activating': {
      const isDecided = defect === 'early-decision' ? has('trial') : is('trial');
      if (has('failed')) yield { ...state, phase: 'rolling-back' };
      else if (isDecided && mayPass(model, state, 'commit'))
        yield { ...state, phase: 'committing' };
      return;
    }
    case 'committing':
      if (defect === 'undecided' && has('lost')) yield { ...state, phase: 'rolling-back' };
      if (parts.some(({ step }) => step !== 'confirmed' && step !== 'lost')) return;
      yield { ...state, phase: has('lost') ? 'safe-new' : 'all-new' };
      return;
    case 'rolling-back':
      if (!parts.some((part) => isToGoBack(part))) {
        yield { ...state, phase: has('lost') ? 'safe-old' : 'all-old' };
      }
      return;
    case 'all-new':
    case 'all-old':
    case 'safe-new':
    case 'safe-old':
      return;
    default:
      unreachable(phase);
  }
}

/** One at a time here: those with another slot, those with one bank, the T-BOX; and back the other way. */
function isTurn(kinds: readonly Kind[], { phase, parts }: State, index: number): boolean {
  const rank = rankOf(kinds[index]);
  return parts.every((part, other) => {
    const distance = rankOf(kinds[other]) - rank;
    if (phase === 'activating') return distance >= 0 || part.step === 'trial';
    return distance <= 0 || !isToGoBack(part);
  });
}

const RANKS: Readonly<Record<Kind, number>> = { banked: 0, 'in-place': 1, self: 2 };

function rankOf(kind: Kind | undefined): number {
  return kind === undefined ? 0 : RANKS[kind];
}

function isToGoBack({ step }: Part): boolean {
  return step === 'begun' || step === 'trial' || step === 'failed';
}

function partOf(state: State, index: number): Part {
  const part = state.parts[index];
  if (part === undefined) throw new RangeError(`no ECU ${index}`);
  return part;
}

function withPart(state: State, index: number, part: Part): State {
  return { ...state, parts: state.parts.map((one, at) => (at === index ? part : one)) };
}
