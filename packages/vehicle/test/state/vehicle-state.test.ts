import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openState, type StateValue } from '@immota/vehicle';
import { AKTUALIZR, decodeRoot, parseMetadataVersion, TARGETS_ROLE } from '@immota/uptane';
import { makeFolder } from '../support/folder.ts';
import { trustedRoot } from '../support/trusted.ts';

const count = (name: string): StateValue<number> => ({
  name,
  encode: (value) => value,
  decode: (json) => (typeof json === 'number' ? json : undefined),
});
const LEFT = count('left');
const RIGHT = count('right');

describe('openState()', () => {
  it('makes a file that its owner alone may read', (test) => {
    const path = join(makeFolder(test), 'state.db');
    openState(path).close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    openState(path).close();
  });
  it('refuses a file that is none, and one of another version', (test) => {
    const folder = makeFolder(test);
    writeFileSync(join(folder, 'noise'), Buffer.alloc(8192, 7));
    assert.throws(() => openState(join(folder, 'noise')), { code: 'STATE_CORRUPT' });
    const path = join(folder, 'state.db');
    openState(path).close();
    const newer = spawnSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import { DatabaseSync } from 'node:sqlite';
       new DatabaseSync(${JSON.stringify(path)}).exec('pragma user_version = 99');`,
    ]);
    assert.equal(newer.status, 0, String(newer.stderr));
    assert.throws(() => openState(path), { code: 'STATE_CORRUPT' });
  });
  it('refuses a second owner, and lets one in after the first has left', (test) => {
    const path = join(makeFolder(test), 'state.db');
    const first = openState(path);
    assert.throws(() => openState(path), { code: 'STATE_BUSY' });
    first.close();
    openState(path).close();
  });
});

describe('VehicleState.transaction()', () => {
  it('keeps all of its changes, or none when it fails', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    state.transaction(() => {
      state.values.save(LEFT, 1);
      state.values.save(RIGHT, 1);
    });
    const failure = new RangeError('in the middle');
    assert.throws(
      () =>
        state.transaction(() => {
          state.values.save(LEFT, 2);
          throw failure;
        }),
      (error) => error === failure,
    );
    assert.deepEqual([state.values.load(LEFT), state.values.load(RIGHT)], [1, 1]);
    state.close();
  });
  it('is whole or absent when the power fails in its middle', (test) => {
    const folder = makeFolder(test);
    const path = join(folder, 'state.db');
    const state = openState(path);
    state.values.save(LEFT, 1);
    state.values.save(RIGHT, 1);
    // More than fits the page cache, so that pages of an unfinished transaction reach the file.
    const filler: StateValue<string> = {
      name: 'filler',
      encode: (value) => value,
      decode: (json) => (typeof json === 'string' ? json : undefined),
    };
    let copied = 0;
    const photograph = (): void => {
      copied += 1;
      mkdirSync(join(folder, String(copied)));
      copyFileSync(path, join(folder, String(copied), 'state.db'));
      if (existsSync(`${path}-journal`)) {
        copyFileSync(`${path}-journal`, join(folder, String(copied), 'state.db-journal'));
      }
    };
    photograph();
    state.transaction(() => {
      state.values.save(LEFT, 2);
      photograph();
      for (let index = 0; index < 8; index += 1) {
        state.values.save({ ...filler, name: `filler ${index}` }, 'x'.repeat(500_000));
      }
      photograph();
      state.values.save(RIGHT, 2);
      photograph();
    });
    photograph();
    state.close();
    const seen: (number | undefined)[] = [];
    for (let index = 1; index <= copied; index += 1) {
      const survivor = openState(join(folder, String(index), 'state.db'));
      assert.equal(survivor.values.load(LEFT), survivor.values.load(RIGHT));
      seen.push(survivor.values.load(LEFT));
      survivor.close();
    }
    assert.deepEqual(seen, [1, 1, 1, 1, 2]);
  });
  it('survives a process that is killed at each of its writes', (test) => {
    const path = join(makeFolder(test), 'state.db');
    const script = join(import.meta.dirname, '../support/state-writer.ts');
    for (const writes of [1, 2, 3, 4, 7]) {
      const killed = spawnSync(process.execPath, [script, path, String(writes)]);
      assert.equal(killed.signal, 'SIGKILL', String(killed.stderr));
      const state = openState(path);
      assert.equal(state.values.load(LEFT), state.values.load(RIGHT));
      state.close();
    }
  });
});

describe('MetadataTable', () => {
  it('keeps roles by repository, and every Root under its version {uptane I6}', async (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    const [first, second] = [await trustedRoot(1), await trustedRoot(2)];
    state.metadata.save('director', 'root', first);
    state.metadata.save('director', 'root', second);
    assert.deepEqual(state.metadata.load('director', 'root'), second.bytes);
    assert.equal(state.metadata.load('image', 'root'), undefined);
    assert.deepEqual(
      [...state.metadata.listRoots('director').entries()],
      [
        [1, first.bytes],
        [2, second.bytes],
      ],
    );
    state.metadata.drop('director', 'root');
    assert.equal(state.metadata.load('director', 'root'), undefined);
    assert.deepEqual(state.metadata.list('director'), []);
    state.close();
  });
  it('takes nothing that was not verified', async (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    const trusted = await trustedRoot(1);
    const unverified = decodeRoot(AKTUALIZR, trusted.bytes, trusted.bytes.length);
    // @ts-expect-error an unverified Root is not a Trusted one
    state.metadata.save('director', 'root', unverified);
    state.close();
  });
  it('carries out what a verification cycle asks of a store', async (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    const metadata = await trustedRoot(parseMetadataVersion(1));
    const at = { repository: 'image', role: TARGETS_ROLE } as const;
    state.metadata.perform({ kind: 'save', ...at, metadata });
    assert.deepEqual(state.metadata.perform({ kind: 'load', ...at }), metadata.bytes);
    state.metadata.perform({ kind: 'drop', ...at });
    assert.equal(state.metadata.perform({ kind: 'load', ...at }), undefined);
    state.close();
  });
});

describe('ValueTable', () => {
  it('refuses a fact of another kind instead of taking it for absent', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    state.values.save({ ...LEFT, encode: () => 'text' }, 1);
    assert.throws(() => state.values.load(LEFT), { code: 'STATE_CORRUPT' });
    state.values.remove(LEFT);
    assert.equal(state.values.load(LEFT), undefined);
    state.close();
  });
});

describe('QueueTable', () => {
  it('keeps messages in order, each id once, until they are taken out', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    for (const id of ['a', 'b', 'a', 'c']) state.queue.add('event', { id, body: { id } });
    state.queue.add('receipt', { id: 'a', body: {} });
    assert.deepEqual(
      state.queue.list('event', 2).map(({ id }) => id),
      ['a', 'b'],
    );
    state.queue.remove('event', ['a', 'c', 'unknown']);
    assert.deepEqual(state.queue.list('event', 9), [{ id: 'b', body: { id: 'b' } }]);
    assert.equal(state.queue.list('receipt', 9).length, 1);
    state.close();
  });
  it('gives up the oldest when too many wait', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    state.transaction(() => {
      for (let index = 0; index < 4100; index += 1) {
        state.queue.add('event', { id: String(index), body: {} });
      }
    });
    const waiting = state.queue.list('event', 10_000);
    assert.deepEqual([waiting.length, waiting[0]?.id], [4096, '4']);
    state.close();
  });
});

describe('JournalTable', () => {
  it('keeps entries in order and lets the oldest go', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    state.transaction(() => {
      for (let index = 1; index <= 2050; index += 1) state.journal.append('step', { index });
    });
    const entries = state.journal.list(0, 10_000);
    assert.equal(entries.length, 2048);
    assert.deepEqual(entries[0], { sequence: 3, kind: 'step', body: { index: 3 } });
    assert.equal(state.journal.list(2049, 9).length, 1);
    state.close();
  });
});
