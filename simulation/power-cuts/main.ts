/**
 * Cuts the power of ECUs, and of whole vehicles, at every operation that changes anything.
 *
 * Usage: npm run -s simulate -- power-cuts [--class NAME] [--seed S] [--bounded] [--case ID] [--plant BUG] [--json]
 *
 * What must hold, wherever the power goes, however it tears what was under way, and when it goes again
 * while the ECU recovers: it starts; it runs verified bytes of a release that it may run (with one bank:
 * or its boot loader alone, which takes the update again); and the update comes to its end.
 *
 * The last line reads `N cuts, N bricked, N unverified, N mixed`. The exit status is 1 when anything
 * failed, 2 when nothing could be run.
 */
import { parseArgs } from 'node:util';
import type { CutClass, CutFailure, CutOptions, CutReport } from './cut-report.ts';
import { parseCaseId } from './case-id.ts';
import { LINUX } from './linux.ts';
import { ONE_BANK } from './one-bank.ts';
import { PLANTS } from './planted.ts';
import { TWO_BANK } from './two-bank.ts';
import { VEHICLE } from './vehicle.ts';

const CLASSES: readonly CutClass[] = [TWO_BANK, ONE_BANK, LINUX, VEHICLE];
const KINDS = ['bricked', 'unverified', 'mixed'] as const;
/** Failures that are printed for each class; a broken ECU breaks in every case. */
const FAILURES_SHOWN = 10;
const USAGE = `Usage: npm run -s simulate -- power-cuts [--class ${CLASSES.map(({ name }) => name).join('|')}] [--seed S] [--bounded] [--case ID] [--plant ${PLANTS.join('|')}] [--json]`;

interface Order {
  readonly classes: readonly CutClass[];
  readonly options: CutOptions;
  readonly isJson: boolean;
}

interface ClassReport extends CutReport {
  readonly name: string;
}

/** Runs it. @returns the exit status. */
export async function runPowerCuts(args: readonly string[]): Promise<number> {
  const order = readOrder(args);
  if (order === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { classes, options, isJson } = order;
  const reports: ClassReport[] = [];
  for (const { name, run } of classes) {
    const startedUs = process.cpuUsage();
    const report = { name, ...(await run(options)) };
    const { user, system } = process.cpuUsage(startedUs);
    reports.push(report);
    if (isJson) continue;
    console.log(
      `${name}: ${report.cuts} cuts in ${((user + system) / 1e6).toFixed(1)} CPU seconds`,
    );
    for (const line of describe(report, options)) console.log(line);
  }
  const cuts = reports.reduce((sum, report) => sum + report.cuts, 0);
  const failed = reports.flatMap(({ failures }) => failures);
  if (isJson) {
    console.log(JSON.stringify({ seed: options.seed, reports: reports.map(jsonOf) }));
  } else {
    const counts = KINDS.map((kind) => `${countCases(failed, kind)} ${kind}`);
    console.log(`${cuts} cuts, ${counts.join(', ')}`);
  }
  if (cuts === 0) return 2;
  return failed.length === 0 ? 0 : 1;
}

function readOrder(args: readonly string[]): Order | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      class: { type: 'string' },
      seed: { type: 'string', default: process.env['SEED'] ?? '1' },
      bounded: { type: 'boolean', default: false },
      case: { type: 'string' },
      plant: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { plant, case: only, json: isJson } = values;
  const classes = CLASSES.filter(({ name }) => values.class === undefined || name === values.class);
  const isKnownPlant = plant === undefined || PLANTS.some((known) => known === plant);
  const isCase = only === undefined || parseCaseId(only) !== undefined;
  const isSeed = /^\d{1,10}$/.test(values.seed);
  const isUnderstood = isSeed && isKnownPlant && isCase && positionals.length === 0;
  if (!isUnderstood || classes.length === 0) return undefined;
  const tell = only === undefined || isJson ? undefined : (line: string) => console.log(line);
  const seed = Number(values.seed);
  return { classes, isJson, options: { seed, isBounded: values.bounded, only, plant, tell } };
}

function describe({ name, failures, counts }: ClassReport, options: CutOptions): readonly string[] {
  const { seed, plant } = options;
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  const lines = failures
    .slice(0, FAILURES_SHOWN)
    .flatMap(({ kind, id, detail }) => [
      `seed ${seed}: ${kind}: ${name} ${id}: ${detail}`,
      `replay: npm run -s simulate -- power-cuts --class ${name} --seed ${seed} --case ${id}${planted}`,
    ]);
  const more = failures.length - FAILURES_SHOWN;
  return [
    ...[...counts].map(([what, count]) => `${String(count).padStart(8)}  ${what}`),
    ...lines,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** A case counts once for each kind of failure. */
function countCases(failures: readonly CutFailure[], kind: CutFailure['kind']): number {
  return new Set(failures.filter((one) => one.kind === kind).map(({ id }) => id)).size;
}

function jsonOf({ name, cuts, failures, counts }: ClassReport): object {
  return { name, cuts, failures, counts: Object.fromEntries(counts) };
}
