/**
 * The programming of an ECU from the first word to the last, as makers do it (the HIS sequence, which
 * ISO 14229-1 describes in its annexes): pre-programming, rights, fingerprint, and for each block erase,
 * download and check; then dependencies, activation, reset and what comes after.
 */
import { ALL_DTC_GROUPS, clearDtcs } from '../service/0x14-clear-diagnostic-information.ts';
import { controlCommunicationSilently } from '../service/0x28-communication-control.ts';
import { controlDtcSettingSilently } from '../service/0x85-control-dtc-setting.ts';
import { controlRoutine, ROUTINES } from '../service/0x31-routine-control.ts';
import { readData } from '../service/0x22-read-data-by-identifier.ts';
import { resetEcu } from '../service/0x11-ecu-reset.ts';
import { startSession, startSessionSilently } from '../service/0x10-diagnostic-session-control.ts';
import { writeData } from '../service/0x2e-write-data-by-identifier.ts';
import { MessageReader } from '../message-reader.ts';
import { UdsFault } from '../uds-fault.ts';
import { gainRights, type UdsCredential } from './authentication-procedure.ts';
import { ask, enterPhase, tellGroup, type UdsProcedure } from './step.ts';
import { downloadMemory, type TransferSource } from './transfer-procedure.ts';

/** One block to be programmed. */
export interface PlannedBlock extends TransferSource {
  readonly block: number;
  readonly address: number;
  /** Handed to the check: a signature or a checksum. */
  readonly checkOption: Uint8Array;
}

/** What is to be done. */
export interface ProgrammingPlan {
  /**
   * `silent`: into the bank that does not run, in the extended session, while the vehicle drives;
   * `programming`: one bank, in the programming session, with the bus kept quiet.
   */
  readonly flavour: 'silent' | 'programming';
  readonly credential: UdsCredential | undefined;
  /** Read before and told by progress. */
  readonly identification: readonly number[];
  /** Written before the first erasure, in this order: who programs, and when. */
  readonly fingerprints: readonly { readonly identifier: number; readonly record: Uint8Array }[];
  /** Asks the ECU whether it can be programmed now. */
  readonly isPreconditionChecked: boolean;
  /** Without those that an earlier attempt has brought to `blockChecked` and the ECU has kept. */
  readonly blocks: readonly PlannedBlock[];
  /** Left out: the ECU keeps what it has got, and is activated another time. */
  readonly activation: ActivationPlan | undefined;
}

/** How what was programmed comes to run. */
export interface ActivationPlan {
  /** Started before the reset: it makes the other bank the next to boot. */
  readonly routine: number | undefined;
  readonly option: Uint8Array;
  /** How often, and at which pause, the ECU is asked whether it is back. */
  readonly returnAttempts: number;
  readonly returnPauseMs: number;
}

const SUCCESS = 0;
const BY_NUMBER = 1;
const OFFSET_BYTES = 8;

/**
 * Programs an ECU.
 *
 * @throws UdsFault as its steps do; ROUTINE_FAILED when a precondition, an erasure, a check or the
 * dependencies are not as they should be. The bus is given free again before it throws.
 */
export function* programEcu(plan: ProgrammingPlan): UdsProcedure<undefined> {
  const isQuiet = plan.flavour === 'programming';
  try {
    yield* prepareProgramming(plan);
    yield* enterPhase('authentication');
    if (plan.credential !== undefined) yield* gainRights(plan.credential);
    yield* enterPhase('fingerprint');
    for (const { identifier, record } of plan.fingerprints) {
      yield* ask(writeData(identifier, record));
    }
    for (const block of plan.blocks) yield* programBlock(block);
    yield* enterPhase('dependencies');
    const dependencies = controlRoutine('start', ROUTINES.checkProgrammingDependencies);
    checkStatus(yield* ask(dependencies), 'dependencies');
    if (plan.activation !== undefined) yield* activate(plan.activation);
    yield* enterPhase('postProgramming');
    if (plan.activation !== undefined) yield* clearTroubles();
    yield* finishProgramming(isQuiet);
  } catch (error) {
    yield* giveUp(isQuiet);
    throw error;
  }
  return undefined;
}

