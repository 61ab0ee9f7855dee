import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadStandards } from './clauses/standards.ts';
import { traceClauses, type Tracing } from './clauses/trace.ts';

const scratch = mkdtempSync(join(tmpdir(), 'clauses-'));
after(() => rmSync(scratch, { recursive: true }));

const FILES = {
  'docs/clauses/uptane-2.1.0.json': JSON.stringify({
    tag: 'uptane',
    clauses: {
      L6: { section: '5.4.4.3', words: 'both thresholds' },
      A3: { section: '2.1', words: 'all of it', carriedBy: 'docs/system.md' },
    },
  }),
  'docs/clauses/standards.json': JSON.stringify({
    standards: [{ tag: 'RFC \\d+' }, { tag: 'R155' }],
  }),
  'docs/system.md': '# System\n',
  'packages/a/src/a.ts': '/**\n * Both count {uptane L6}.\n */\nexport const a = 1;\n',
  'packages/a/test/a.test.ts': "it('counts both {uptane L6}', () => {});\n",
};

function repositoryWith(planted: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(scratch, 'repository-'));
  for (const [file, text] of Object.entries({ ...FILES, ...planted })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

function traceWith(planted: Readonly<Record<string, string>>): Tracing {
  const root = repositoryWith(planted);
  return traceClauses(root, loadStandards(root));
}

function run(root: string, ...args: readonly string[]): { status: number | null; stdout: string } {
  const tool = resolve(import.meta.dirname, 'clauses.ts');
  return spawnSync(process.execPath, [tool, ...args, root], { encoding: 'utf8' });
}

describe('traceClauses()', () => {
  it('finds the code and the test of a requirement, by file and line', () => {
    const { traces, faults } = traceWith({});
    assert.deepEqual(faults, []);
    assert.deepEqual(traces, [
      {
        id: 'uptane L6',
        section: '5.4.4.3',
        words: 'both thresholds',
        code: ['packages/a/src/a.ts:2'],
        tests: ['packages/a/test/a.test.ts:1'],
      },
      {
        id: 'uptane A3',
        section: '2.1',
        words: 'all of it',
        code: [],
        tests: [],
        carriedBy: 'docs/system.md',
      },
    ]);
  });

  it('counts no citation in a string of the code or a comment of a test', () => {
    const { traces } = traceWith({
      'packages/a/src/a.ts': "export const a = '{uptane L6}';\n",
      'packages/a/test/a.test.ts': '// {uptane L6}\n',
    });
    assert.equal(traces[0]?.gap, 'no code and no test');
  });

  const gaps = [
    ['code', { 'packages/a/src/a.ts': '' }, 'no code'],
    ['test', { 'packages/a/test/a.test.ts': '' }, 'no test'],
  ] as const;
  for (const [what, planted, gap] of gaps) {
    it(`finds a requirement without ${what}`, () => {
      assert.equal(traceWith(planted).traces[0]?.gap, gap);
    });
  }

  it('lets other standards be cited by their numbers', () => {
    const text = '// {RFC 7030 4.2} {R155 7.2.2.2} {R155 Annex 5}\n';
    assert.deepEqual(traceWith({ 'packages/a/src/b.ts': text }).faults, []);
  });

  it('takes a mapping of YAML for no citation', () => {
    const text = "f('condition: {gte: 1}');\n";
    assert.deepEqual(traceWith({ 'packages/a/test/b.test.ts': text }).faults, []);
  });

  const strangers = [
    ['a requirement that is not there', '// {uptane L66}', '{uptane L66} is in no standard'],
    ['a standard that is not there', '// {R157 1.2}', '{R157 1.2} is in no standard'],
    ['a standard with a colon', '// {R155: 7.2}', '{R155: 7.2} is in no standard'],
    ['a listed standard with a colon', '// {uptane: L6}', '{uptane: L6} is no citation'],
    ['two requirements in one brace', '// {uptane L6, L7}', '{uptane L6, L7} is no citation'],
    ['a requirement in small letters', '// {uptane l6}', '{uptane l6} is no citation'],
    ['a title that cites a stranger', "it('x {uptane Z1}', f);", '{uptane Z1} is in no standard'],
  ] as const;
  for (const [what, line, fault] of strangers) {
    it(`finds ${what}`, () => {
      const { faults } = traceWith({ 'packages/a/src/b.ts': `f();\n${line}\n` });
      assert.equal(faults.length, 1);
      assert.ok(faults[0]?.startsWith(`packages/a/src/b.ts:2: ${fault}`), faults[0] ?? '');
    });
  }

  it('finds a stranger in a document', () => {
    const { faults } = traceWith({ 'docs/guides/a.md': 'See {uptane L99}.\n' });
    assert.equal(faults.length, 1);
  });

  it('finds a carrying document that is not there', () => {
    const clauses = { A3: { section: '2.1', words: 'x', carriedBy: 'docs/none.md' } };
    const { faults } = traceWith({
      'docs/clauses/uptane-2.1.0.json': JSON.stringify({ tag: 'uptane', clauses }),
      'packages/a/src/a.ts': '',
      'packages/a/test/a.test.ts': '',
    });
    assert.deepEqual(faults, ['uptane A3: docs/none.md is not there']);
  });
});

describe('the command', () => {
  it('succeeds where every requirement is carried', () => {
    const { status, stdout } = run(repositoryWith({}), '--strict');
    assert.equal(status, 0);
    assert.match(stdout, /2 of 2 requirements are carried\n$/);
  });
  it('fails on a stranger', () => {
    assert.equal(run(repositoryWith({ 'packages/a/src/b.ts': '// {uptane L66}\n' })).status, 1);
  });
  it('fails on a gap only when it is strict', () => {
    const root = repositoryWith({ 'packages/a/test/a.test.ts': '' });
    assert.deepEqual([run(root).status, run(root, '--strict').status], [0, 1]);
  });
  it('gives the same as data', () => {
    const { stdout } = run(repositoryWith({}), '--json');
    assert.equal((JSON.parse(stdout) as Tracing).traces.length, 2);
  });
});

describe('docs/clauses', () => {
  it('lists the 99 requirements of Uptane 2.1.0', () => {
    const { listed } = loadStandards(resolve(import.meta.dirname, '..'));
    const uptane = listed.find(({ tag }) => tag === 'uptane');
    const counts = Map.groupBy(Object.keys(uptane?.clauses ?? {}), (id) => id[0]);
    const sizes = [...counts].map(([letter, ids]) => `${letter}${ids.length}`).join(' ');
    assert.equal(sizes, 'A6 B17 C10 D5 E9 F4 G7 H4 I10 J4 K8 L12 M3');
  });
});
