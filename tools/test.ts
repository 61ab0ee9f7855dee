/**
 * Runs the whole gate: the fences, then the tests of every package and folder.
 *
 * Usage: node tools/test.ts [--only NAME,NAME] [--as-is] [--limit SECONDS]
 *
 * What a browser shows has a command of its own, `npm run test:browser`, and runs when it is asked for.
 *
 * What the tests need from the machine is brought first where it can be (`--as-is`: nothing is).
 * `SEED` sets the order of pure tests and what fast-check draws; without it the commit does, so that
 * each commit tests another world and any failure replays. A check that did not run is listed as
 * not run. The last line reads `N passed, N failed, N skipped`.
 */
// oxlint-disable-next-line import/no-unassigned-import -- it ends an older Node with a word of advice
import './need-node.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { meetNeeds } from './test/needs.ts';
import { type Ending, runProcess } from './test/process.ts';
import type { TestRecord } from './test/record.ts';
import { countRecords, type Outcome, renderReport } from './test/report.ts';
import { listSuites, type Suite } from './test/suites.ts';

/** The whole gate takes ten minutes on two cores; beyond half an hour something hangs. */
const TOTAL_LIMIT_S = 1700;
/** A single test that takes longer hangs. */
const TEST_LIMIT = '--test-timeout=600000';
const SEED_MAX = 0x7f_ff_ff_ff;

const root = resolve(import.meta.dirname, '..');

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      'as-is': { type: 'boolean', default: false },
      limit: { type: 'string', default: String(TOTAL_LIMIT_S) },
    },
  });
  const seed = chooseSeed();
  const all = listSuites(root, seed);
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.filter((name) => !all.some(({ members }) => members.includes(name))) ?? [];
  if (unknown.length > 0) {
    const known = [...new Set(all.flatMap(({ members }) => members))].join(', ');
    console.error(`No tests are named ${unknown.join(', ')}; there are ${known}.`);
    return false;
  }
  const suites =
    only === undefined
      ? all.filter(({ isAskedFor }) => isAskedFor !== true)
      : all.flatMap((suite) => narrow(suite, only));
  console.log(`Node ${process.versions.node}, SEED=${seed}`);
  const needs = new Set(suites.flatMap((suite) => suite.needs));
  const missing = await meetNeeds(root, needs, values['as-is']);
  const deadline = performance.now() + Number(values.limit) * 1000;
  const outcomes: Outcome[] = [];
  for (const suite of suites) {
    // One at a time: a suite may use both cores, and its output stays together.
    outcomes.push(...(await runSuite(suite, seed, deadline - performance.now())));
  }
  console.log(renderReport(outcomes, missing));
  return outcomes.every(({ failed }) => failed === 0) && outcomes.some(({ passed }) => passed > 0);
}

/** Keeps a suite that was asked for; of the shared one, the packages that were. */
function narrow(suite: Suite, only: readonly string[]): readonly Suite[] {
  const members = suite.members.filter((member) => only.includes(member));
  if (members.length === 0) return [];
  if (suite.name !== 'pure packages') return [suite];
  const kept = suite.args.filter(
    (arg) => arg.startsWith('-') || members.some((name) => arg.startsWith(`packages/${name}/`)),
  );
  return [{ ...suite, members, args: kept }];
}

async function runSuite(
  suite: Suite,
  seed: number,
  remainingMs: number,
): Promise<readonly Outcome[]> {
  if (remainingMs <= 0) {
    const failures = ['did not run: the time of the whole gate was up'];
    return [{ ...countRecords(suite.name, [], 0), failed: 1, failures }];
  }
  const limitMs = Math.min(suite.limitMs, remainingMs);
  if (suite.kind === 'fence') {
    const { args } = suite;
    const ending = await runProcess({
      command: process.execPath,
      args,
      cwd: root,
      limitMs,
      show: false,
    });
    return [judgeFence(suite.name, ending)];
  }
  console.log(`\n${suite.name}`);
  const folder = mkdtempSync(join(tmpdir(), 'immota-test-'));
  try {
    const records = join(folder, 'records');
    const ending = await runProcess({
      command: process.execPath,
      args: ['--test', TEST_LIMIT, ...reporters(records), ...preload(), ...suite.args],
      cwd: root,
      // Stripped sources are kept, which halves the time of a process for each file.
      env: { SEED: String(seed), NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/immota') },
      limitMs,
      show: true,
    });
    return judgeTests(suite, ending, existsSync(records) ? readFileSync(records, 'utf8') : '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function reporters(records: string): readonly string[] {
  const recorder = join(import.meta.dirname, 'test/record.ts');
  return [
    '--test-reporter=dot',
    '--test-reporter-destination=stdout',
    `--test-reporter=${recorder}`,
    `--test-reporter-destination=${records}`,
  ];
}

function preload(): readonly string[] {
  return ['--import', join(import.meta.dirname, 'test/seed.ts')];
}

function judgeFence(name: string, ending: Ending): Outcome {
  const outcome = countRecords(name, [], ending.seconds);
  if (ending.status === 0) {
    console.log(`${name} ✓`);
    return { ...outcome, passed: 1 };
  }
  console.log(`${name} ✗\n${ending.output}`);
  return { ...outcome, failed: 1, failures: [howItEnded(ending)] };
}

function judgeTests(suite: Suite, ending: Ending, text: string): readonly Outcome[] {
  const records = text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as TestRecord);
  for (const written of writtenBeside(records)) console.error(written);
  const shared = suite.members.length > 1;
  const outcomes = suite.members.map((member) => {
    const own = shared
      ? records.filter(({ file }) => relative(root, file).startsWith(join('packages', member, '/')))
      : records;
    return countRecords(member, own, ending.seconds / suite.members.length);
  });
  const silent = outcomes.filter(({ passed, failed, skipped }) => passed + failed + skipped === 0);
  const lost = ending.status !== 0 && outcomes.every(({ failed }) => failed === 0);
  const faults = [
    ...silent.map(({ name }) => `${name} ran no test`),
    ...(lost || ending.timedOut ? [howItEnded(ending)] : []),
  ];
  if (faults.length === 0) return outcomes;
  return [
    ...outcomes,
    { ...countRecords(suite.name, [], 0), failed: faults.length, failures: faults },
  ];
}

/** What files with failures wrote to their standard error: why one did not even load stands there. */
function writtenBeside(records: readonly TestRecord[]): readonly string[] {
  const failed = new Set(
    records.filter(({ outcome }) => outcome === 'failed').map(({ file }) => file),
  );
  return records
    .filter(({ outcome, file }) => outcome === 'wrote' && failed.has(file))
    .map(({ reason }) => reason.trimEnd());
}

function howItEnded({ status, timedOut, seconds }: Ending): string {
  if (timedOut) return `ran out of time after ${seconds.toFixed(0)} s`;
  return status === undefined ? 'was ended by a signal' : `ended with status ${status}`;
}

function chooseSeed(): number {
  const given = process.env['SEED'];
  if (given !== undefined && /^\d{1,9}$/.test(given)) return Number(given);
  if (given !== undefined) console.error(`SEED=${given} is no number below a billion; not used`);
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const digits = /^[0-9a-f]{8}/.exec(stdout ?? '')?.[0] ?? '1';
  return Number.parseInt(digits, 16) & SEED_MAX;
}

process.exitCode = (await main()) ? 0 : 1;
