/** Tells one story with the power cut at given operations, to its end. */
import { Fault } from '@immota/base';
import { FlashPowerCut, type ResumableSlots } from '@immota/vehicle';
import { PowerCut } from '../power.ts';
import type { Cut, CutBench } from './cut-bench.ts';
import type { CutFailure } from './cut-report.ts';
import { endOf, goOn, type Journal, newJournal, type Story, wellnessIn } from './plan.ts';
import type { SamplePair } from './samples.ts';
import { type Finding, inspect, type Watched } from './watch.ts';

/** A story, and the bench on which it is told. */
export interface CutCase {
  readonly id: string;
  readonly story: Story;
  readonly samples: SamplePair;
  readonly bench: CutBench;
  readonly tell?: ((line: string) => void) | undefined;
}

/** A story up to a cut; others may go on from here. */
export interface Interrupted {
  readonly bench: CutBench;
  readonly journal: Journal;
  readonly floor: number;
}

/** How a story ended. */
export interface CaseEnding {
  readonly failures: readonly CutFailure[];
  /** How many of the cuts struck. */
  readonly struck: number;
  /** As it was when the last cut had struck. */
  readonly interrupted: Interrupted | undefined;
  readonly sessions: number;
}

/** More starts than the longest story with six cuts takes; beyond it nothing moves. */
const SESSIONS_MAX = 48;

/** Tells a story. @param from - goes on where another one was cut. */
export async function runCase(
  cutCase: CutCase,
  cuts: readonly Cut[],
  from?: Interrupted,
): Promise<CaseEnding> {
  const { story, samples, id, tell } = cutCase;
  const bench = (from?.bench ?? cutCase.bench).copy();
  const journal = from === undefined ? newJournal() : { ...from.journal };
  const watched: Watched = { bench, story, samples, journal, floor: from?.floor ?? 0 };
  const findings: Finding[] = [];
  const pending = cuts.values();
  let planned = pending.next().value;
  let struck = 0;
  let interrupted: Interrupted | undefined;
  if (planned !== undefined) bench.failPower(planned);
  let sessions = 0;
  for (; sessions < SESSIONS_MAX && !journal.isDone && findings.length === 0; sessions += 1) {
    const ending = await runSession(cutCase, watched, findings);
    tell?.(`start ${sessions}: ${ending}`);
    bench.powerOn();
    if (ending !== 'cut' || planned === undefined || bench.isCutPlanned) continue;
    struck += 1;
    interrupted = { bench: bench.copy(), journal: { ...journal }, floor: watched.floor };
    planned = pending.next().value;
    if (planned !== undefined) bench.failPower(planned);
  }
  if (findings.length === 0) {
    if (journal.isDone) await checkEnd(cutCase, watched, findings);
    else findings.push({ kind: 'bricked', detail: `it is not done after ${sessions} starts` });
  }
  const failures = findings.map((finding) => ({ ...finding, id }));
  return { failures, struck, interrupted, sessions };
}

async function runSession(
  { story, samples }: CutCase,
  watched: Watched,
  findings: Finding[],
): Promise<'done' | 'restart' | 'refused' | 'cut' | 'failed'> {
  const { bench, journal } = watched;
  try {
    const slots = await bench.start(wellnessIn(story, samples));
    await slots.boot();
    findings.push(...inspect(slots, watched));
    if (findings.length > 0) return 'failed';
    return await tryGoOn(slots, { story, samples, journal });
  } catch (error) {
    if (error instanceof FlashPowerCut || error instanceof PowerCut) return 'cut';
    if (!(error instanceof Fault)) throw error;
    findings.push({ kind: 'bricked', detail: `it does not start: ${error.message}` });
    return 'failed';
  }
}

/** What an ECU refuses, its vehicle tries again at its next start. */
async function tryGoOn(
  slots: ResumableSlots,
  {
    story,
    samples,
    journal,
  }: { readonly story: Story; readonly samples: SamplePair; readonly journal: Journal },
): Promise<'done' | 'restart' | 'refused'> {
  try {
    const ending = await goOn(slots, journal, { story, samples });
    journal.isDone = ending === 'done';
    return ending;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return 'refused';
  }
}

/** Once more off and on: what is final stays, and nothing older is taken {uptane K7}. */
async function checkEnd(
  { story, samples }: CutCase,
  watched: Watched,
  findings: Finding[],
): Promise<void> {
  const { bench } = watched;
  bench.failPower(undefined);
  bench.powerOn();
  const slots = await bench.start(wellnessIn(story, samples));
  await slots.boot();
  findings.push(...inspect(slots, watched));
  const end = endOf(story, samples).image;
  const { releaseFloor, isTrial } = slots.condition();
  const running = slots.findRunning();
  if (running?.name !== end.name || isTrial) {
    const is = `${running?.name ?? 'nothing'}${isTrial ? ' on trial' : ''}`;
    findings.push({ kind: 'mixed', detail: `it ended with ${is} instead of "${end.name}"` });
  }
  if (releaseFloor !== end.releaseCounter) {
    const detail = `its floor is ${releaseFloor} instead of ${end.releaseCounter}`;
    findings.push({ kind: 'unverified', detail });
  }
}
