/** What `npm run simulate -- power-cuts` does, all of it, and proof that its eyes are open. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { CutClass, CutOptions } from '../power-cuts/cut-report.ts';
import { LINUX } from '../power-cuts/linux.ts';
import { ONE_BANK } from '../power-cuts/one-bank.ts';
import { TWO_BANK } from '../power-cuts/two-bank.ts';
import { VEHICLE } from '../power-cuts/vehicle.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Always the same cuts, so that a change is judged by what it changed. */
const BOUNDED: CutOptions = { seed: 1, isBounded: true };

interface Expectation {
  readonly cutClass: CutClass;
  /** Cuts that are made of it. */
  readonly least: number;
  /** What its ECUs are caught at. */
  readonly plants: readonly string[];
}

const EXPECTATIONS: readonly Expectation[] = [
  { cutClass: TWO_BANK, least: 8000, plants: ['skip-sync', 'one-place'] },
  { cutClass: ONE_BANK, least: 24_000, plants: ['skip-sync', 'one-place', 'skip-page-sync'] },
  { cutClass: LINUX, least: 2000, plants: ['skip-sync'] },
  // What whole vehicles are caught at stands beside the model of their transaction.
  { cutClass: VEHICLE, least: 7000, plants: [] },
];

/** In a process of its own: the test runner watches every promise, which makes thousands of starts slow. */
async function simulate(args: readonly string[]): Promise<{
  readonly status: number | null;
  readonly output: string;
}> {
  const command = [join(ROOT, 'simulation/main.ts'), 'power-cuts', '--seed', '1', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'ignore'] });
  const { promise, resolve: done } = Promise.withResolvers<number | null>();
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.once('close', done);
  const status = await promise;
  return { status, output: Buffer.concat(parts).toString() };
}

describe('simulate power-cuts', () => {
  for (const { cutClass, least, plants } of EXPECTATIONS) {
    const { name } = cutClass;
    it(`bricks no ${name} ECU and boots nothing unverified, wherever the power goes {uptane K8} {uptane L1}`, async () => {
      const { status, output } = await simulate(['--class', name]);
      const ending = /\n(?<cuts>\d+) cuts, 0 bricked, 0 unverified, 0 mixed\n$/.exec(output);
      assert.ok(Number(ending?.groups?.['cuts']) >= least, output);
      assert.equal(status, 0);
    });
    for (const plant of plants) {
      it(`notices ${plant} in a ${name} ECU, and again in the case that it names`, async () => {
        const { failures } = await cutClass.run({ ...BOUNDED, plant });
        const [first] = failures;
        assert.ok(first !== undefined);
        const again = await cutClass.run({ seed: 1, isBounded: false, plant, only: first.id });
        assert.deepEqual(again.failures, [first]);
      });
    }
  }
  it('repeats its cuts from their seed', async () => {
    const args = ['--bounded', '--class', 'linux', '--json'];
    const first = await simulate(args);
    assert.equal(first.status, 0);
    assert.equal((await simulate(args)).output, first.output);
  });
  it('tells how to see a failure again', async () => {
    const plant = ['--plant', 'one-place'];
    const { status, output } = await simulate(['--bounded', '--class', 'two-bank', ...plant]);
    assert.match(
      output,
      /^seed 1: bricked: two-bank stm32f4\/\S+: .*\nreplay: npm run -s simulate -- power-cuts --class two-bank --seed 1 --case stm32f4\/\S+ --plant one-place$/m,
    );
    assert.equal(status, 1);
  });
  it('answers what it does not know with a word on how to use it', async () => {
    assert.equal((await simulate(['--class', 'none'])).status, 2);
    assert.equal((await simulate(['--case', 'none'])).status, 2);
  });
});
