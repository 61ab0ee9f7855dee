import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findUnmetConditions, ONE_BANK_CONDITIONS, systemSurroundings } from '@immota/vehicle';
import {
  openImmobiliser,
  openSignals,
  SIGNALS_FILE,
  writeParkedSignals,
} from '../../src/vehicle/simulated-car.ts';

const { timer } = systemSurroundings();
const folder = mkdtempSync(join(tmpdir(), 'immota-car-'));
after(() => rmSync(folder, { recursive: true }));

function unmet(): readonly string[] {
  const signals = openSignals(folder, timer);
  return findUnmetConditions(ONE_BANK_CONDITIONS, signals, timer.elapsedMs()).map(({ id }) => id);
}

describe('openSignals()', () => {
  it('tells of a parked car, in which everything may be installed', () => {
    writeParkedSignals(folder);
    assert.deepEqual(unmet(), []);
  });

  it('tells what stands in the file now, and nothing where it is none', () => {
    writeFileSync(join(folder, SIGNALS_FILE), '{"Vehicle.Speed":50,"Vehicle.Body.Hood.IsOpen":[]}');
    assert.ok(unmet().includes('standing-still'));
    assert.ok(unmet().includes('hood-closed'));
    const all = ONE_BANK_CONDITIONS.map(({ id }) => id);
    for (const text of ['{', '[]', '']) {
      writeFileSync(join(folder, SIGNALS_FILE), text);
      assert.deepEqual(unmet(), all);
    }
    rmSync(join(folder, SIGNALS_FILE));
    assert.deepEqual(unmet(), all);
  });
});

describe('openImmobiliser()', () => {
  it('holds over restarts', async () => {
    await openImmobiliser(folder).hold('an update');
    assert.ok(existsSync(join(folder, 'immobilised.txt')));
    await openImmobiliser(folder).release();
    assert.ok(!existsSync(join(folder, 'immobilised.txt')));
    await openImmobiliser(folder).release();
  });
});
