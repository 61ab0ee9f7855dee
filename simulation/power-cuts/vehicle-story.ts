/**
 * Tells the story of one vehicle's transaction, with the power of any of its ECUs cut at given operations,
 * to its end: by the code that drives it in a vehicle, over the code that keeps images in ECUs.
 */
import { Fault } from '@immota/base';
import {
  ALWAYS_GO,
  advanceTransaction,
  FlashPowerCut,
  type ResumableSlots,
  type TechnicianStep,
  type TechnicianVerdict,
  type Timer,
  type TransactionEcu,
  type TransactionRecord,
} from '@immota/vehicle';
import { PowerCut } from '../power.ts';
import type { Cut } from './cut-bench.ts';
import type { CutFailure } from './cut-report.ts';
import { BenchJournal, type SyncRule } from './vehicle-journal.ts';
import { type NodeSetup, VehicleNode } from './vehicle-node.ts';

/** A cut, and whose power it is: an ECU's, or the T-BOX's while it writes its journal. */
export interface VehicleCut extends Cut {
  readonly victim: string;
}

/** What is told. */
export interface VehicleStory {
  readonly id: string;
  readonly ecus: readonly NodeSetup[];
  readonly isSynced: SyncRule;
  readonly cuts: readonly VehicleCut[];
  /** What a technician says at the stop before the end; nobody is asked anything when left out. */
  readonly technician?: 'go' | 'stop' | undefined;
  readonly tell?: ((line: string) => void) | undefined;
}

/** How the vehicle was when a record was written: for whoever holds it against a model. */
export interface TraceLine {
  readonly phase: TransactionRecord['phase'];
  readonly steps: readonly TransactionEcu['step'][];
  /** How each ECU stood; `?` while it was off. */
  readonly seen: readonly string[];
  /** Stops that a technician had opened; `no` for an end that they wanted. */
  readonly said: readonly string[];
}

/** How it ended. */
export interface VehicleEnding {
  readonly failures: readonly CutFailure[];
  readonly struck: number;
  readonly trace: readonly TraceLine[];
  readonly lives: number;
}

/** Whose power goes while the journal is written. */
export const JOURNAL = 'JOURNAL';
/** More lives of a T-BOX than the longest story takes. */
const LIVES_MAX = 60;

/** Tells it. */
export async function tellVehicle(story: VehicleStory): Promise<VehicleEnding> {
  return await new Telling(story).run();
}

class Telling {
  readonly #story: VehicleStory;
  readonly #nodes: readonly VehicleNode[];
  readonly #journal: BenchJournal;
  readonly #pending: VehicleCut[];
  readonly #failures: CutFailure[] = [];
  readonly #trace: TraceLine[] = [];
  readonly #floors = new Map<VehicleNode, number>();
  readonly #timer: Timer = virtualTimer();
  #planned: VehicleCut | undefined;
  #struck = 0;
  #life = 0;
  #isDecided = false;
  readonly #asked = new Set<TechnicianStep>();

