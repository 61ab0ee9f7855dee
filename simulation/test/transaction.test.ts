/** The transaction over several ECUs: its model, its code held against the model, and the power cut in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutVehicles, type RecordedRun } from '../power-cuts/vehicle.ts';
import { explore } from '../transaction-model/explore.ts';
import type { Defect, Kind, Model } from '../transaction-model/model.ts';
import { Replayer } from '../transaction-model/replay.ts';

const SEED = Number(process.env['SEED'] ?? 1) % 1_000_000;
const VEHICLES: readonly (readonly Kind[])[] = [
  ['banked', 'self'],
  ['banked', 'in-place'],
  ['in-place', 'self'],
  ['banked', 'in-place', 'self'],
];

/** A technician stands by before anything changes over, and again before the end. */
const STOPS = ['activate', 'commit'] as const;

function* models(kinds: readonly Kind[], defect?: Defect): Generator<Model> {
  for (let sick = -1; sick < kinds.length; sick += 1) {
    yield { kinds, sick: kinds.map((_, index) => index === sick), decays: 1, defect };
  }
}

/** The first record of a run that is no step of the model of its vehicle. */
function findForeign(runs: readonly RecordedRun[], defect?: Defect): string | undefined {
  const replayers = new Map<string, Replayer>();
  for (const { id, kinds, isSick, isGated, trace } of runs) {
    const key = `${isSick.join()} ${isGated}`;
    const stops = isGated ? STOPS : [];
    const replayer =
      replayers.get(key) ?? new Replayer({ kinds, sick: isSick, decays: 0, stops, defect });
    replayers.set(key, replayer);
    const fault = replayer.replay(trace);
    if (fault !== undefined) return `${id} record ${fault.index}: ${JSON.stringify(fault.record)}`;
  }
  return undefined;
}

describe('explore()', () => {
  for (const kinds of VEHICLES) {
    it(`finds ${kinds.join(', ')} never mixed at rest, never final before the decision, and always with a way to an end {uptane K7} {uptane L1}`, (test) => {
      for (const model of models(kinds)) {
        const { violations, ends, states } = explore(model);
        test.diagnostic(`${model.sick.join()}: ${states} states`);
        assert.deepEqual([...violations.keys()], []);
        assert.equal(ends.has('all-new'), !model.sick.includes(true));
        assert.ok(ends.has('all-old'));
      }
    });
  }
  for (const kinds of VEHICLES.filter(({ length }) => length === 2)) {
    it(`finds ${kinds.join(', ')} never going on without the technician that it needs {R156 7.1.4.2}`, (test) => {
      for (const model of models(kinds)) {
        const { violations, ends, states } = explore({ ...model, stops: STOPS });
        test.diagnostic(`${model.sick.join()}: ${states} states`);
        assert.deepEqual([...violations.keys()], []);
        assert.equal(ends.has('all-new'), !model.sick.includes(true));
        assert.ok(ends.has('all-old'));
      }
    });
  }
  const defects: Readonly<Record<Defect, RegExp>> = {
    'early-decision': /no good end/,
    'no-barrier': /mixed, and counts as old/,
    undecided: /may go back/,
    unapproved: /without its technician/,
  };
  for (const [defect, violation] of Object.entries(defects)) {
    it(`finds what "${defect}" breaks`, () => {
      const found = ['banked', 'in-place', 'self'] as const;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of the record above
      const { violations } = explore({
        kinds: found,
        sick: [false, false, false],
        decays: 1,
        stops: defect === 'unapproved' ? STOPS : [],
        defect: defect as Defect,
      });
      assert.match([...violations.keys()].join(), violation);
    });
  }
});

describe('a vehicle whose power is cut', () => {
  const runs = cutVehicles({ seed: SEED, isBounded: true });
  it('ends all new or all old, wherever and however often {uptane L1}', async (test) => {
    const { report } = await runs;
    test.diagnostic(`SEED=${SEED}: ${report.cuts} cuts`);
    assert.deepEqual(report.failures, []);
    assert.ok(report.cuts > 400);
  });
  it('writes nothing into its journal that the model does not allow', async () => {
    const { runs: recorded } = await runs;
    assert.equal(findForeign(recorded), undefined);
  });
  it('is found mixed when a journal is not made durable', async () => {
    const { report } = await cutVehicles({
      seed: SEED,
      isBounded: true,
      plant: 'skip-journal-sync',
    });
    assert.ok(report.failures.some(({ kind }) => kind === 'mixed'));
  });
});

describe('Replayer', () => {
  it('finds a run whose records were swapped, left out or changed', async () => {
    const { runs } = await cutVehicles({ seed: SEED, isBounded: true, only: 'none/all-well/' });
    const [run] = runs;
    assert.ok(run !== undefined);
    assert.equal(findForeign([run]), undefined);
    const decision = run.trace.findIndex(({ phase }) => phase === 'committing');
    assert.ok(decision > 0);
    const last = run.trace.at(-1);
    assert.ok(last !== undefined);
    const broken: readonly RecordedRun['trace'][] = [
      // The decision before the last ECU was well.
      run.trace.toSpliced(decision - 1, 1),
      run.trace.toSpliced(decision, 0, last),
      run.trace.map((line) =>
        line.phase === 'committing' ? { ...line, phase: 'rolling-back' } : line,
      ),
      // A technician who was not asked.
      run.trace.map((line) => ({ ...line, said: ['activate'] })),
      run.trace.map((line, index) =>
        index === decision ? { ...line, seen: ['old', 'old', 'old'] } : line,
      ),
    ];
    for (const trace of broken) assert.notEqual(findForeign([{ ...run, trace }]), undefined);
  });
});
