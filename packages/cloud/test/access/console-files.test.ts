import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

const SCRIPT = 'console.log(1)';
const folder = mkdtempSync(join(tmpdir(), 'immota-console-'));
let world: TestPlatform;
before(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Immota</title>');
  writeFileSync(join(folder, 'assets/app-abcdefgh.js'), SCRIPT);
  writeFileSync(join(folder, 'assets/app-abcdefgh.js.gz'), gzipSync(SCRIPT));
  symlinkSync('/etc/passwd', join(folder, 'assets/link.txt'));
  world = await startTestPlatform({ consoleFiles: { folder } });
});
after(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(world.platform.urls.operator + path, { headers });

/** Asks for a path as it stands; `fetch` would tidy it. */
async function rawStatus(path: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const { hostname, port } = new URL(world.platform.urls.operator);
  request({ hostname, port, path }, (response) => {
    response.resume();
    resolve(response.statusCode);
  }).end();
  return await promise;
}

describe('the console’s files', () => {
  it('are sent packed where that was made, and kept for ever where their name says so', async () => {
    const script = await get('/assets/app-abcdefgh.js', { 'accept-encoding': 'gzip' });
    assert.equal(await script.text(), SCRIPT);
    assert.equal(script.headers.get('content-encoding'), 'gzip');
    assert.match(script.headers.get('cache-control') ?? '', /immutable/);
    const plain = await get('/assets/app-abcdefgh.js', { 'accept-encoding': 'identity' });
    assert.deepEqual([plain.headers.get('content-encoding'), await plain.text()], [null, SCRIPT]);
  });

  it('answer paths of the console with its page, under a strict policy', async () => {
    const page = await get('/campaigns/7', { accept: 'text/html' });
    assert.match(await page.text(), /<title>Immota/);
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.ok(!policy.includes('unsafe'));
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  });

  it('are nothing else of the disk, and hide no route of the API', async () => {
    const paths = ['/assets/../../x', '/%2e%2e/x', '/assets/link.txt', '/assets/none.js'];
    for (const path of paths) assert.equal(await rawStatus(path), 404, path);
    assert.equal((await get('/api/v1/nothing', { accept: 'text/html' })).status, 404);
    assert.equal((await get('/api/v1/session', { accept: 'text/html' })).status, 401);
  });
});
