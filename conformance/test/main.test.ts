/** The command line of the runners, as processes of their own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeDirector, makeImage, PAST, PLAIN, writeRepository } from './vectors/support/author.ts';
import { writeExpected } from './vectors/support/folder.ts';

const MAIN = resolve(import.meta.dirname, '../main.ts');

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
}

async function run(args: readonly string[], calledFrom: string): Promise<Ending> {
  const env = { ...process.env, INIT_CWD: calledFrom };
  const child = spawn(process.execPath, [MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece.toString();
  });
  return await new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status) => {
      settle({ status, stdout });
    });
  });
}

describe('conformance', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immota-conformance-'));

  before(() => {
    for (const [name, expires] of [
      ['good', undefined],
      ['bad', PAST],
    ] as const) {
      const place = join(folder, name);
      const director = makeDirector();
      if (expires !== undefined) director.targets.signed['expires'] = expires;
      writeRepository(join(place, 'vector/0/director'), director, PLAIN);
      writeRepository(join(place, 'vector/0/image_repo'), makeImage(), PLAIN);
      writeExpected(place, [{}]);
    }
    mkdirSync(join(folder, 'logs'));
    writeFileSync(
      join(folder, 'logs/one.jsonl'),
      '{"method":"PUT","path":"/director/manifest","cn":"a","body":{}}',
    );
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  const now = ['--now', '2026-01-01T00:00:00Z'];

  it('ends with the sums and status 0 when all vectors pass', async () => {
    const { status, stdout } = await run(['vectors', 'good', ...now], folder);
    assert.equal(status, 0);
    assert.match(stdout, /^ok   vector  accepted\n1 passed, 0 failed\n$/);
  });

  it('ends with status 1 when a vector fails', async () => {
    const { status, stdout } = await run(['vectors', join(folder, 'bad'), ...now], '/');
    assert.equal(status, 1);
    assert.match(stdout, /\n0 passed, 1 failed\n$/);
  });

  it('stands at the instant that --now names', async () => {
    const { status } = await run(['vectors', 'bad', '--now', '2016-01-01T00:00:00Z'], folder);
    assert.equal(status, 0);
  });

  it('gives the same as data', async () => {
    const { stdout } = await run(['vectors', 'bad', '--json', '--only', 'vector', ...now], folder);
    const { vectors } = JSON.parse(stdout) as {
      readonly vectors: readonly { readonly name: string; readonly passed: boolean }[];
    };
    assert.deepEqual(
      vectors.map(({ name, passed }) => [name, passed]),
      [['vector', false]],
    );
  });

  it('ends with status 1 when a recorded request is refused', async () => {
    const { status, stdout } = await run(['wire-logs', 'logs'], folder);
    assert.equal(status, 1);
    assert.match(stdout, /^FAIL one.jsonl:1 .*UNREGISTERED.*\n0 passed, 1 failed\n$/s);
  });

  for (const args of [
    [],
    ['vectors'],
    ['vectors', 'nowhere'],
    ['vectors', 'good', '--only', 'another'],
    ['vectors', 'good', '--now', 'soon'],
    ['wire-logs', 'good'],
    ['else', 'good'],
    ['vectors', 'good', '--unknown'],
  ]) {
    it(`ends with status 2 on "${args.join(' ')}"`, async () => {
      assert.equal((await run(args, folder)).status, 2);
    });
  }
});