function* prepareProgramming(plan: ProgrammingPlan): UdsProcedure<undefined> {
  const isQuiet = plan.flavour === 'programming';
  yield* enterPhase('preProgramming');
  if (isQuiet) yield* tellGroup(startSessionSilently('extended'));
  yield* ask(startSession('extended'));
  yield { kind: 'keepSession', isKept: true };
  const data = new Map<number, Uint8Array>();
  for (const identifier of plan.identification) {
    data.set(identifier, yield* ask(readData(identifier)));
  }
  yield { kind: 'progress', progress: { kind: 'identified', data } };
  if (plan.isPreconditionChecked) {
    const call = controlRoutine('start', ROUTINES.checkProgrammingPreconditions);
    checkStatus(yield* ask(call), 'preconditions');
  }
  if (!isQuiet) return undefined;
  // Trouble codes first, so that the silence of the others sets none.
  yield* tellGroup(controlDtcSettingSilently(false));
  yield* tellGroup(controlCommunicationSilently('enableRxAndDisableTx'));
  yield* ask(startSession('programming'));
  return undefined;
}

function* programBlock(block: PlannedBlock): UdsProcedure<undefined> {
  const number = Uint8Array.of(BY_NUMBER, block.block);
  yield* enterPhase('erase');
  const erased = yield* ask(controlRoutine('start', ROUTINES.eraseMemory, number));
  const offsetBytes = readOffset(checkStatus(erased, 'erasure'), block.lengthBytes);
  yield* enterPhase('download');
  if (offsetBytes < block.lengthBytes) yield* downloadMemory(block, block.address, offsetBytes);
  yield* enterPhase('check');
  const option = Uint8Array.of(...number, ...block.checkOption);
  checkStatus(yield* ask(controlRoutine('start', ROUTINES.checkMemory, option)), 'memory');
  yield { kind: 'progress', progress: { kind: 'blockChecked', source: block.source } };
  return undefined;
}

function* activate(plan: ActivationPlan): UdsProcedure<undefined> {
  yield* enterPhase('activation');
  if (plan.routine !== undefined) {
    checkStatus(yield* ask(controlRoutine('start', plan.routine, plan.option)), 'activation');
  }
  yield* ask(resetEcu('hard'));
  yield* awaitReturn(plan);
  return undefined;
}

/** Asks for a session until the ECU is back. @throws UdsFault TIMEOUT. */
export function* awaitReturn({
  returnAttempts,
  returnPauseMs,
}: Pick<ActivationPlan, 'returnAttempts' | 'returnPauseMs'>): UdsProcedure<undefined> {
  for (let attempt = 1; ; attempt += 1) {
    yield { kind: 'pause', delayMs: returnPauseMs };
    try {
      yield* ask(startSession('extended'));
      return undefined;
    } catch (error) {
      const isAway = error instanceof UdsFault && error.code === 'TIMEOUT';
      if (!isAway || attempt >= returnAttempts) throw error;
    }
  }
}

/** What the programming itself has set; an ECU without trouble codes has none to clear. */
function* clearTroubles(): UdsProcedure<undefined> {
  try {
    yield* ask(clearDtcs(ALL_DTC_GROUPS));
  } catch (error) {
    if (!(error instanceof UdsFault) || error.code !== 'REFUSED') throw error;
  }
  return undefined;
}

function* finishProgramming(isQuiet: boolean): UdsProcedure<undefined> {
  if (isQuiet) {
    yield* tellGroup(startSessionSilently('extended'));
    yield* tellGroup(controlCommunicationSilently('enableRxAndTx'));
    yield* tellGroup(controlDtcSettingSilently(true));
    yield* tellGroup(startSessionSilently('default'));
  }
  yield { kind: 'keepSession', isKept: false };
  yield* ask(startSession('default'));
  return undefined;
}

/** Leaves nobody quiet for longer than need be; the first fault is the one that counts. */
function* giveUp(isQuiet: boolean): UdsProcedure<undefined> {
  try {
    yield* finishProgramming(isQuiet);
  } catch (error) {
    if (!(error instanceof UdsFault)) throw error;
  }
  return undefined;
}

/** The first byte says whether it went well; without one it did. @returns what follows. */
function checkStatus(record: Uint8Array, what: string): Uint8Array {
  const status = record[0] ?? SUCCESS;
  if (status === SUCCESS) return record.subarray(1);
  throw new UdsFault('ROUTINE_FAILED', `Cannot program ECU: ${what} ended with ${status}`);
}

/** Where the ECU wants the block to go on; another maker's says nothing of it. */
function readOffset(record: Uint8Array, lengthBytes: number): number {
  if (record.length !== OFFSET_BYTES) return 0;
  const offsetBytes = new MessageReader(record).uint(OFFSET_BYTES);
  if (offsetBytes <= lengthBytes) return offsetBytes;
  throw new UdsFault('ANSWER_UNEXPECTED', 'Cannot resume block: the ECU is past its end');
}
