/**
 * Measures what must not get slower, each figure beside its peer or limit in the same run.
 *
 * Usage: npm run bench [-- --only ID] [--json]. Writes reports/bench.json. CPU seconds are compared, not
 * wall time: machines are shared. An aim that is not met is shown, and does not fail the run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type BenchResult, meetsAim, type NotRun, type Row } from './row.ts';

const BENCHES: readonly (readonly [string, () => Promise<() => Promise<BenchResult>>])[] = [
  ['tuf-refresh', async () => (await import('./tuf-refresh/bench.ts')).benchTufRefresh],
  ['check-in-intake', async () => (await import('./check-in/intake.ts')).benchIntake],
  ['gateway', async () => (await import('./gateway/bench.ts')).benchGateway],
  ['campaign', async () => (await import('./campaign/bench.ts')).benchCampaign],
  ['offers', async () => (await import('./offers/bench.ts')).benchOffers],
  ['detect', async () => (await import('./detection/bench.ts')).benchDetection],
  // The rows of rehearsals too: both need a million vehicles.
  ['cockpit', async () => (await import('./cockpit/bench.ts')).benchCockpit],
  ['console', async () => (await import('./console/bench.ts')).benchConsole],
  ['doip', async () => (await import('./doip/bench.ts')).benchDoip],
  ['isotp', async () => (await import('./isotp/bench.ts')).benchIsoTp],
  ['transaction', async () => (await import('./transaction/bench.ts')).benchTransaction],
  ['delta', async () => (await import('./delta/bench.ts')).benchDelta],
  ['open-image', async () => (await import('./open-image/bench.ts')).benchOpenImage],
];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

if (options.list) {
  for (const [id] of BENCHES) console.log(id);
} else {
  const rows: Row[] = [];
  const notRun: NotRun[] = [];
  for (const [id, load] of BENCHES) {
    if (options.only !== undefined && !id.startsWith(options.only)) continue;
    console.error(`measuring ${id} …`);
    const bench = await load();
    const result = await bench();
    rows.push(...result.rows);
    notRun.push(...(result.notRun ?? []));
    if (!options.json) print(result);
  }
  const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
  const report = {
    at: Temporal.Now.instant().toString(),
    node: process.version,
    machine,
    rows,
    notRun,
  };
  mkdirSync('reports', { recursive: true });
  writeFileSync('reports/bench.json', `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.json) console.log(JSON.stringify(report));
  else
    console.log(
      `${rows.filter(meetsAim).length} of ${rows.length} aims met, ${notRun.length} not run`,
    );
}

function print({ rows, notRun = [] }: BenchResult): void {
  for (const row of rows) {
    const { aim } = row;
    const wanted = aim.atLeast === undefined ? `≤ ${aim.atMost ?? '∞'}` : `≥ ${aim.atLeast}`;
    const verdict = meetsAim(row) ? 'met' : 'MISSED';
    console.log(
      `${row.id.padEnd(28)} ${figure(row.ours)} ${row.unit} | ${row.peer} ${figure(row.peers)} | ratio ${figure(row.ratio)} (aim ${wanted}: ${verdict})${row.note === undefined ? '' : ` · ${row.note}`}`,
    );
  }
  for (const { id, why } of notRun) console.log(`${id.padEnd(28)} not run: ${why}`);
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
