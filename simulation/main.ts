/**
 * Runs simulations.
 *
 * Usage: node simulation/main.ts kills [--runs N] [--seed S] [--jobs J] [--stop] [--faults LIST] [--calm] [--story] [--verbose]
 *        node simulation/main.ts power-cuts …, of which power-cuts/main.ts tells
 *        node simulation/main.ts fleet …, of which fleet/main.ts tells
 *
 * `--faults planted,reset` lets these strike and no others, and often; `--calm` none.
 *
 * Each run has a seed of its own, S and upwards (`SEED` in the environment, else 1). What must hold, in
 * every run, whatever was killed, cut, lost, changed or forged on the way:
 *
 * 1. No ECU ever runs bytes that are not a genuine image for its hardware under its own name, nor an older
 *    release than before: looked at in its flash at each boot and after each check-in, not in its words.
 * 2. Every manifest that the cloud acknowledged is in its database, after each of its restarts and at the
 *    end; the event log is whole, and tells of each image that such a manifest reported.
 * 3. When the weather has cleared, every ECU of every vehicle comes to run the last release, and the cloud
 *    says so. What gave up after its three signed failures, as it must, gets the release in one more campaign.
 * 4. Nothing ends by an error that is no refusal, and a cloud that lives answers no 5xx.
 *
 * The last line reads `N runs, N unverified, N lost, N unconverged`. The exit status is 1 when anything
 * failed, 2 when nothing could be run.
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { closeTestServer } from '@immota/store/testing';
import { openFactory } from './factory.ts';
import { runFleet } from './fleet/main.ts';
import { runPowerCuts } from './power-cuts/main.ts';
import { ALL_FAULTS, type AnyFault } from './faults.ts';
import { runSeed, type RunResult } from './run.ts';
import { Summary } from './summary.ts';

const SEED_MAX = 2 ** 31;
/** Processes at once, when left out; each has a cloud of its own, and PostgreSQL works beside them. */
const JOBS = 2;

/** Hears of a run. @returns whether no other is to be begun. */
type Listener = (result: RunResult) => boolean;

/** Runs of one process: what a run leaves in memory is not carried on for ever. */
const WORKER_RUNS = 100;

interface Order {
  readonly seeds: readonly number[];
  readonly only: readonly AnyFault[] | undefined;
  readonly isTold: boolean;
}

