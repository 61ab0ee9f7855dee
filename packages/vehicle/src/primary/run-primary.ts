/** Puts a Primary together and keeps it checking in, until it is closed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@immota/base';
import type { EncryptionProfile } from '@immota/image';
import type { EcuIdentifier } from '@immota/uptane';
import { NO_SIGNALS, type VehicleSignals } from '../conditions/vehicle-signals.ts';
import { type ConsentRules, DEFAULT_RULES } from '../consent/check-answer.ts';
import { ConsentBook } from '../consent/consent-book.ts';
import type { ConsentPort } from '../consent/consent-port.ts';
import type { Fetcher } from '../download/fetcher.ts';
import { createHttpsFetcher, type TlsCredential } from '../download/https-fetcher.ts';
import type { Network } from '../download/request.ts';
import type { SecondaryLink } from '../link/secondary-link.ts';
import { checkOfflineFolder, createFolderFetcher } from '../offline/folder-fetcher.ts';
import { drawFraction, type Surroundings } from '../ports.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import { loadEcuKeys } from '../state/ecu-keys.ts';
import { openState } from '../state/vehicle-state.ts';
import { systemSurroundings } from '../system-clock.ts';
import { NO_DESK, type TechnicianDesk } from '../technician/desk.ts';
import { ALWAYS_GO, type ConditionsGate } from '../transaction/conditions.ts';
import { NO_LAYOUT, type VehicleLayout } from '../transaction/layout.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { VehicleBundle } from './bundle.ts';
import type { CheckInResult } from './carry-out.ts';
import type { PrimaryContext } from './context.ts';
import { currentCredential, renewIfDue } from './credential.ts';
import { type CycleOptions, flush, runCycle, runOfflineCycle } from './cycle.ts';
import { type ConcludedInstallation, listInstallations } from './installation.ts';
import { DEFAULT_POLICY, type PrimaryPolicy } from './policy.ts';
import type { ProgressListener } from './progress.ts';
import { isUnchanged, type QuietSpell } from './quiet.ts';
import { listenForWakeUps } from './wake-up.ts';

/** Boots in one check-in, when they happen within the process. */
const BOOTS_MAX = 4;

/** What a Primary is made of. */
export interface PrimaryOptions {
  readonly bundle: VehicleBundle;
  /** Its own disk: `state.db`, `keys/`, `downloads/`. Made when it is missing. */
  readonly folder: string;
  readonly slots: ResumableSlots;
  readonly secondaries: readonly SecondaryLink[];
  readonly consent: ConsentPort;
  /** Who may answer, and when; a bench that stands when left out. */
  readonly rules?: ConsentRules | undefined;
  /** BCP 47; `en` when left out. */
  readonly locale?: string | undefined;
  /** Which keys the ECU makes at its first start; `classic` when left out. */
  readonly profile?: EncryptionProfile | undefined;
  readonly policy?: Partial<PrimaryPolicy> | undefined;
  /** Whether the vehicle is in a condition for a step; nothing is held back when left out. */
  readonly gate?: ConditionsGate | undefined;
  /** What campaigns may ask about; when left out their conditions are never met, and every network is metered. */
  readonly signals?: VehicleSignals | undefined;
  /** Where technicians are met; nobody is when left out, and what waits for one waits on. */
  readonly technicians?: TechnicianDesk | undefined;
  /** How the ECUs are connected, for order and for times; all by themselves when left out. */
  readonly layout?: VehicleLayout | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /**
   * Boots this ECU: the process ends, and another one begins. Left out, the slots boot within this
   * process.
   */
  readonly reboot?: (() => void) | undefined;
  /** The outside world, for a simulation: time and chance, the network, the disk's free bytes. */
  readonly surroundings?: Surroundings | undefined;
  readonly makeFetcher?: ((credential: TlsCredential) => Fetcher) | undefined;
  readonly findFreeBytes?: ((folder: string) => Promise<number>) | undefined;
  /** Called before each durable write of the state: a simulation stops the power here. */
  readonly onWrite?: (() => void) | undefined;
}

/** A Primary that runs. */
export interface Primary {
  readonly ecuIdentifier: EcuIdentifier;
  /** Checks in now; while a check-in runs, waits for that one. @throws VehicleFault CLOSED. */
  checkIn(): Promise<CheckInResult>;
  /** Updates from a folder as the gateway would serve it. @throws VehicleFault CLOSED, OFFLINE_MALFORMED. */
  updateFromFolder(folder: string): Promise<CheckInResult>;
  /** Hints that there may be something; repeated hints lead to one check-in. */
  wake(): void;
  /** Takes back a no, a "later" or a yes for another time: it is asked again at the next check-in. */
  reopenConsent(correlationId: string): void;
  /** Lists what installations came to, oldest first, behind a number of the journal. */
  listInstallations(afterSequence: number): readonly ConcludedInstallation[];
  /** Ends everything; what was under way goes on at the next start. */
  close(): Promise<void>;
}

