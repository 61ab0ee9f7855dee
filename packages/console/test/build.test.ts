import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { buildConsole, CONSOLE_CONTENT_SECURITY_POLICY } from '@immota/console';

/** What a browser fetches before the first screen, without charts. */
const FIRST_LOAD_MAX_BYTES = 350_000;

describe('buildConsole()', () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'immota-console-'));
  after(() => {
    rmSync(cacheFolder, { recursive: true });
  });

  it('builds once for one state of the sources, and leaves nothing half made', async () => {
    const folder = await buildConsole({ cacheFolder });
    assert.equal(await buildConsole({ cacheFolder }), folder);
    assert.equal(readdirSync(cacheFolder).length, 1);
  });

  it('loads little before the first screen, and nothing from elsewhere', async () => {
    const folder = await buildConsole({ cacheFolder });
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    assert.ok(files.every((file) => file.startsWith('/')));
    const bytes = files.map((file) => brotliCompressSync(readFileSync(join(folder, file))).length);
    const sum = bytes.reduce((total, one) => total + one, 0);
    assert.ok(sum < FIRST_LOAD_MAX_BYTES, `${String(sum)} bytes`);
    assert.ok(!files.some((file) => file.includes('echarts')));
  });

  it('needs no policy that lets texts become code or styles', () => {
    assert.doesNotMatch(CONSOLE_CONTENT_SECURITY_POLICY, /unsafe|\*|https?:/);
  });
});
