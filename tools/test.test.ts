/** Runs the gate in a scratch repository whose tests pass, fail, break, hang or are left out. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { meetNeeds } from './test/needs.ts';
import { runProcess } from './test/process.ts';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'gate-'));
after(() => rmSync(scratch, { recursive: true }));

const HEAD = "import { before, describe, it } from 'node:test';\n";

function manifest(name: string, pure: boolean, needs: readonly string[] = []): string {
  return JSON.stringify({ name: `@h/${name}`, house: { floor: 0, pure, needs } });
}

const FILES = {
  'packages/good/package.json': manifest('good', true),
  'packages/good/test/a.test.ts': `${HEAD}it('holds', () => {});\nit('holds too', () => {});\n`,
  'packages/bad/package.json': manifest('bad', true),
  'packages/bad/test/a.test.ts': `${HEAD}it('breaks', () => { throw new TypeError('x'); });\n`,
  'packages/left/package.json': manifest('left', false, ['unheard-of']),
  'packages/left/test/a.test.ts': `${HEAD}
it('holds', () => {});
it('signs in a token', { skip: 'no token here' }, () => {});
describe('a group', { skip: 'no group' }, () => { it('one', () => {}); });
it('waits', { todo: 'soon' }, () => {});
`,
  'packages/broken/package.json': manifest('broken', false),
  'packages/broken/test/a.test.ts': "import { x } from './nowhere.ts';\nx();\n",
  'packages/hooks/package.json': manifest('hooks', false),
  'packages/hooks/test/a.test.ts': `${HEAD}
describe('a group', () => { before(() => { throw new TypeError('x'); }); it('one', () => {}); });
`,
  'packages/empty/package.json': manifest('empty', false),
  'packages/empty/test/a.test.ts': 'export {};\n',
  'packages/hangs/package.json': manifest('hangs', false),
  'packages/hangs/test/a.test.ts': `${HEAD}it('hangs', () => new Promise(() => { setInterval(() => {}, 9999); }));\n`,
  'packages/hangs/test/b.test.ts': `${HEAD}it('holds', () => {});\n`,
  'packages/dying/package.json': manifest('dying', true),
  'packages/dying/test/a.test.ts': `${HEAD}it('holds', () => { process.exit(3); });\n`,
  'packages/seeded/package.json': manifest('seeded', false),
  'packages/seeded/test/a.test.ts': `${HEAD}
import assert from 'node:assert/strict';
import { readConfigureGlobal } from 'fast-check';
import { dirname } from 'node:path';
it('draws from the seed', () => { assert.equal(readConfigureGlobal().seed, 7); });
it('finds this Node', () => { assert.equal(process.versions.node, '${process.versions.node}'); });
`,
} as const;

interface Run {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly last: string | undefined;
}

function gate(...only: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(scratch, 'tools/test.ts'), '--as-is', '--limit', '3', '--only', only.join(',')],
    { encoding: 'utf8', env: { ...process.env, SEED: '7' } },
  );
  const lines = `${stderr}${stdout}`.trimEnd().split('\n');
  return { status, lines, last: lines.at(-1) };
}

before(() => {
  cpSync(join(root, 'tools'), join(scratch, 'tools'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  for (const [file, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true });
    writeFileSync(join(scratch, file), text);
  }
});

describe('npm test', () => {
  it('counts what passed', () => {
    const { status, last, lines } = gate('good');
    assert.deepEqual([status, last], [0, '2 passed, 0 failed, 0 skipped']);
    assert.match(lines.join('\n'), /^Node [\d.]+, SEED=7$/m);
  });

  it('counts the packages of the shared process apart and fails with one of them', () => {
    const { status, last, lines } = gate('good', 'bad');
    assert.deepEqual([status, last], [1, '2 passed, 1 failed, 0 skipped']);
    assert.ok(lines.includes('  bad: breaks'));
  });

  it('lists what did not run with its reason, and what the machine lacks', () => {
    const { status, last, lines } = gate('left');
    assert.deepEqual([status, last], [0, '1 passed, 0 failed, 3 skipped']);
    for (const line of [
      '  left: signs in a token: no token here',
      '  left: a group: no group',
      '  left: waits: soon',
      '  unheard-of: tools/test/needs.ts knows no such need',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  for (const [name, why] of [
    ['broken', 'a file that does not load'],
    ['hooks', 'a hook that breaks'],
    ['dying', 'a process that ends in the middle'],
  ] as const) {
    it(`fails on ${why}`, () => {
      const { status, last } = gate(name);
      assert.equal(status, 1);
      assert.match(last ?? '', /^\d+ passed, [1-9]\d* failed, 0 skipped$/);
    });
  }

  it('shows why a file does not load', () => {
    assert.match(gate('broken').lines.join('\n'), /ERR_MODULE_NOT_FOUND/);
  });

  it('ends with what hangs, and names it', () => {
    const { status, last, lines } = gate('hangs');
    assert.equal(status, 1);
    assert.match(last ?? '', /^1 passed, [23] failed, 0 skipped$/);
    assert.ok(lines.some((line) => line.endsWith('a.test.ts did not come to its end')));
    assert.ok(lines.includes('  hangs: ran out of time after 3 s'));
  });

  it('never takes a suite without tests for one that passed', () => {
    const { status, last, lines } = gate('empty');
    assert.deepEqual([status, last], [1, '0 passed, 1 failed, 0 skipped']);
    assert.ok(lines.includes('  empty: packages/empty/test/a.test.ts'));
  });

  it('hands the seed to fast-check, and this very Node to the tests', () => {
    assert.equal(gate('seeded').last, '2 passed, 0 failed, 0 skipped');
  });

  it('names what there is when asked for what there is not', () => {
    const { status, lines } = gate('nobody');
    assert.equal(status, 1);
    assert.match(lines[0] ?? '', /^No tests are named nobody; there are types, /);
  });
});

describe('need-node.mjs', () => {
  it('lets this Node pass', () => {
    const { status } = spawnSync(process.execPath, [join(root, 'tools/need-node.mjs')]);
    assert.equal(status, 0);
  });
  it('tells an older one what to do', () => {
    const text = readFileSync(join(root, 'tools/need-node.mjs'), 'utf8');
    const old = `const process = { ...globalThis.process, versions: { node: '20.20.2' }, exit: (status) => globalThis.process.exit(status) };\n`;
    const file = join(scratch, 'old.mjs');
    writeFileSync(file, `${old}${text}`);
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /needs Node 26; this is Node 20\.20\.2.*"npm ci"/s);
  });
});

describe('runProcess()', () => {
  it('ends a family that runs past its deadline', async () => {
    const mark = join(scratch, 'grandchild');
    // The grandchild would leave its mark long after the deadline.
    const grandchild = `setTimeout(() => require('node:fs').writeFileSync(${JSON.stringify(mark)}, ''), 1500)`;
    const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' })`;
    const ending = await runProcess({
      command: process.execPath,
      args: ['-e', child],
      cwd: root,
      limitMs: 400,
      show: false,
    });
    assert.deepEqual([ending.status, ending.timedOut], [undefined, true]);
    // It ends only when the grandchild has let go of the shared pipe.
    assert.ok(ending.seconds < 1.4 && !existsSync(mark));
  });

  it('tells that a command is not there', async () => {
    const order = { command: 'no-such-command', args: [], cwd: root, limitMs: 1000, show: false };
    assert.equal((await runProcess(order)).status, 127);
  });
});

describe('meetNeeds()', () => {
  it('finds nothing missing where nothing is needed', async () => {
    assert.deepEqual(await meetNeeds(root, new Set(), true), []);
  });
});
