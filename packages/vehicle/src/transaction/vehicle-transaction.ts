/**
 * Brings several ECUs from their old images to their new ones together: all new, all old, or in a
 * declared safe state that names the ECU which needs a workshop.
 *
 * It is one loop that can be left and entered at any point: what it knows is in the journal, what is true
 * it asks the ECUs, and every step may be done twice. So an interruption needs no handling of its own: a
 * killed T-BOX enters the loop again.
 */
import { Fault } from '@immota/base';
import { type Timer, wait } from '../ports.ts';
import type { TechnicianGate } from '../technician/gate.ts';
import type { TechnicianStep } from '../technician/stop.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { ConditionsGate, GateScope, GateStep } from './conditions.ts';
import { ATTEMPTS_MAX, SILENCES_MAX } from './limits.ts';
import type { Participant, ParticipantMaker, Standing, TransactionJournal } from './participant.ts';
import { prepareAll, type PrepareScheduler } from './prepare-all.ts';
import {
  activationGroups,
  type EcuStep,
  type TransactionEcu,
  type TransactionPhase,
  type TransactionRecord,
  withEcu,
  withPhase,
} from './record.ts';
import { type EcuResult, resultOf, resultsOf } from './results.ts';

/** What a pass through the loop came to. */
export type TransactionOutcome =
  /** It is over, and every ECU that was touched has a result. */
  | { readonly kind: 'concluded'; readonly results: readonly EcuResult[] }
  /** It goes on another time: an ECU is silent, or the conditions are not met. */
  | { readonly kind: 'waiting'; readonly fault: VehicleFault }
  /** This very ECU has to boot; then it goes on. */
  | { readonly kind: 'booting' };

/** What a transaction tells while it works. */
export type TransactionEvent =
  | { readonly kind: 'phase'; readonly phase: TransactionPhase }
  | { readonly kind: 'step'; readonly ecu: string; readonly step: EcuStep };

/** What it needs. */
export interface TransactionPorts {
  readonly journal: TransactionJournal;
  readonly participantOf: ParticipantMaker;
  readonly gate: ConditionsGate;
  /** Asked where the record has a stop. */
  readonly technician: TechnicianGate;
  /** Who is prepared beside whom. */
  readonly scheduler: PrepareScheduler;
  readonly timer: Timer;
  /** Ends the waits; the transaction goes on at the next start. */
  readonly signal: AbortSignal;
  /** How long an ECU may be silent in one pass, and how often it is asked meanwhile. */
  readonly patienceMs: number;
  readonly pollMs: number;
  readonly onEvent: (event: TransactionEvent) => void;
}

/**
 * Takes a transaction as far as it gets.
 *
 * @param record - new, or as the journal has it.
 * @throws VehicleFault CLOSED, and what is no refusal of an ECU.
 */
export async function advanceTransaction(
  record: TransactionRecord,
  ports: TransactionPorts,
): Promise<TransactionOutcome> {
  return await new Advance(record, ports).run();
}

/** What became of one ECU in a pass. */
type Verdict =
  | { readonly kind: 'done' | 'booting' }
  | { readonly kind: 'silent'; readonly fault: VehicleFault };

/** What follows from how an ECU stands: it is done, it was made to do something, or T-BOX boots. */
type Reaction = 'done' | 'acted' | 'booting';

/** Thrown within a pass: nothing further is begun. */
const HELD_BACK = 'CONDITIONS';

class Advance {
  readonly #ports: TransactionPorts;
  #record: TransactionRecord;

  constructor(record: TransactionRecord, ports: TransactionPorts) {
    this.#record = record;
    this.#ports = ports;
  }

  async run(): Promise<TransactionOutcome> {
    for (;;) {
      const outcome = await this.#pass();
      if (outcome !== undefined) return outcome;
    }
  }

