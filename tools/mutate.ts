/**
 * Mutation testing of one package: changes its code in small ways, one at a time, and shows the
 * changes that its own tests let pass. Each of those is a missing test, or is argued to be none.
 *
 * Usage: node tools/mutate.ts [PACKAGE…] [--files GLOB] [--tests GLOB] [--concurrency N]
 *        [--break PERCENT]
 *
 * Without a name it takes `uptane` and `pki`, where a survivor is a hole in the trust. `--files`
 * narrows to files below `src`, such as `verify/**`; `--tests` to tests below `test`, which is much
 * quicker and stricter. Reports are written to `reports/mutation/`.
 */
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const TRUSTED = ['uptane', 'pki'];

const root = resolve(import.meta.dirname, '..');

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      files: { type: 'string', default: '**/*.ts' },
      tests: { type: 'string', default: '**/*.test.ts' },
      concurrency: { type: 'string', default: '2' },
      break: { type: 'string' },
    },
  });
  const names = positionals.length > 0 ? positionals : TRUSTED;
  const strangers = names.filter((name) => !existsSync(join(root, 'packages', name, 'test')));
  if (strangers.length > 0) {
    console.error(`No package with tests is named ${strangers.join(', ')}`);
    return false;
  }
  let enough = true;
  for (const name of names) {
    // One after the other: each uses all its cores.
    const score = await mutate({ name, ...values, concurrency: Number(values.concurrency) });
    enough &&= score >= Number(values.break ?? 0);
  }
  return enough;
}

interface Order {
  readonly name: string;
  readonly files: string;
  readonly tests: string;
  readonly concurrency: number;
}

/** Returns the share of mutants that the tests noticed, in per cent; -1 when it could not be told. */
async function mutate({ name, files, tests, concurrency }: Order): Promise<number> {
  const others = globSync('packages/*', { cwd: root })
    .filter((folder) => folder !== join('packages', name))
    .map((folder) => `/${folder}`);
  const stryker = new Stryker({
    testRunner: 'tap',
    plugins: ['@stryker-mutator/tap-runner', join(root, 'tools/mutate/messages.ts')],
    ignorers: ['messages'],
    tap: {
      testFiles: [`packages/${name}/test/${tests}`],
      nodeArgs: [
        '--import',
        join(root, 'tools/test/seed.ts'),
        '--test-reporter=tap',
        '--import',
        '{{hookFile}}',
        '{{testFile}}',
      ],
    },
    mutate: [`packages/${name}/src/${files}`, '!packages/*/src/index.ts'],
    // Only this package is copied; the others are found beyond the copy, as they stand.
    ignorePatterns: [...others, '/docs', '/deploy', '/simulation', '/conformance', '/bench'],
    coverageAnalysis: 'perTest',
    concurrency,
    // Stryker would parse the file with an API that TypeScript 7 no longer has.
    tsconfigFile: 'none',
    disableTypeChecks: false,
    symlinkNodeModules: false,
    allowConsoleColors: process.stdout.isTTY,
    reporters: ['clear-text', 'json', 'progress-append-only'],
    jsonReporter: { fileName: `reports/mutation/${name}.json` },
  });
  const results = await stryker.runMutationTest().catch((error: unknown) => {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (results === undefined) return -1;
  const noticed = count(results, 'Killed') + count(results, 'Timeout');
  const missed = count(results, 'Survived') + count(results, 'NoCoverage');
  const score = noticed + missed === 0 ? 100 : (100 * noticed) / (noticed + missed);
  console.log(`${name}: ${noticed} noticed, ${missed} missed, ${score.toFixed(1)} %`);
  return score;
}

function count(results: readonly MutantResult[], status: MutantResult['status']): number {
  return results.filter((result) => result.status === status).length;
}

// The seed of fast-check: a mutant must meet the same cases as its neighbours.
process.env['SEED'] ??= '1';
// A process for each file of tests, thousands of times: stripped sources are kept for the run.
const cache = mkdtempSync(join(tmpdir(), 'immota-mutate-'));
process.env['NODE_COMPILE_CACHE'] = cache;
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(cache, { recursive: true, force: true });
}
