/** Folders that vanish with the test, and chance that is real. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Entropy } from '@immota/base';

export const entropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Makes a folder for one test. */
export function makeFolder(test: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vehicle-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