  /** One step of the whole; undefined when the next one can follow at once. */
  async #pass(): Promise<TransactionOutcome | undefined> {
    switch (this.#record.phase) {
      case 'preparing':
        return await this.#prepare();
      case 'activating':
        return await this.#activate();
      case 'committing':
        return await this.#commit();
      case 'rolling-back':
        return await this.#rollBack();
    }
  }

  async #prepare(): Promise<TransactionOutcome | undefined> {
    const { journal, participantOf, scheduler, gate } = this.#ports;
    journal.save(this.#record);
    const failure = await prepareAll(this.#record.ecus, { scheduler, participantOf }, (ecu) =>
      this.#step(ecu, 'prepared'),
    );
    if (failure !== undefined) {
      const { entry, fault } = failure;
      if (isSilence(fault)) return { kind: 'waiting', fault };
      this.#step(entry, 'failed', resultOf(entry.ecu, fault));
      return this.#conclude();
    }
    const stopped = await this.#stop('activate');
    if (stopped === 'stopped') return this.#conclude();
    if (stopped !== undefined) return stopped;
    const { isGo, reason } = await gate.check('activate', this.#scope);
    if (!isGo) return { kind: 'waiting', fault: heldBack(reason) };
    this.#phase('activating');
    return undefined;
  }

  /**
   * Stops for a technician where the record says so {R156 7.1.4.2}.
   *
   * @returns undefined when it goes on; `stopped` when the technician has said no, and it is written down.
   */
  async #stop(step: TechnicianStep): Promise<TransactionOutcome | 'stopped' | undefined> {
    const stop = this.#record.stops.find((one) => one.step === step);
    if (stop === undefined) return undefined;
    const verdict = await this.#ports.technician.ask(stop, this.#record);
    switch (verdict.kind) {
      case 'go':
        return undefined;
      case 'wait':
        // Nothing is held against an ECU meanwhile: people take the time that they take.
        return { kind: 'waiting', fault: new VehicleFault('TECHNICIAN_PENDING', verdict.reason) };
      case 'stop': {
        const fault = new VehicleFault('TECHNICIAN_REFUSED', verdict.reason);
        for (const entry of this.#record.ecus) {
          if (stop.ecus.includes(entry.ecu)) {
            this.#step(entry, 'failed', resultOf(entry.ecu, fault));
          }
        }
        return 'stopped';
      }
    }
  }

  get #scope(): GateScope {
    return { hasOneBank: this.#record.ecus.some(({ kind }) => kind === 'in-place') };
  }

  async #activate(): Promise<TransactionOutcome | undefined> {
    const { ecus } = this.#record;
    if (ecus.some(({ step }) => step === 'failed')) return this.#phase('rolling-back');
    const group = activationGroups(ecus).find((one) => one.some(({ step }) => step !== 'trial'));
    if (group === undefined) return await this.#concur();
    const step: GateStep = group.some(({ kind }) => kind === 'self') ? 'boot-self' : 'activate';
    return await this.#together(group, step, 'failed', (entry, participant) => {
      let isActivated = false;
      return async (standing) => {
        const { attempts } = this.#entry(entry);
        if (standing === 'new-trial' || standing === 'new-final') return this.#step(entry, 'trial');
        const mayWrite = entry.kind === 'in-place' && !isActivated;
        if ((standing !== 'prepared' && !mayWrite) || attempts >= ATTEMPTS_MAX) {
          throw notInstalled(entry, standing);
        }
        // Before it is done: whoever finds this knows that it may have been.
        if (this.#entry(entry).step !== 'begun') this.#step(entry, 'begun');
        if (standing === 'prepared') {
          isActivated = true;
          await participant.activate();
        } else {
          await participant.prepare();
        }
        this.#count(entry);
        return standing === 'prepared' && entry.kind === 'self' ? 'booting' : 'acted';
      };
    });
  }

  /** Every ECU runs its new image: who has to look at it does so, before all of it becomes final. */
  async #concur(): Promise<TransactionOutcome | undefined> {
    const stopped = await this.#stop('commit');
    if (stopped === 'stopped') return undefined;
    return stopped ?? (await this.#decide());
  }

  /**
   * The decision: from here on every ECU is brought to its new image, and none back. All are asked once
   * more before it: since the first of them was well, the last may have taken an hour.
   */
  async #decide(): Promise<TransactionOutcome | undefined> {
    const outcome = await this.#together(this.#record.ecus, undefined, 'failed', (entry) => {
      // oxlint-disable-next-line require-await -- the others have something to do
      return async (standing) => {
        if (standing === 'new-trial' || standing === 'new-final') return 'done';
        throw notInstalled(entry, standing);
      };
    });
    if (outcome !== undefined) return outcome;
    const isWell = this.#record.ecus.every(({ step }) => step === 'trial');
    return isWell ? this.#phase('committing') : undefined;
  }

  async #commit(): Promise<TransactionOutcome | undefined> {
    const open = this.#record.ecus.filter(({ step }) => step !== 'confirmed' && step !== 'lost');
    if (open.length === 0) return this.#conclude();
    return await this.#together(open, undefined, 'lost', (entry, participant) => {
      let left = ATTEMPTS_MAX;
      return async (standing) => {
        if (standing === 'new-final') return this.#step(entry, 'confirmed');
        // It has said that it can, and cannot: the others are final already, or may be.
        if (standing !== 'new-trial' || left === 0) throw notInstalled(entry, standing);
        await participant.confirm();
        left -= 1;
        return 'acted';
      };
    });
  }

  async #rollBack(): Promise<TransactionOutcome | undefined> {
    const group = activationGroups(this.#record.ecus)
      .toReversed()
      .map((ecus) => ecus.filter((entry) => isToRollBack(entry)))
      .find((ecus) => ecus.length > 0);
    if (group === undefined) return this.#conclude();
    return await this.#together(group, 'roll-back', 'lost', (entry, participant) => {
      let isTold = false;
      return async (standing) => {
        const { attempts } = this.#entry(entry);
        // It is told even when it seems to be back: what was on its way to it is behind it then.
        if (standing === 'old' && isTold) return this.#step(entry, 'rolled-back');
        if (standing === 'new-final' || attempts >= ATTEMPTS_MAX)
          throw notTakenBack(entry, standing);
        await participant.rollBack();
        isTold = true;
        if (standing !== 'old') this.#count(entry);
        return entry.kind === 'self' && standing === 'new-trial' ? 'booting' : 'acted';
      };
    });
  }

  /**
   * Brings ECUs through the same step at once, and says what follows for the whole.
   *
   * @param ifNot - what becomes of an ECU that refuses, or is silent too long.
   */
  async #together(
    group: readonly TransactionEcu[],
    step: GateStep | undefined,
    ifNot: 'failed' | 'lost',
    reactionOf: (
      entry: TransactionEcu,
      participant: Participant,
    ) => (standing: Standing) => Promise<Reaction>,
  ): Promise<TransactionOutcome | undefined> {
    const { gate, participantOf } = this.#ports;
    const verdict = step === undefined ? undefined : await gate.check(step, this.#scope);
    if (verdict?.isGo === false) return this.#wait(heldBack(verdict.reason), group, ifNot);
    let violation: string | undefined;
    const stop =
      step === undefined
        ? undefined
        : gate.watch(step, this.#scope, (reason) => (violation ??= reason));
    try {
      const verdicts = await Promise.all(
        group.map(async (entry) => {
          const participant = participantOf(entry);
          const react = reactionOf(entry, participant);
          return await this.#follow(entry, ifNot, participant, async (standing) => {
            if (violation !== undefined) throw heldBack(violation);
            return await react(standing);
          });
        }),
      );
      const silent = group.filter((_, index) => verdicts[index]?.kind === 'silent');
      const first = verdicts.find((one) => one.kind === 'silent');
      if (first?.kind === 'silent') return this.#wait(first.fault, silent, ifNot);
      return verdicts.some(({ kind }) => kind === 'booting') ? { kind: 'booting' } : undefined;
    } finally {
      stop?.();
    }
  }

  /** Asks an ECU how it stands, and reacts, until it is done or has been silent for too long. */
  async #follow(
    entry: TransactionEcu,
    ifNot: 'failed' | 'lost',
    participant: Participant,
    react: (standing: Standing) => Promise<Reaction>,
  ): Promise<Verdict> {
    const { timer, pollMs, patienceMs, signal } = this.#ports;
    const deadlineMs = timer.elapsedMs() + patienceMs;
    let last = new VehicleFault('ECU_UNREACHABLE', `Cannot hear "${entry.ecu}" after its boot`);
    for (;;) {
      try {
        const standing = await participant.observe();
        const reaction = standing === 'busy' ? 'busy' : await react(standing);
        if (reaction === 'acted') continue;
        if (reaction !== 'busy') return { kind: reaction };
      } catch (error) {
        // Whoever closes the Primary has not made an ECU fail.
        if (!(error instanceof Fault) || error.code === 'CLOSED') throw error;
        if (!isSilence(error)) {
          this.#step(entry, ifNot, resultOf(entry.ecu, error));
          return { kind: 'done' };
        }
        if (error.code === HELD_BACK) return { kind: 'silent', fault: error };
        last = error;
      }
      if (timer.elapsedMs() >= deadlineMs) return { kind: 'silent', fault: last };
      await wait(timer, pollMs, signal);
      signal.throwIfAborted();
    }
  }

  /** Goes on another time, a limited number of times; then what did not answer has failed. */
  #wait(
    fault: VehicleFault,
    group: readonly TransactionEcu[],
    ifNot: 'failed' | 'lost',
  ): TransactionOutcome | undefined {
    const { silences, phase } = this.#record;
    // Conditions that do not let an ECU go back say nothing against the ECU.
    const isPatient = fault.code === HELD_BACK && phase === 'rolling-back';
    if (isPatient) return { kind: 'waiting', fault };
    if (silences < SILENCES_MAX) {
      this.#save({ ...this.#record, silences: silences + 1 });
      return { kind: 'waiting', fault };
    }
    for (const entry of group) {
      const { step } = this.#entry(entry);
      const isOver = step === 'confirmed' || step === 'rolled-back';
      if (!isOver) this.#step(entry, ifNot, resultOf(entry.ecu, fault));
    }
    return undefined;
  }

  #conclude(): TransactionOutcome {
    const results = resultsOf(this.#record);
    this.#ports.journal.conclude(this.#record, results);
    return { kind: 'concluded', results };
  }

  #phase(phase: TransactionPhase): undefined {
    this.#save(withPhase(this.#record, phase));
    this.#ports.onEvent({ kind: 'phase', phase });
  }

  #step({ ecu }: TransactionEcu, step: EcuStep, result?: EcuResult): 'done' {
    const { failure: known } = this.#entry({ ecu });
    // The first failure is the one that matters; a later one says why it needs a workshop.
    const isNew = result !== undefined && (known === null || step === 'lost');
    const failure = isNew ? { code: result.code, description: result.description } : known;
    this.#save(withEcu(this.#record, ecu, { step, failure }));
    this.#ports.onEvent({ kind: 'step', ecu, step });
    return 'done';
  }

  /** Counts what was done: an answer that got lost is not held against the ECU. */
  #count({ ecu }: TransactionEcu): void {
    const { attempts } = this.#entry({ ecu });
    this.#save(withEcu(this.#record, ecu, { attempts: attempts + 1 }));
  }

  #save(record: TransactionRecord): void {
    this.#ports.journal.save(record);
    this.#record = record;
  }

  #entry({ ecu }: Pick<TransactionEcu, 'ecu'>): TransactionEcu {
    const entry = this.#record.ecus.find((one) => one.ecu === ecu);
    if (entry === undefined) throw new TypeError(`no ECU ${ecu}`);
    return entry;
  }
}

