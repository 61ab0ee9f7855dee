/** A copy of the repository's code in which a test may break one thing. */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtempSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';

/** One place that is broken. */
export interface Edit {
  /** Relative to the root. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Copies packages and simulation, and breaks the copy.
 *
 * @returns the copy's root.
 */
export function copyBroken(test: Pick<TestContext, 'after'>, edits: readonly Edit[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'immota-planted-'));
  test.after(() => rmSync(copy, { recursive: true }));
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@immota'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@immota' && name !== '.cache') {
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
  }
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const from = join(ROOT, 'packages', name);
    const to = join(copy, 'packages', name);
    if (!existsSync(join(from, 'src'))) continue;
    cpSync(join(from, 'src'), join(to, 'src'), { recursive: true });
    cpSync(join(from, 'package.json'), join(to, 'package.json'));
    const own = join(from, 'node_modules');
    if (existsSync(own)) symlinkSync(own, join(to, 'node_modules'));
    symlinkSync(to, join(modules, '@immota', name));
  }
  cpSync(join(ROOT, 'simulation'), join(copy, 'simulation'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  for (const { file, before, after } of edits) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    assert.equal(text.split(before).length, 2, `"${before}" stands once in ${file}`);
    writeFileSync(
      path,
      text.replace(before, () => after),
    );
  }
  return copy;
}
