import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../../bin/immota.js');
const folder = mkdtempSync(join(tmpdir(), 'immota-serve-'));
// The database may run as another user, who must be able to pass through.
chmodSync(folder, 0o711);
const data = join(folder, 'data');
const PORTS = ['--port', '0', '--operator-port', '0', '--wake-port', '0', '--status-port', '0'];

interface Server {
  readonly child: ChildProcess;
  readonly said: Record<string, string>;
}

async function serve(...args: readonly string[]): Promise<Server> {
  const all = [bin, '--json', '--data', data, 'serve', '--host', '127.0.0.1', ...PORTS, ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, said: JSON.parse(line) as Record<string, string> };
}

async function stop({ child }: Server): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

before(async () => {
  await run(process.execPath, [bin, '--json', '--data', data, 'init']);
});
after(() => {
  rmSync(folder, { recursive: true });
});

describe('immota serve', () => {
  describe('with its console', () => {
    let server: Server;
    before(async () => {
      server = await serve();
    });
    after(() => stop(server));

    const get = (path: string, accept = '*/*'): Promise<Response> =>
      fetch(new URL(path, server.said['console']), { headers: { accept }, redirect: 'manual' });

    it('serves the page under its policy, also for paths that the page knows', async () => {
      for (const path of ['/', '/campaigns/7']) {
        const page = await get(path, 'text/html');
        assert.equal(page.status, 200);
        assert.match(await page.text(), /<script type="module"/);
        const policy = page.headers.get('content-security-policy') ?? '';
        assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
        assert.equal(page.headers.get('cache-control'), 'no-cache');
      }
    });

    it('lets browsers keep what is named by its content, and refuses what is not there', async () => {
      const text = await (await get('/')).text();
      const script = /src="(\/assets\/[^"]+\.js)"/.exec(text)?.[1] ?? '';
      const found = await get(script);
      assert.match(found.headers.get('content-type') ?? '', /^text\/javascript/);
      assert.match(found.headers.get('cache-control') ?? '', /immutable/);
      assert.equal((await get('/assets/none.js', 'text/html')).status, 404);
    });

    it('lets API and sign-in go before the page', async () => {
      assert.equal((await get('/api/v1/session', 'text/html')).status, 401);
      assert.equal((await get('/api/v1/nothing', 'text/html')).status, 404);
      const api = await get('/openapi.json', 'text/html');
      assert.match(api.headers.get('content-type') ?? '', /json/);
    });

    it('tells how to become the first administrator', async () => {
      const invitation = new URL(server.said['invitation'] ?? '');
      assert.equal(invitation.origin, new URL(server.said['operator'] ?? '').origin);
      const form = await get(invitation.href, 'text/html');
      assert.equal(form.status, 200);
      assert.match(await form.text(), /type="password"/);
      const stale = await get('/auth/invitation?code=none', 'text/html');
      assert.doesNotMatch(await stale.text(), /type="password"/);
    });
  });

  it('serves none where none is wanted', async () => {
    const server = await serve('--no-console');
    try {
      assert.equal(server.said['console'], undefined);
      const page = await fetch(server.said['operator'] ?? '', { headers: { accept: 'text/html' } });
      assert.equal(page.status, 404);
    } finally {
      await stop(server);
    }
  });

  it('refuses a folder without a console, and makes no data folder by building one', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const none = join(folder, 'none');
    const cases = [
      [data, ['--console', empty], 'USAGE'],
      [none, [], 'DATA_FOLDER'],
    ] as const;
    for (const [where, more, code] of cases) {
      const all = [bin, '--json', '--data', where, 'serve', ...PORTS, ...more];
      const outcome = await run(process.execPath, all).catch((error: unknown) => error);
      assert.ok(outcome instanceof Error && 'stdout' in outcome);
      assert.equal((JSON.parse(String(outcome.stdout)) as { code: string }).code, code);
    }
    assert.ok(!readdirSync(folder).includes('none'));
  });
});