/** What was begun, or may have been, and is not back. */
function isToRollBack({ step }: TransactionEcu): boolean {
  if (step === 'begun' || step === 'trial') return true;
  return step === 'failed';
}

/** What says nothing about the ECU: it does not answer, or another answers in its place. */
function isSilence(fault: Fault<string>): fault is VehicleFault {
  return (
    fault instanceof VehicleFault &&
    (fault.code === 'ECU_UNREACHABLE' || fault.code === 'ECU_UNTRUSTED' || fault.code === HELD_BACK)
  );
}

function heldBack(reason: string): VehicleFault {
  return new VehicleFault(HELD_BACK, `Cannot go on now: ${reason}`);
}

function notInstalled({ name, old }: TransactionEcu, standing: Standing): VehicleFault {
  const running = standing === 'old' ? `"${old.name}"` : 'neither it nor the old one';
  return new VehicleFault(
    'INSTALL_FAILED',
    `Cannot install "${name}": after its boot the ECU runs ${running}`,
  );
}

function notTakenBack({ name, old }: TransactionEcu, standing: Standing): VehicleFault {
  const running = standing === 'other' ? 'neither' : `"${name}"`;
  return new VehicleFault(
    'INSTALL_FAILED',
    `Cannot bring "${old.name}" back: the ECU still runs ${running}`,
  );
}