/**
 * Starts a Primary. It boots its slots, makes or loads its keys, and polls if the policy says so.
 *
 * @throws VehicleFault STATE_CORRUPT, STATE_BUSY, ECU_KEY.
 */
export async function runPrimary(options: PrimaryOptions): Promise<Primary> {
  const { bundle, folder, slots } = options;
  const surroundings = options.surroundings ?? systemSurroundings();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keys = loadEcuKeys(join(folder, 'keys'), {
    profile: options.profile ?? 'classic',
    entropy: surroundings.entropy,
  });
  const state = openState(join(folder, 'state.db'), { onWrite: options.onWrite });
  await slots.boot();
  const closing = new AbortController();
  const connection = new Connection(options, currentCredential(state, bundle));
  const network = (): Network => ({
    fetcher: connection.fetcher,
    surroundings,
    signal: closing.signal,
  });
  const context: PrimaryContext = {
    bundle,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    state,
    keys,
    slots,
    links: options.secondaries,
    surroundings,
    network,
    gate: options.gate ?? ALWAYS_GO,
    signals: options.signals ?? NO_SIGNALS,
    isOffline: false,
    technicians: options.technicians ?? NO_DESK,
    layout: options.layout ?? NO_LAYOUT,
    downloadFolder: join(folder, 'downloads'),
    findFreeBytes: options.findFreeBytes,
    onProgress: options.onProgress ?? ignore,
  };
  const loop = new CheckInLoop(context, connection, options);
  loop.start();
  return {
    ecuIdentifier: bundle.ecuIdentifier,
    checkIn: () => loop.checkIn(),
    updateFromFolder: (path) => loop.updateFromFolder(path),
    wake: () => loop.wake(),
    reopenConsent: (correlationId) => loop.reopenConsent(correlationId),
    listInstallations: (afterSequence) => listInstallations(context, afterSequence),
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort(closed());
      await loop.close();
      connection.close();
      for (const link of options.secondaries) await link.close();
      state.close();
    },
  };
}

/** The way to the gateway, which changes when the certificate is renewed. */
class Connection {
  readonly #make: (credential: TlsCredential) => Fetcher;
  fetcher: Fetcher;
  credential: TlsCredential;

  constructor({ bundle, makeFetcher }: PrimaryOptions, credential: TlsCredential) {
    const { rootsPem, gatewayOrigin } = bundle;
    this.#make =
      makeFetcher ??
      ((own): Fetcher => createHttpsFetcher({ rootsPem, gatewayOrigin, credential: own }));
    this.credential = credential;
    this.fetcher = this.#make(credential);
  }

  renew(credential: TlsCredential): void {
    this.fetcher.close();
    this.credential = credential;
    this.fetcher = this.#make(credential);
  }

  close(): void {
    this.fetcher.close();
  }
}

/** Who checks in, and when. One check-in at a time. */
class CheckInLoop {
  readonly #context: PrimaryContext;
  readonly #connection: Connection;
  readonly #cycle: CycleOptions;
  readonly #reboot: (() => void) | undefined;
  #running: Promise<CheckInResult> | undefined;
  #stopListening: (() => Promise<void>) | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelWake: (() => void) | undefined;
  #isClosed = false;
  #startedMs = Number.NEGATIVE_INFINITY;
  #quiet: QuietSpell | undefined;

