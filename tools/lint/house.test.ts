/** Plants one fault for each rule of the house in a scratch copy of the repository's layout and lets the linter look. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'lint-'));
after(() => rmSync(scratch, { recursive: true }));

const uptane = 'packages/uptane/src';
const cloud = 'packages/cloud/src';
const test = 'packages/uptane/test';

/** A rule, where its fault is planted, the fault, and what stands in the same place in good order. */
const PLANTS: readonly (readonly [rule: string, folder: string, bad: string, good: string])[] = [
  ['house(no-decorator)', cloud, '@d\nclass A {}\nvoid A;', 'class A {}\nvoid A;'],
  [
    'house(no-bare-error)',
    cloud,
    "throw new Error('x');",
    "throw new CloudFault('A', 'Cannot a');",
  ],
  ['house(no-bare-error)', cloud, "f(Error('x'));", "f(new CloudFault('A', 'Cannot a'));"],
  [
    'house(fault-message)',
    cloud,
    "f(new AFault('A', 'It fails'));",
    "f(new AFault('A', 'Cannot go'));",
  ],
  [
    'house(fault-message)',
    cloud,
    "f(new AFault('A', 'Cannot go.'));",
    "f(new AFault('A', 'Cannot go: 3.5'));",
  ],
  [
    'house(fault-message)',
    cloud,
    "f(new AFault('A', `${x} is bad`));",
    "f(new AFault('A', `Cannot go: ${x}`));",
  ],
  [
    'house(fault-message)',
    cloud,
    "f(new AFault('A', `Cannot ${x}` + 'go.'));",
    "f(new AFault('A', `Cannot ${x}` + 'go'));",
  ],
  ['house(no-ambient)', cloud, 'f(Date.now());', 'f(clock.now());'],
  ['house(no-ambient)', cloud, 'f(new Date());', 'f(new Date(0));'],
  ['house(no-ambient)', cloud, 'f(Temporal.Now.instant());', "f(Temporal.Instant.from('x'));"],
  ['house(no-ambient)', cloud, 'f(Math.random());', 'f(Math.max(1));'],
  ['house(no-json-parse)', cloud, 'f(JSON.parse(x));', 'f(JSON.stringify(x));'],
  [
    'house(documented-export)',
    cloud,
    'export const limit: number = 1;',
    '/** Why. */\nexport const limit: number = 1;',
  ],
  [
    'house(documented-export)',
    cloud,
    "/** A name. */\nexport type A = Brand<string, 'A'>;",
    "/** Holding an A tells you: it is short. */\nexport type A = Brand<string, 'A'>;",
  ],
  ['eslint(no-console)', cloud, "console.log('x');", "log.info('x');"],
  ['eslint(no-restricted-globals)', uptane, 'f(process.env);', 'f(env);'],
  ['eslint(no-restricted-globals)', uptane, 'setTimeout(f, 1);', 'f();'],
  ['eslint(no-restricted-globals)', uptane, 'f(globalThis);', 'f(1);'],
  ['eslint(no-restricted-globals)', uptane, "await fetch('x');", 'f();'],
  [
    'eslint(no-restricted-imports)',
    uptane,
    "import 'node:fs';\nf();",
    "import 'node:crypto';\nf();",
  ],
  ['eslint(no-restricted-properties)', uptane, 'f(Date.UTC(1));', "f(Temporal.Instant.from('x'));"],
  ['eslint(no-restricted-properties)', uptane, 'const { random } = Math;\nf(random);', 'f(1);'],
  ['house(assert-code)', test, 'assert.throws(f, /x/);', "assert.throws(f, { code: 'X' });"],
  [
    'house(assert-code)',
    test,
    'await assert.rejects(f);',
    "await assert.rejects(f, { code: 'X' });",
  ],
  ['house(no-sleep)', test, 'await new Promise((r) => setTimeout(r, 9));', 'clock.advance(9);'],
  [
    'house(no-sleep)',
    test,
    'await new Promise((r) => { setTimeout(r, 9); });',
    'await new Promise((_, stop) => setTimeout(stop, 9));',
  ],
  ['house(no-sleep)', test, "import 'node:timers/promises';\nf();", "import 'node:crypto';\nf();"],
  ['house(test-title)', test, "it('should refuse', f);", "it('refuses what should not be', f);"],
  ['house(test-title)', test, 'it(`should ${x}`, f);', 'it(`refuses ${x}`, f);'],
];

/** The places where a rule of the packages does not hold. */
const EXEMPT: readonly (readonly [file: string, text: string])[] = [
  ['packages/cli/src/a.ts', "console.log('x');"],
  ['packages/cloud/src/system-clock.ts', 'f(Temporal.Now.instant());'],
  ['packages/base/src/json.ts', 'f(JSON.parse(x));'],
  ['packages/pki/src/keys/shell/a.ts', 'f(process.env);'],
  ['packages/uptane/test/a.ts', "throw new Error('from outside');"],
  ['tools/a.ts', "console.log(JSON.parse('1'));"],
];

const found = new Map<string, string[]>();

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(scratch, file)), { recursive: true });
  writeFileSync(join(scratch, file), `${text}\n`);
}

describe('the house rules', () => {
  before(() => {
    cpSync(join(root, '.oxlintrc.json'), join(scratch, '.oxlintrc.json'));
    cpSync(join(root, 'tools/lint'), join(scratch, 'tools/lint'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
    for (const [index, [, folder, bad, good]] of PLANTS.entries()) {
      plant(`${folder}/bad-${index}.ts`, bad);
      plant(`${folder}/good-${index}.ts`, good);
    }
    for (const [file, text] of EXEMPT) plant(file, text);
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [oxlint, '--format', 'json', 'packages', 'tools/a.ts'],
      { cwd: scratch, encoding: 'utf8' },
    );
    assert.equal(stderr, '');
    const { diagnostics } = JSON.parse(stdout) as {
      readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
    };
    for (const { code, filename } of diagnostics) {
      found.set(filename, [...(found.get(filename) ?? []), code]);
    }
  });

  for (const [index, [rule, folder, bad]] of PLANTS.entries()) {
    it(`find ${rule} in ${JSON.stringify(bad)} and not in its orderly twin`, () => {
      assert.ok(found.get(`${folder}/bad-${index}.ts`)?.includes(rule), 'the fault is not found');
      assert.ok(!found.get(`${folder}/good-${index}.ts`)?.includes(rule), 'the twin is accused');
    });
  }
  for (const [file, text] of EXEMPT) {
    it(`let ${file} write ${text}`, () => {
      const accused = (found.get(file) ?? []).filter((code) => !/no-undef|unused/.test(code));
      assert.deepEqual(accused, []);
    });
  }
});
