import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { buildConsole, CONSOLE_CONTENT_SECURITY_POLICY } from '@immota/console';

/** What a browser fetches before the first screen, without charts. */
const FIRST_LOAD_MAX_BYTES = 350_000;

/** As a browser gets it. */
function readPacked(path: string): Buffer {
  return readFileSync(existsSync(`${path}.br`) ? `${path}.br` : path);
}

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
    const bytes = files.map((file) => readPacked(join(folder, file)).length);
    const sum = bytes.reduce((total, one) => total + one, 0);
    assert.ok(sum < FIRST_LOAD_MAX_BYTES, `${String(sum)} bytes`);
    assert.ok(!files.some((file) => file.includes('echarts')));
  });

  it('packs each text beside itself, so that it comes out as it was', async () => {
    const folder = await buildConsole({ cacheFolder });
    const scripts = readdirSync(join(folder, 'assets')).filter((file) => file.endsWith('.js.br'));
    assert.ok(scripts.length > 10);
    for (const script of scripts.slice(0, 5)) {
      const path = join(folder, 'assets', script);
      const plain = readFileSync(path.replace(/\.br$/, ''));
      assert.deepEqual(brotliDecompressSync(readFileSync(path)), plain);
      assert.deepEqual(gunzipSync(readFileSync(path.replace(/br$/, 'gz'))), plain);
    }
  });

  it('needs no policy that lets texts become code or styles', () => {
    assert.doesNotMatch(CONSOLE_CONTENT_SECURITY_POLICY, /unsafe|\*|https?:/);
  });
});
