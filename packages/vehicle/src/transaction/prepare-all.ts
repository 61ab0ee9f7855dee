/** Brings new images into ECUs beside what they run, several at once where the buses let them. */
import { Fault } from '@immota/base';
import type { ParticipantMaker } from './participant.ts';
import type { TransactionEcu } from './record.ts';

/** Who is prepared beside whom. */
export interface PrepareScheduler {
  /**
   * Picks the ECU to be begun next.
   *
   * @param waiting - not begun yet.
   * @param running - under way.
   * @returns undefined when it is better to wait for one under way; never when none is.
   */
  pick(
    waiting: readonly TransactionEcu[],
    running: readonly TransactionEcu[],
  ): TransactionEcu | undefined;
}

/** The first that refused, or did not answer. */
export interface PrepareFailure {
  readonly entry: TransactionEcu;
  readonly fault: Fault<string>;
}

/** What it works with. */
export interface PreparePorts {
  readonly scheduler: PrepareScheduler;
  readonly participantOf: ParticipantMaker;
}

/**
 * Prepares all ECUs that have another slot. After a failure none is begun any more, and those under way
 * come to their end.
 *
 * @param onPrepared - called as each is whole and verified in its ECU.
 */
export async function prepareAll(
  ecus: readonly TransactionEcu[],
  { scheduler, participantOf }: PreparePorts,
  onPrepared: (entry: TransactionEcu) => void,
): Promise<PrepareFailure | undefined> {
  let waiting = ecus.filter(({ step }) => step === 'idle');
  const running = new Map<TransactionEcu, Promise<void>>();
  const failures: PrepareFailure[] = [];
  let crash: { readonly error: unknown } | undefined;
  const prepare = async (entry: TransactionEcu): Promise<void> => {
    try {
      // What has one bank is written when the others are ready: until then the vehicle stays as it is.
      if (entry.kind !== 'in-place') await participantOf(entry).prepare();
      onPrepared(entry);
    } catch (error) {
      const isRefusal = error instanceof Fault && error.code !== 'CLOSED';
      if (isRefusal) failures.push({ entry, fault: error });
      else crash ??= { error };
    }
  };
  for (;;) {
    const isOver = failures.length > 0 || crash !== undefined;
    const next = isOver ? undefined : scheduler.pick(waiting, [...running.keys()]);
    if (next !== undefined) {
      waiting = waiting.filter((entry) => entry !== next);
      running.set(
        next,
        prepare(next).finally(() => running.delete(next)),
      );
    } else if (running.size > 0) {
      await Promise.race(running.values());
    } else {
      break;
    }
  }
  if (crash !== undefined) throw crash.error;
  return failures[0];
}
