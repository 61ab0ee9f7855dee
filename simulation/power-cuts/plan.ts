/**
 * What a vehicle wants of an ECU in one story, and how it goes about it after each start: from what the
 * ECU says alone, and from the few things that a vehicle has in its own journal.
 */
import { Fault } from '@immota/base';
import {
  installDelta,
  installImage,
  type ResumableSlots,
  type SlotImage,
  VehicleFault,
} from '@immota/vehicle';
import type { Wellness } from './cut-bench.ts';
import type { Sample, SamplePair } from './samples.ts';

/**
 * `first`: the first image of its life. `update`: a newer one. `interrupted`: the transfer breaks off
 * once. `revert`: the new one is well, and is taken back. `sick`: it fails its self test. `hanging`: it
 * never answers, and the watchdog resets it.
 */
export const STORIES = ['first', 'update', 'interrupted', 'revert', 'sick', 'hanging'] as const;
/** One of them. */
export type Story = (typeof STORIES)[number];

/** What the ECU has acknowledged for the new image, so that the vehicle counts on it. */
export type Promised = 'nothing' | 'prepared' | 'activated' | 'final';

/** A vehicle's journal for one ECU. */
export interface Journal {
  phase: 'forward' | 'back';
  promised: Promised;
  hasBrokenOff: boolean;
  /** Why the ECU refused a delta that is good: its bank is neither image any more. */
  refusedDelta: string | undefined;
  isDone: boolean;
}

const PIECE_BYTES = 700;

/** The journal before anything was done. */
export function newJournal(): Journal {
  return {
    phase: 'forward',
    promised: 'nothing',
    hasBrokenOff: false,
    refusedDelta: undefined,
    isDone: false,
  };
}

/** What the ECU runs for good when a story is over. */
export function endOf(story: Story, samples: SamplePair): Sample {
  const isTaken = story === 'first' || story === 'update' || story === 'interrupted';
  return isTaken ? samples.new : samples.old;
}

/** How an image of a story is. */
export function wellnessIn(story: Story, samples: SamplePair): (image: SlotImage) => Wellness {
  return (image) => {
    const isNew = image.name === samples.new.image.name;
    return isNew && (story === 'sick' || story === 'hanging') ? story : 'well';
  };
}

/**
 * Goes on with a story. The ECU has booted.
 *
 * @returns `restart` when it has to start anew, `done` when the story is over.
 */
export async function goOn(
  slots: ResumableSlots,
  journal: Journal,
  { story, samples }: { readonly story: Story; readonly samples: SamplePair },
): Promise<'restart' | 'done'> {
  const { isTrial, outcome, canRevert } = slots.condition();
  const running = slots.findRunning();
  const isNew = running?.name === samples.new.image.name;
  if (journal.phase === 'forward') {
    const hasFailed =
      outcome?.result === 'fell-back' && outcome.image.name === samples.new.image.name;
    const isGivenUp = hasFailed && (story === 'sick' || story === 'hanging');
    if (!isGivenUp && !(isNew && story === 'revert')) {
      if (!isNew) {
        // An empty ECU has nothing that a delta could start from.
        const delta = story === 'first' ? undefined : samples.delta;
        return await bring(slots, { ...samples.new, delta }, { story, journal });
      }
      await slots.confirm();
      journal.promised = 'final';
      return 'done';
    }
    journal.phase = 'back';
    journal.promised = 'nothing';
  }
  if (isNew && isTrial && canRevert) {
    await slots.revert();
    return 'restart';
  }
  if (running?.name === samples.old.image.name && !isTrial) {
    await slots.discardOther();
    return 'done';
  }
  return await bring(slots, samples.old, { story, journal });
}

/** An image, and the delta to it from what the ECU runs. */
interface Brought extends Sample {
  readonly delta?: Uint8Array | undefined;
}

async function bring(
  slots: ResumableSlots,
  sample: Brought,
  { story, journal }: { readonly story: Story; readonly journal: Journal },
): Promise<'restart'> {
  if (slots.findPrepared()?.name !== sample.image.name) {
    const breaksOff = story === 'interrupted' && !journal.hasBrokenOff;
    if (breaksOff) journal.hasBrokenOff = true;
    if (sample.delta === undefined) await install(slots, sample, breaksOff);
    else await rewrite(slots, sample.image, { delta: sample.delta, breaksOff, journal });
  }
  if (journal.phase === 'forward') journal.promised = 'prepared';
  await slots.activate();
  if (journal.phase === 'forward') journal.promised = 'activated';
  return 'restart';
}

/** As a Primary does: it goes on with the delta for as long as the ECU takes it. */
async function rewrite(
  slots: ResumableSlots,
  image: SlotImage,
  by: { readonly delta: Uint8Array; readonly breaksOff: boolean; readonly journal: Journal },
): Promise<void> {
  const { delta, breaksOff, journal } = by;
  const common = { image, servedLengthBytes: delta.length, contentKey: undefined };
  const half = delta.subarray(0, Math.floor(delta.length / 2));
  if (breaksOff) {
    await installDelta(slots, { ...common, open: () => breakingOff(half) }).catch(ignoreNetwork);
  }
  try {
    await installDelta(slots, { ...common, open: () => piecesOf(delta) });
  } catch (error) {
    // An image that failed its trial has taken the place of what the delta starts from.
    if (error instanceof Fault) journal.refusedDelta = `${String(error.code)}: ${error.message}`;
    throw error;
  }
}

function ignoreNetwork(error: unknown): void {
  if (!(error instanceof VehicleFault && error.code === 'NETWORK')) throw error;
}

async function install(
  slots: ResumableSlots,
  { image, bytes }: Sample,
  breaksOff: boolean,
): Promise<void> {
  const installation = {
    image,
    servedLengthBytes: image.lengthBytes,
    contentKey: undefined,
    open: (offset: number) => piecesOf(bytes.subarray(offset)),
  };
  if (breaksOff) {
    const half = Math.floor(image.lengthBytes / 2) + 100;
    const broken = { ...installation, open: () => breakingOff(bytes.subarray(0, half)) };
    await installImage(slots, broken).catch(ignoreNetwork);
  }
  await installImage(slots, installation);
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    await Promise.resolve();
    yield bytes.subarray(offset, offset + PIECE_BYTES);
  }
}

async function* breakingOff(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield* piecesOf(bytes);
  throw new VehicleFault('NETWORK', 'Cannot go on: the connection broke');
}
