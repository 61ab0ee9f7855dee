/** Which checks there are: the fences first, then the tests of every package and folder. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadHouse } from '../tidy/house.ts';

/** One child process that checks something. */
export interface Suite {
  readonly name: string;
  readonly kind: 'fence' | 'tests';
  /** What `--only` knows it by; the pure packages share one process. */
  readonly members: readonly string[];
  readonly args: readonly string[];
  readonly needs: readonly string[];
  readonly limitMs: number;
  /** Whether it runs only when `--only` names it. */
  readonly isAskedFor?: boolean;
}

const MINUTE_MS = 60_000;
const FENCE_LIMIT_MS = 2 * MINUTE_MS;
const TESTS_LIMIT_MS = 12 * MINUTE_MS;
const BROWSER_LIMIT_MS = 25 * MINUTE_MS;

/** Folders outside the packages that hold tests, and what those need from the machine. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  tools: [],
  conformance: [],
  simulation: [],
  bench: [],
};

const FENCES: readonly (readonly [name: string, tool: string, args: readonly string[]])[] = [
  ['types', 'typescript:tsc', []],
  ['types of the console', 'typescript:tsc', ['-p', 'packages/console']],
  ['lint', 'oxlint:oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'oxfmt:oxfmt', ['--check']],
  ['tidy', 'tools/tidy.ts', []],
  ['clauses', 'tools/clauses.ts', ['--quiet', '--strict']],
  ['dead', 'knip:knip', ['--no-config-hints']],
];

/**
 * Lists every check of the repository.
 *
 * @param root - the repository's folder.
 * @param seed - for the order of tests in pure packages; a shell's tests may tell a story.
 */
export function listSuites(root: string, seed: number): readonly Suite[] {
  const order = ['--test-randomize', `--test-random-seed=${seed}`];
  const rooms = [...loadHouse(root).values()]
    .map(({ folder, manifest }) => ({ folder, ...manifest.house, name: folder.slice(9) }))
    .filter(({ folder }) => testsIn(root, folder).length > 0);
  const pure = rooms.filter((room) => room.pure && room.shell === undefined);
  const shells = rooms.filter((room) => !pure.includes(room));
  return [
    ...FENCES.map(([name, tool, args]) => fence(root, name, tool, args)),
    ...(pure.length === 0 ? [] : [pureSuite(root, pure, order)]),
    ...shells.map(({ name, folder, needs = [] }) =>
      tests({ name, needs, args: ['--test-concurrency=2', ...testsIn(root, folder)] }),
    ),
    ...Object.entries(FOLDERS)
      .map(([name, needs]) => ({ name, needs, files: testsIn(root, name) }))
      .filter(({ files }) => files.length > 0)
      .map(({ name, needs, files }) =>
        tests({ name, needs, args: ['--test-concurrency=2', ...files] }),
      ),
    ...browserSuite(root),
  ];
}

/** What a person sees, in a real browser: one page after the other, for they share its speed. */
function browserSuite(root: string): readonly Suite[] {
  const files = globSync('{packages,simulation}/**/*.browser.ts', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  }).toSorted();
  if (files.length === 0) return [];
  const args = ['--test-concurrency=1', ...files];
  const suite = tests({ name: 'browser', needs: ['chromium'], args });
  return [{ ...suite, limitMs: BROWSER_LIMIT_MS, isAskedFor: true }];
}

interface PureRoom {
  readonly name: string;
  readonly folder: string;
  readonly needs?: readonly string[];
}

/** Pure packages cannot disturb each other, so one process does for all. */
function pureSuite(root: string, rooms: readonly PureRoom[], order: readonly string[]): Suite {
  const files = rooms.flatMap(({ folder }) => testsIn(root, folder));
  const suite = tests({
    name: 'pure packages',
    needs: rooms.flatMap(({ needs = [] }) => needs),
    args: [...order, '--test-isolation=none', ...files],
  });
  return { ...suite, members: rooms.map(({ name }) => name) };
}

function tests(suite: Pick<Suite, 'name' | 'needs' | 'args'>): Suite {
  return { ...suite, kind: 'tests', members: [suite.name], limitMs: TESTS_LIMIT_MS };
}

function fence(root: string, name: string, tool: string, args: readonly string[]): Suite {
  const path = tool.endsWith('.ts') ? join(root, tool) : programOf(root, tool);
  return {
    name,
    kind: 'fence',
    members: [name, 'fences'],
    args: [path, ...args],
    needs: [],
    limitMs: FENCE_LIMIT_MS,
  };
}

/** The script behind `package:program`, to be run by this very Node. */
function programOf(root: string, tool: string): string {
  const [name = '', program = ''] = tool.split(':');
  const folder = join(root, 'node_modules', name);
  if (!existsSync(folder)) return folder;
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly bin: string | Readonly<Record<string, string>>;
  };
  return join(folder, typeof bin === 'string' ? bin : (bin[program] ?? ''));
}

function testsIn(root: string, folder: string): readonly string[] {
  const files = globSync(`${folder}/**/*.test.{ts,tsx}`, {
    cwd: root,
    exclude: ['**/node_modules/**'],
  });
  return files.toSorted();
}