  constructor(story: VehicleStory) {
    this.#story = story;
    this.#nodes = story.ecus.map((ecu) => new VehicleNode({ ...ecu, bench: ecu.bench.copy() }));
    this.#journal = new BenchJournal(story.isSynced);
    this.#journal.onSave = (record) => this.#saved(record);
    for (const node of this.#nodes) node.onStart = (one, slots) => this.#inspect(one, slots);
    this.#pending = [...story.cuts];
    this.#planNext();
  }

  async run(): Promise<VehicleEnding> {
    let isOver = false;
    while (!isOver && this.#failures.length === 0 && this.#life < LIVES_MAX) {
      this.#life += 1;
      isOver = await this.#live();
    }
    if (!isOver && this.#failures.length === 0) {
      this.#find('bricked', `it is not over after ${this.#life} lives of the T-BOX`);
    }
    if (this.#failures.length === 0) await this.#checkEnd();
    return {
      failures: this.#failures,
      struck: this.#struck,
      trace: this.#trace,
      lives: this.#life,
    };
  }

  /** One life of the T-BOX, to its power's end, its boot or the transaction's. @returns whether all is over. */
  async #live(): Promise<boolean> {
    const life = this.#life;
    const isAlive = (): boolean => this.#life === life;
    const self = this.#nodes.find(({ kind }) => kind === 'self');
    try {
      await self?.start();
      const record = await this.#begin();
      const outcome = await advanceTransaction(record, {
        journal: this.#journal.open(isAlive),
        participantOf: (entry) => this.#node(entry.ecu).participant(entry),
        gate: ALWAYS_GO,
        technician: { ask: async (stop) => this.#askTechnician(stop.step) },
        scheduler: { pick: ([first], running) => (running.length < 2 ? first : undefined) },
        timer: this.#timer,
        signal: new AbortController().signal,
        patienceMs: 20,
        pollMs: 1,
        onEvent: () => undefined,
      });
      this.#story.tell?.(`life ${life}: ${outcome.kind}`);
      this.#strike();
      if (outcome.kind === 'booting') self?.stop();
      return outcome.kind === 'concluded';
    } catch (error) {
      if (!(error instanceof PowerCut) && !(error instanceof FlashPowerCut)) {
        if (!(error instanceof Fault)) throw error;
        this.#find('bricked', `the T-BOX ends by ${String(error.code)}: ${error.message}`);
        return false;
      }
      this.#story.tell?.(`life ${life}: cut`);
      self?.stop();
      this.#journal.losePower();
      this.#strike();
      return false;
    }
  }

  /** As the Primary begins: with what the journal has, or anew, with what the ECUs say they run. */
  async #begin(): Promise<TransactionRecord> {
    const { record } = this.#journal.content;
    if (record !== undefined && record.phase !== 'preparing') return record;
    const ecus: TransactionEcu[] = [];
    for (const node of this.#nodes) {
      // What runs on trial, and no transaction knows of it, goes back.
      const runs = await this.#tryAsk(node, async (slots) => {
        if (slots.condition().isTrial && slots.condition().canRevert) {
          await slots.revert();
          node.stop();
          return (await node.start()).findRunning();
        }
        return slots.findRunning();
      });
      ecus.push(entryOf(node, runs?.name ?? 'nothing'));
    }
    return {
      correlationId: this.#story.id,
      phase: 'preparing',
      silences: 0,
      stops: this.#stops(),
      ecus,
    };
  }

  /** Nobody is there when it is asked first; then what is said is kept before it counts. */
  async #askTechnician(step: TechnicianStep): Promise<TechnicianVerdict> {
    await Promise.resolve();
    const { technician } = this.#story;
    const word = step === 'commit' && technician === 'stop' ? 'no' : step;
    if (!this.#asked.has(step)) {
      this.#asked.add(step);
      return { kind: 'wait', reason: `nobody is there for ${step}` };
    }
    if (!this.#journal.content.said.includes(word)) this.#journal.keepWord(word);
    return word === 'no' ? { kind: 'stop', reason: 'it cannot be calibrated' } : { kind: 'go' };
  }

  async #tryAsk<Answer>(
    node: VehicleNode,
    act: (slots: ResumableSlots) => Promise<Answer>,
  ): Promise<Answer> {
    for (;;) {
      try {
        return await node.ask(act);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#strike();
      }
    }
  }

  #saved({ phase, ecus }: TransactionRecord): void {
    this.#isDecided ||= phase === 'committing';
    const seen = this.#nodes.map((node) => node.look());
    const { said } = this.#journal.content;
    this.#trace.push({ phase, steps: ecus.map(({ step }) => step), seen, said });
    this.#checkStops(phase, said);
    this.#strike();
  }

  #stops(): TransactionRecord['stops'] {
    if (this.#story.technician === undefined) return [];
    const ecus = this.#nodes.slice(0, 1).map(({ name }) => name);
    return (['activate', 'commit'] as const).map((step) => ({ step, ecus, tasks: [] }));
  }

  /** {R156 7.1.4.2}: nothing goes on that nobody has let go on. */
  #checkStops(phase: TransactionRecord['phase'], said: readonly string[]): void {
    if (this.#story.technician === undefined) return;
    const isOn = phase !== 'preparing' && !said.includes('activate');
    const isFinal = phase === 'committing' && !said.includes('commit');
    if (isOn || isFinal) this.#find('unverified', `it is ${phase} without its technician`);
  }

  /** Looks at an ECU that has just started: at its bytes, and at its floor {uptane K7}. */
  #inspect(node: VehicleNode, slots: ResumableSlots): void {
    const { running: slot, releaseFloor, isTrial } = slots.condition();
    const { old, new: next } = node.samples;
    const running = slots.findRunning();
    if (running === undefined || slot === undefined) {
      if (!node.bench.isSingle) this.#find('bricked', `${node.name} runs nothing`);
    } else {
      const sample = running.name === next.image.name ? next : old;
      const bytes = node.bench.readSlot(slot, running.lengthBytes);
      if (Buffer.compare(bytes, sample.bytes) !== 0) {
        this.#find('unverified', `${node.name} runs other bytes than "${running.name}"`);
      }
      const isFinal = running.name === next.image.name && !isTrial;
      if (isFinal && !this.#isDecided) {
        this.#find('mixed', `${node.name} is final before the decision`);
      }
    }
    const floor = this.#floors.get(node) ?? 0;
    if (releaseFloor < floor) this.#find('unverified', `${node.name} went below its floor`);
    if (releaseFloor === next.image.releaseCounter && !this.#isDecided) {
      this.#find('unverified', `${node.name} raised its floor before the decision`);
    }
    this.#floors.set(node, Math.max(floor, releaseFloor));
    this.#strike();
  }

  /** All new where every image is well, all old where one is not; once more off and on. */
  async #checkEnd(): Promise<void> {
    const { ecus, technician } = this.#story;
    const isWell = technician !== 'stop' && ecus.every(({ wellness }) => wellness === 'well');
    const goal = isWell ? 'new-final' : 'old';
    for (const node of this.#nodes) {
      node.stop();
      const standing = await this.#tryAsk(node, async (slots) => node.standing(slots));
      // What was only prepared waits for another day; it does not run.
      const isThere = standing === goal || (goal === 'old' && standing === 'prepared');
      if (!isThere) this.#find('mixed', `${node.name} is ${standing} and not ${goal}`);
    }
    const codes = new Set((this.#journal.content.results ?? []).map(({ code }) => code));
    const isTrue = isWell ? codes.size === 1 && codes.has('OK') : codes.has('INSTALL_FAILED');
    if (!isTrue || codes.has('WORKSHOP_REQUIRED')) {
      this.#find('mixed', `the Director is told ${[...codes].join()}`);
    }
  }

  #node(name: string): VehicleNode {
    const node = this.#nodes.find((one) => one.name === name);
    if (node === undefined) throw new TypeError(`no ECU ${name}`);
    return node;
  }

  /** Whether the planned cut has come; then the next one is planned. */
  #strike(): void {
    if (this.#planned === undefined || this.#isPlanned(this.#planned)) return;
    this.#struck += 1;
    this.#planned = undefined;
    this.#planNext();
  }

  #isPlanned({ victim }: VehicleCut): boolean {
    return victim === JOURNAL ? this.#journal.isCutPlanned : this.#node(victim).bench.isCutPlanned;
  }

  #planNext(): void {
    const next = this.#pending.shift();
    if (next === undefined) return;
    this.#planned = next;
    if (next.victim === JOURNAL) this.#journal.failPower(next.operation);
    else this.#node(next.victim).bench.failPower(next);
  }

  #find(kind: CutFailure['kind'], detail: string): void {
    this.#failures.push({ kind, id: this.#story.id, detail });
  }
}

function entryOf({ name, kind, samples }: VehicleNode, oldName: string): TransactionEcu {
  const { image } = samples.new;
  const served = { name: image.name, lengthBytes: image.lengthBytes, path: '' };
  const isKnown = oldName === samples.old.image.name;
  return {
    ecu: name,
    hardware: name,
    kind,
    rank: 0,
    name: image.name,
    sha256: image.hashes.get('sha256') ?? '',
    served,
    old: { name: oldName, sha256: '', served: isKnown ? served : null },
    step: 'idle',
    attempts: 0,
    failure: null,
  };
}

/** Time passes when somebody waits. */
function virtualTimer(): Timer {
  let nowMs = 0;
  return {
    elapsedMs: () => nowMs,
    schedule: (delayMs, action) => {
      let isOn = true;
      queueMicrotask(() => {
        if (!isOn) return;
        nowMs += delayMs;
        action();
      });
      return () => {
        isOn = false;
      };
    },
  };
}