  constructor(context: PrimaryContext, connection: Connection, options: PrimaryOptions) {
    this.#context = context;
    this.#connection = connection;
    this.#reboot = options.reboot;
    this.#cycle = {
      consent: options.consent,
      rules: options.rules ?? DEFAULT_RULES,
      locale: options.locale ?? 'en',
    };
  }

  /** Listens for wake-ups; the first poll is soon, since a start is when most is new. */
  start(): void {
    this.#listen();
    if (this.#context.policy.pollIntervalMs === undefined) return;
    this.wake();
    this.#schedulePoll();
  }

  checkIn(): Promise<CheckInResult> {
    return this.#once(() => this.#checkIn());
  }

  async updateFromFolder(folder: string): Promise<CheckInResult> {
    while (this.#running !== undefined) await this.#running.catch(ignore);
    return await this.#once(() => this.#updateFrom(folder));
  }

  wake(): void {
    if (this.#isClosed || this.#cancelWake !== undefined) return;
    const { policy, surroundings } = this.#context;
    const dueMs = this.#startedMs + policy.checkInSpacingMs;
    const delayMs = Math.max(0, dueMs - surroundings.timer.elapsedMs());
    this.#cancelWake = surroundings.timer.schedule(delayMs, () => {
      this.#cancelWake = undefined;
      this.#checkInAside();
    });
  }

  reopenConsent(correlationId: string): void {
    if (this.#isClosed) throw closed();
    // Without a network nothing can go on, but it is asked all the same when there is one.
    if (new ConsentBook(this.#context.state).reopen(correlationId)) this.#quiet = undefined;
    this.wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll?.();
    this.#cancelWake?.();
    await this.#stopListening?.();
    // What was under way ends with CLOSED, which is what was wanted.
    await this.#running?.catch(ignore);
  }

  async #once(act: () => Promise<CheckInResult>): Promise<CheckInResult> {
    if (this.#isClosed) throw closed();
    if (this.#running !== undefined) return await this.#running;
    this.#startedMs = this.#context.surroundings.timer.elapsedMs();
    this.#running = act();
    try {
      const result = await this.#running;
      const code = 'fault' in result ? result.fault.code : undefined;
      this.#context.onProgress({ kind: 'check-in-ended', result: result.kind, code });
      return result;
    } finally {
      this.#running = undefined;
    }
  }

  /** A server that cannot be reached is a result like others: the next check-in may reach it. */
  async #checkIn(): Promise<CheckInResult> {
    try {
      if (this.#quiet !== undefined && (await isUnchanged(this.#context, this.#quiet))) {
        await flush(this.#context);
        return { kind: 'nothing-new' };
      }
      const run = (): Promise<CheckInResult> => this.#runCycle();
      const result = await this.#bootIfDue(await run(), run);
      // Last, since a cycle has just learnt the time by which certificates are judged.
      await this.#renewCertificate();
      return result;
    } catch (error) {
      if (!(error instanceof Fault) || this.#isClosed) throw error;
      this.#quiet = undefined;
      noteAttack(this.#context, error);
      return { kind: 'waiting', fault: error };
    }
  }

  async #runCycle(): Promise<CheckInResult> {
    const { result, quiet } = await runCycle(this.#context, this.#cycle);
    this.#quiet = quiet;
    return result;
  }

  async #updateFrom(folder: string): Promise<CheckInResult> {
    await checkOfflineFolder(folder);
    const fetcher = createFolderFetcher(folder, this.#context.bundle.gatewayOrigin);
    const network = (): Network => ({ ...this.#context.network(), fetcher });
    const run = (): Promise<CheckInResult> =>
      runOfflineCycle({ ...this.#context, network, isOffline: true }, this.#cycle);
    this.#quiet = undefined;
    return await this.#bootIfDue(await run(), run);
  }

  /** The old certificate still works: what fails here is told, and tried again next time. */
  async #renewCertificate(): Promise<void> {
    try {
      const credential = await renewIfDue(this.#context);
      if (credential === undefined) return;
      this.#connection.renew(credential);
      await this.#stopListening?.();
      this.#listen();
    } catch (error) {
      if (!(error instanceof Fault) || this.#isClosed) throw error;
      noteAttack(this.#context, error);
      // The next check-in tells the Director.
      this.#quiet = undefined;
    }
  }

  /** Boots this ECU, and after a boot within this process asks again what came of it. */
  async #bootIfDue(
    result: CheckInResult,
    again: () => Promise<CheckInResult>,
  ): Promise<CheckInResult> {
    let last = result;
    // To the new image, and perhaps back from it.
    for (let boots = 0; last.kind === 'booting' && boots < BOOTS_MAX; boots += 1) {
      this.#quiet = undefined;
      if (this.#reboot !== undefined) {
        this.#reboot();
        return last;
      }
      await this.#context.slots.boot();
      last = await again();
    }
    return last;
  }

  #schedulePoll(): void {
    const { policy, surroundings } = this.#context;
    if (policy.pollIntervalMs === undefined || this.#isClosed) return;
    const { pollIntervalMs, pollJitter } = policy;
    const factor = 1 + pollJitter * (2 * drawFraction(surroundings.entropy) - 1);
    this.#cancelPoll = surroundings.timer.schedule(pollIntervalMs * factor, () => {
      this.#checkInAside();
      this.#schedulePoll();
    });
  }

  /** Nobody waits for this one; only a bug may end the process. */
  #checkInAside(): void {
    this.checkIn().catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
    });
  }

  #listen(): void {
    const { bundle } = this.#context;
    if (bundle.wakeUrl === undefined) return;
    this.#stopListening = listenForWakeUps({
      url: bundle.wakeUrl,
      vehicleIdentifier: bundle.vehicleIdentifier,
      rootsPem: bundle.rootsPem,
      credential: this.#connection.credential,
      onWake: () => this.wake(),
    });
  }
}

function closed(): VehicleFault {
  return new VehicleFault('CLOSED', 'Cannot go on: the Primary is closed');
}

function ignore(): void {
  // Nobody listens.
}