const USAGE = `Usage: npm run -s simulate -- kills [--runs N] [--seed S] [--jobs J] [--faults LIST] [--calm] [--story]
       npm run -s simulate -- power-cuts [--class NAME] [--seed S] [--case ID] [--json]
       npm run -s simulate -- fleet [--vehicles N] [--failing PERCENT] [--every SECONDS] [--folder DIR]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: process.env['SEED'] ?? '1' },
      jobs: { type: 'string', default: String(JOBS) },
      stop: { type: 'boolean', default: false },
      faults: { type: 'string' },
      calm: { type: 'boolean', default: false },
      story: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  const [runs, seed, jobs] = [values.runs, values.seed, values.jobs].map(readCount);
  const only = values.calm ? [] : readFaults(values.faults);
  const isKnown = values.calm || values.faults === undefined || only !== undefined;
  if (
    values.help ||
    positionals[0] !== 'kills' ||
    !runs ||
    seed === undefined ||
    !jobs ||
    !isKnown
  ) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  const seeds = Array.from({ length: runs }, (_, index) => (seed + index) % SEED_MAX);
  const order = { seeds, only, isTold: values.story };
  const summary = new Summary(values.verbose);
  const add: Listener = (result) => {
    for (const line of summary.add(result)) console.log(line);
    return values.stop && !summary.isGood;
  };
  if (values.story || runs === 1) await carryOut(order, add);
  else await shareOut(order, Math.min(jobs, runs), add);
  for (const line of summary.end()) console.log(line);
  return summary.isGood ? 0 : 1;
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Reads names of faults; undefined when there are none, or one is no fault's. */
function readFaults(text: string | undefined): readonly AnyFault[] | undefined {
  const names = text?.split(',') ?? [];
  const faults = names.flatMap((name) => ALL_FAULTS.filter((fault) => fault === name));
  return faults.length === names.length && faults.length > 0 ? faults : undefined;
}

/** Runs seeds in this process. */
async function carryOut(order: Order, add: Listener): Promise<void> {
  const { seeds, only, isTold } = order;
  const factory = await openFactory();
  try {
    for (const seed of seeds) {
      const hear = isTold ? console.log : undefined;
      if (add(await runSeed(factory, { seed, only, hear }))) break;
    }
  } finally {
    await factory.close();
    await closeTestServer();
  }
}

/** Shares seeds between processes: each takes the next when it has done one. */
async function shareOut({ seeds, only }: Order, jobs: number, add: Listener): Promise<void> {
  const waiting = seeds.values();
  let isOver = false;
  const next = (): number | undefined => (isOver ? undefined : waiting.next().value);
  const hear = (result: RunResult): void => {
    isOver = add(result) || isOver;
  };
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let seed = next(); seed !== undefined; seed = next()) {
        await serveWorker(seed, { only, next, hear });
      }
    }),
  );
}

/** Keeps a process at work for some runs; a fresh one goes on, also when it died of a run. */
async function serveWorker(
  first: number,
  shared: {
    readonly only: readonly AnyFault[] | undefined;
    readonly next: () => number | undefined;
    readonly hear: (result: RunResult) => void;
  },
): Promise<void> {
  const { only, next, hear } = shared;
  const worker = fork(import.meta.filename, ['worker']);
  let seed: number | undefined = first;
  let count = 0;
  const order = (message: WorkerOrder): void => {
    worker.send(message);
  };
  worker.on('message', (result: WorkerResult) => {
    if (result !== 'ready') {
      hear({ ...result, counts: new Map(result.counts) });
      count += 1;
      seed = count < WORKER_RUNS ? next() : undefined;
    }
    order(seed === undefined ? { kind: 'end' } : { kind: 'run', seed, only });
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  worker.once('exit', (code, signal) => resolve(signal ?? `status ${String(code)}`));
  const ending = await promise;
  if (seed === undefined) return;
  const failures = [{ kind: 'broken', detail: `its process ended by ${ending}` }] as const;
  hear({ seed, failures, counts: new Map(), manifests: 0, digest: '', simulatedMs: 0 });
}

type WorkerResult =
  | 'ready'
  | (Omit<RunResult, 'counts'> & { readonly counts: readonly (readonly [string, number])[] });

type WorkerOrder =
  | { readonly kind: 'end' }
  | {
      readonly kind: 'run';
      readonly seed: number;
      readonly only?: readonly AnyFault[] | undefined;
    };

/** What a process of `shareOut` does. */
async function serveOrders(): Promise<void> {
  const factory = await openFactory();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.on('message', (order: WorkerOrder) => {
    if (order.kind === 'end') {
      resolve();
      return;
    }
    runSeed(factory, order).then(
      (result) => process.send?.({ ...result, counts: [...result.counts] }),
      reject,
    );
  });
  process.send?.('ready');
  try {
    await promise;
  } finally {
    await factory.close();
    await closeTestServer();
    process.disconnect?.();
  }
}

/** An option that there is not is a slip of the pen, and no fault of the program's. */
function tellMisuse(error: unknown): number {
  if (!(error instanceof TypeError) || !('code' in error)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  return 2;
}

if (process.argv[2] === 'worker') await serveOrders();
else if (process.argv[2] === 'power-cuts')
  process.exitCode = await runPowerCuts(process.argv.slice(3)).catch(tellMisuse);
else if (process.argv[2] === 'fleet')
  process.exitCode = await runFleet(process.argv.slice(3)).catch(tellMisuse);
else process.exitCode = await main().catch(tellMisuse);
// Clouds that were killed may still try for a while to reach a database that they will not find.
process.exit();
