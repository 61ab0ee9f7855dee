/** A part of what `npm run simulate` runs at large, and proof that it notices what it is there for. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { copyBroken, type Edit } from './scratch-copy.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** As many as fit into two minutes of a core, PostgreSQL included. */
const RUNS = 40;
/** Where the faults that reach it strike often, a planted bug shows within a few; more would mean that nobody looks. */
const BROKEN_RUNS = 20;
/** Always the same worlds, so that a change is judged by what it changed; `npm run simulate` searches wide. */
const SEED = '1';

/** Beyond those of the gate: an ECU's power lost to an attack, and an approval that a dying cloud had carried out. */
const FAILED_ONCE = ['815', '271'];

interface Ending {
  readonly status: number | null;
  readonly output: string;
}

async function simulate(root: string, args: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [join(root, 'simulation/main.ts'), 'kills', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { promise, resolve: done } = Promise.withResolvers<number | null>();
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.once('close', done);
  const status = await promise;
  return { status, output: Buffer.concat(parts).toString() };
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

/** Runs a broken copy until a run fails. */
async function simulateBroken(
  test: TestContext,
  edits: readonly Edit[],
  faults: string,
): Promise<Ending> {
  const args = ['--runs', String(BROKEN_RUNS), '--stop', '--faults', faults];
  return await simulate(copyBroken(test, edits), args);
}

const SLOTS = 'packages/vehicle/src/slots';
/** Bytes are nowhere held against what metadata say of them. */
const UNCHECKED: readonly Edit[] = [
  { file: `${SLOTS}/install-image.ts`, before: '    checkWhole(image, tap);\n', after: '' },
  {
    file: `${SLOTS}/folder-slots.ts`,
    before: 'if (!(await this.#isWhole(slot, image)))',
    after: 'if (false)',
  },
  {
    file: `${SLOTS}/folder-slots.ts`,
    before: 'if (await this.#isWhole(running, content.image)) return;',
    after: 'return;',
  },
  {
    file: 'packages/vehicle/src/download/image-download.ts',
    before: 'checkMeasurement(expected, await part.finish());',
    after: 'await part.finish();',
  },
];
/** A manifest is acknowledged, and what it says stays in memory. */
const UNWRITTEN: readonly Edit[] = [
  {
    file: 'packages/cloud/src/director/manifest-intake.ts',
    before: 'if (await writing.add({ assessment, sha256 })) return { record, assessment };',
    after: 'return { record, assessment };',
  },
];

describe('simulate kills', () => {
  it(`keeps vehicles verified, manifests and convergence in ${RUNS} runs {uptane L1} {uptane K8}`, async () => {
    const { status, output } = await simulate(ROOT, ['--runs', String(RUNS), '--seed', SEED]);
    assert.equal(lastLine(output), `${RUNS} runs, 0 unverified, 0 lost, 0 unconverged`, output);
    assert.equal(status, 0, output);
  });
  for (const seed of FAILED_ONCE) {
    it(`keeps them in world ${seed}, where something was wrong once`, async () => {
      const { status, output } = await simulate(ROOT, ['--runs', '1', '--seed', seed]);
      assert.equal(status, 0, output);
    });
  }
  it('repeats a story from its seed', async () => {
    const args = ['--runs', '1', '--seed', '3', '--story'];
    const first = await simulate(ROOT, args);
    const second = await simulate(ROOT, args);
    assert.equal(first.status, 0, first.output);
    assert.equal(first.output, second.output);
  });
  it('notices an ECU whose bytes nobody checks', async (test) => {
    const { status, output } = await simulateBroken(test, UNCHECKED, 'planted');
    assert.equal(status, 1, output);
    assert.match(output, /^seed \d+: unverified: .* runs other bytes/m);
    assert.match(output, /^replay: npm run -s simulate -- kills --runs 1 --seed \d+ --story$/m);
  });
  it('notices a cloud that acknowledges what it has not written', async (test) => {
    const { status, output } = await simulateBroken(test, UNWRITTEN, 'cloud-killed');
    assert.equal(status, 1, output);
    assert.match(output, /^seed \d+: lost: /m);
  });
  it('answers a command that it does not know with a word on how to use it', async () => {
    assert.equal((await simulate(ROOT, ['--runs', 'none'])).status, 2);
    assert.equal((await simulate(ROOT, ['--faults', 'rain'])).status, 2);
  });
});
