/** Events through parse, rules and windows: with an index against without one, and what windows weigh. */
import { join } from 'node:path';
import { type BenchResult, median, type Row } from '../row.ts';
import { runProgram } from '../run-program.ts';

const ROUNDS = 3;
const SECONDS = 4;
const VEHICLES = 1_000_000;
const WINDOWS_LIMIT_MIB = 1024;

const CASES = [
  {
    id: 'detect-fleet-200',
    of: 'fleet',
    aim: 100_000,
    what: '200 rules of our own, 50 of them over windows',
  },
  {
    id: 'detect-process-1400',
    of: 'process',
    aim: 5000,
    what: '1,400 rules in the shape of the public set',
  },
] as const;

/** See the head of the file. */
export async function benchDetection(): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const { id, of, aim, what } of CASES) {
    const indexed: number[] = [];
    const naive: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      indexed.push(await eventsPerSecond(of, 'indexed'));
      naive.push(await eventsPerSecond(of, 'naive'));
    }
    const ours = median(indexed);
    rows.push({
      id,
      what: `events a second and core through parse and ${what}`,
      ours,
      unit: 'events/s',
      peer: 'the aim',
      peers: aim,
      ratio: ours / aim,
      aim: { atLeast: 1 },
      note: `${(ours / median(naive)).toFixed(1)} times what a look at every rule gives (${median(naive).toFixed(0)}/s)`,
    });
  }
  rows.push(await windowsRow());
  return { rows };
}

async function eventsPerSecond(of: string, how: string): Promise<number> {
  const program = join(import.meta.dirname, 'ours.ts');
  const printed = await runProgram([process.execPath, program, of, how, String(SECONDS)]);
  const [secondsPerThousand = Number.NaN] = printed.split(' ').map(Number);
  return 1000 / secondsPerThousand;
}

async function windowsRow(): Promise<Row> {
  const program = join(import.meta.dirname, 'ours.ts');
  const printed = await runProgram([process.execPath, program, 'windows', String(VEHICLES)]);
  const [groups = 0, before = 0, peak = 0] = printed.split(' ').map(Number);
  return {
    id: 'detect-windows',
    what: `memory of the process with windows of ${groups.toLocaleString('en')} vehicles, two events each`,
    ours: peak,
    unit: 'MiB',
    peer: 'limit',
    peers: WINDOWS_LIMIT_MIB,
    ratio: peak / WINDOWS_LIMIT_MIB,
    aim: { atMost: 1 },
    note: `${before.toFixed(0)} MiB before the first of them`,
  };
}
