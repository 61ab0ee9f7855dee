/** Looks at an ECU after each of its starts: at the bytes in its storage, not at its words. */
import type { ResumableSlots } from '@immota/vehicle';
import type { CutBench } from './cut-bench.ts';
import type { CutFailureKind } from './cut-report.ts';
import type { Journal, Promised, Story } from './plan.ts';
import type { SamplePair } from './samples.ts';

/** What was found wrong. */
export interface Finding {
  readonly kind: CutFailureKind;
  readonly detail: string;
}

/** What is known of an ECU from its former starts. */
export interface Watched {
  readonly bench: CutBench;
  readonly story: Story;
  readonly samples: SamplePair;
  readonly journal: Journal;
  /** The highest floor that was ever seen. */
  floor: number;
}

const RANKS: Readonly<Record<Promised, number>> = {
  nothing: 0,
  prepared: 1,
  activated: 2,
  final: 3,
};

/** Looks at an ECU that has just booted. */
export function inspect(slots: ResumableSlots, watched: Watched): readonly Finding[] {
  const { bench, samples, story } = watched;
  const { releaseFloor, running: slot } = slots.condition();
  const running = slots.findRunning();
  const findings: Finding[] = [];
  const find = (kind: CutFailureKind, detail: string): void => {
    findings.push({ kind, detail });
  };
  if (!bench.isLoaderWhole()) find('bricked', 'its boot loader was changed');
  if (releaseFloor < watched.floor) {
    find('unverified', `its floor went back from ${watched.floor} to ${releaseFloor}`);
  }
  watched.floor = Math.max(watched.floor, releaseFloor);
  if (running === undefined || slot === undefined) {
    if (!bench.isSingle && story !== 'first') find('bricked', 'it runs nothing');
    if (watched.journal.isDone) find('bricked', 'it runs nothing when the story is over');
  } else {
    const sample = [samples.old, samples.new].find(({ image }) => image.name === running.name);
    const bytes = bench.readSlot(slot, running.lengthBytes);
    if (sample === undefined || Buffer.compare(bytes, sample.bytes) !== 0) {
      find('unverified', `it runs other bytes than any "${running.name}"`);
    }
    if (running.releaseCounter < watched.floor) {
      find('unverified', `it runs release ${running.releaseCounter} below ${watched.floor}`);
    }
  }
  const { refusedDelta } = watched.journal;
  if (refusedDelta !== undefined) find('mixed', `its bank is neither image: ${refusedDelta}`);
  const broken = findBrokenPromise(slots, watched);
  if (broken !== undefined) find('mixed', broken);
  return findings;
}

/** What an ECU has acknowledged, it keeps; unless the image itself failed, which it says. */
function findBrokenPromise(slots: ResumableSlots, watched: Watched): string | undefined {
  const { journal, samples } = watched;
  if (journal.promised === 'nothing') return undefined;
  const { outcome, isTrial } = slots.condition();
  const { name } = samples.new.image;
  if (outcome?.result === 'fell-back' && outcome.image.name === name) {
    journal.promised = 'nothing';
    return undefined;
  }
  const isRunning = slots.findRunning()?.name === name;
  const isPrepared = slots.findPrepared()?.name === name;
  const is: Promised = isRunning
    ? isTrial
      ? 'activated'
      : 'final'
    : isPrepared
      ? 'prepared'
      : 'nothing';
  if (RANKS[is] >= RANKS[journal.promised]) return undefined;
  return `it had acknowledged that "${name}" is ${journal.promised}, and it is ${is}`;
}
