/** The executable itself: a process of its own, on the wall's clock. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Simulator } from './support/simulator.ts';

const EXECUTABLE = resolve(import.meta.dirname, '../../tuf-client');

interface Ending {
  readonly status: number | null;
  readonly stderr: string;
}

async function run(program: string, args: readonly string[], cwd: string): Promise<Ending> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString();
  });
  return await new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status) => {
      settle({ status, stderr });
    });
  });
}

describe('tuf-client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immota-tuf-'));
  const metadataDir = join(folder, 'metadata');
  const targetDir = join(folder, 'targets');
  let repository: Simulator;

  before(async () => {
    repository = await Simulator.start();
    for (const [role, metadata] of repository.metadata) {
      metadata['expires'] = '9999-12-31T23:59:59Z';
      repository.forget(role);
    }
    repository.addArtifact('targets', 'a', 'content of a');
    repository.addArtifact('targets', 'b', 'content of b');
    repository.publish('root', 'targets', 'snapshot', 'timestamp');
    writeFileSync(join(folder, 'root.json'), repository.latest('root'));
    symlinkSync(EXECUTABLE, join(folder, 'first-link'));
    symlinkSync('first-link', join(folder, 'second-link'));
  });

  after(async () => {
    await repository[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('goes through init, refresh and download with status 0, by a link and from any folder', async () => {
    const program = join(folder, 'second-link');
    const start = ['--metadata-dir', metadataDir, 'init', 'root.json'];
    assert.deepEqual(await run(program, start, folder), { status: 0, stderr: '' });
    const refresh = ['--metadata-url', repository.metadataUrl, '--metadata-dir', metadataDir];
    assert.deepEqual(await run('./second-link', [...refresh, 'refresh'], folder), {
      status: 0,
      stderr: '',
    });
    const targets = ['--target-base-url', repository.targetsUrl, '--target-dir', targetDir];
    const names = ['--target-name', 'a', '--target-name', 'b'];
    const download = [...names, ...targets, ...refresh, 'download'];
    assert.deepEqual(await run(program, download, '/'), { status: 0, stderr: '' });
    assert.deepEqual(readdirSync(targetDir).toSorted(), ['a', 'b']);
    assert.deepEqual(readdirSync(metadataDir).toSorted(), [
      'root.json',
      'snapshot.json',
      'targets.json',
      'timestamp.json',
    ]);
    const missing = [...refresh, '--target-name', 'c', ...targets, 'download'];
    const ending = await run(EXECUTABLE, missing, '/');
    assert.equal(ending.status, 1);
    assert.match(ending.stderr, /^TARGET_UNKNOWN: /);
  });

  for (const args of [
    [],
    ['refresh'],
    ['--metadata-dir', 'nowhere', 'init', 'missing.json'],
    ['--metadata-dir', 'nowhere', '--metadata-url', 'http://127.0.0.1:1/', 'refresh'],
    ['--metadata-dir', 'nowhere', '--unknown', 'x', 'refresh'],
    ['--metadata-dir'],
    ['--metadata-dir', 'a', '--metadata-dir', 'b', 'init', 'root.json'],
    ['destroy'],
  ]) {
    it(`ends with status 1 on "${args.join(' ')}"`, async () => {
      const { status, stderr } = await run(EXECUTABLE, args, folder);
      assert.equal(status, 1);
      assert.match(stderr, /^(?:USAGE|FILE|NOT_INITIALISED): /);
    });
  }
});
