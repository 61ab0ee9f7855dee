import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { campaignSchemas, REASONS } from '@immota/api';
import { beginDraft, draftOf, planOf } from '../../src/web/screens/campaigns/draft.ts';
import { arrangeCells, heatOf, worstOf } from '../../src/web/screens/failures/matrix.ts';
import { drawRelease } from '../../src/web/screens/graph/layout.ts';
import { expiryOf } from '../../src/web/screens/keys/expiry.ts';
import { describeFile } from '../../src/web/screens/keys/signed-file.ts';
import { actionsFor, effectCounts } from '../../src/web/screens/live/campaign-acts.ts';
import { DE } from '../../src/web/locales/de/index.ts';
import { EN } from '../../src/web/locales/en/index.ts';
import { ZH } from '../../src/web/locales/zh/index.ts';
import { HELD } from '../fixture/campaign-answers.ts';
import { RELEASE_ANSWERS } from '../fixture/release-answers.ts';

describe('planOf()', () => {
  it('sends a plan that the contract takes', () => {
    const draft = { ...beginDraft({ query: 'true', releaseId: 'r' }), name: 'Winter' };
    const plan = campaignSchemas.campaignPlanSchema.parse(planOf(draft));
    assert.deepEqual(
      plan.waves?.map(({ upToPermille }) => upToPermille),
      [10, 100, 1000],
    );
  });

  it('changes nothing that was not touched', () => {
    const plan = planOf(draftOf(HELD), HELD.policy);
    assert.deepEqual(campaignSchemas.campaignPlanSchema.parse(plan).policy, HELD.policy);
    assert.deepEqual(campaignSchemas.campaignPlanSchema.parse(plan).guard, HELD.guard);
  });

  it('keeps what the form does not show', () => {
    const policy = {
      ...HELD.policy,
      rate: { vehiclesPerHour: 5, bytesPerHour: 7 },
      endsAt: '2027-01-01T00:00:00Z',
    };
    const sent = campaignSchemas.campaignPlanSchema.parse(
      planOf(draftOf({ ...HELD, policy }), policy),
    );
    assert.deepEqual(sent.policy, policy);
  });

  it('writes days in their order and an end in UTC, and neither where none was chosen', () => {
    const draft = { ...beginDraft({ query: 'true', releaseId: 'r' }), name: 'c' };
    const hours = { windowFrom: '22:00', windowTo: '05:00' };
    const parts = { ...hours, days: [6, 1], endsAt: '2027-03-01T08:30' };
    const { policy } = campaignSchemas.campaignPlanSchema.parse(planOf({ ...draft, ...parts }));
    assert.deepEqual(policy?.window?.days, [1, 6]);
    assert.equal(String(policy?.endsAt), '2027-03-01T08:30:00Z');
    const without = planOf({ ...draft, ...hours }).policy;
    assert.equal(without?.window?.days, undefined);
    assert.equal(without?.endsAt, undefined);
  });

  it('takes days and end away again, and leaves an end that nobody touched to the second', () => {
    const window = { from: '22:00', to: '05:00', days: [1] };
    const policy = { ...HELD.policy, window, endsAt: '2027-01-01T00:00:30Z' };
    const draft = draftOf({ ...HELD, policy });
    assert.equal(planOf(draft, policy).policy?.endsAt, policy.endsAt);
    const bare = planOf({ ...draft, days: [], endsAt: '' }, policy).policy;
    assert.equal(bare?.endsAt, undefined);
    assert.deepEqual(bare?.window, { from: '22:00', to: '05:00' });
  });
});

describe('actionsFor()', () => {
  it('starts only what was approved', () => {
    const approval = { state: 'submitted' as const };
    assert.deepEqual(actionsFor({ state: 'planned', approval }), ['cancel']);
    assert.deepEqual(actionsFor({ state: 'planned', approval: { state: 'approved' } }), [
      'start',
      'cancel',
    ]);
  });

  it('resumes what holds, and does nothing to what has ended', () => {
    assert.deepEqual(actionsFor(HELD), ['resume', 'cancel']);
    assert.deepEqual(actionsFor({ ...HELD, state: 'finished' }), []);
  });
});

describe('effectCounts()', () => {
  it('counts whom an act concerns', () => {
    const { waiting, waves, updated } = effectCounts(HELD);
    assert.deepEqual({ waiting, waves, updated }, { waiting: 379_800, waves: 3, updated: 31_220 });
  });
});

describe('arrangeCells()', () => {
  const cells = [
    { hardwareId: 'a', source: '1', outcomes: 1000, failures: 1 },
    { hardwareId: 'b', source: '1', outcomes: 100, failures: 30 },
    { hardwareId: 'b', source: '2', outcomes: 0, failures: 0 },
  ];

  it('puts the hardware with most failures first', () => {
    const { hardware, sources, cellAt } = arrangeCells(cells);
    assert.deepEqual({ hardware, sources }, { hardware: ['b', 'a'], sources: ['1', '2'] });
    assert.equal(cellAt('a', '2'), undefined);
  });

  it('grades by share, and finds the worst', () => {
    assert.deepEqual(cells.map(heatOf), [1, 3, 0]);
    assert.equal(worstOf(cells)?.hardwareId, 'b');
    assert.equal(worstOf([]), undefined);
  });
});

describe('drawRelease()', () => {
  const asked = { params: {}, query: new URLSearchParams(), body: undefined };
  const images = RELEASE_ANSWERS.getRelease?.(asked).images ?? [];

  it('draws a box for each image, and for each that only stands before one', () => {
    const { boxes, arrows } = drawRelease(images);
    assert.equal(boxes.length, 6);
    assert.equal(boxes.filter(({ kind }) => kind === 'before').length, 2);
    assert.deepEqual(
      new Set(arrows.map(({ kind }) => kind)),
      new Set(['over', 'requires', 'conflicts']),
    );
  });

  it('lets no two boxes cover each other', () => {
    const { boxes } = drawRelease(images);
    assert.equal(new Set(boxes.map(({ x, y }) => `${String(x)} ${String(y)}`)).size, boxes.length);
  });
});

describe('expiryOf()', () => {
  const now = Date.parse('2026-11-20T00:00:00Z');

  it('tells what is over, soon and far', () => {
    assert.equal(expiryOf('2026-11-20T00:00:00Z', now).kind, 'over');
    assert.equal(expiryOf('2026-12-19T23:59:59Z', now).kind, 'soon');
    assert.equal(expiryOf('2026-12-20T00:00:00Z', now).kind, 'far');
  });
});

describe('describeFile()', () => {
  it('finds dialect and role in the name', () => {
    const { dialect, role, bytes } = describeFile('tuf.3.targets.json', new Uint8Array([123, 125]));
    assert.deepEqual({ dialect, role, bytes }, { dialect: 'tuf', role: 'targets', bytes: 'e30=' });
    const names: Readonly<Record<string, readonly [string, string]>> = {
      'aktualizr.3.targets.json': ['aktualizr', 'targets'],
      'aktualizr.root.json': ['aktualizr', 'root'],
      'tuf.12.root.json': ['tuf', 'root'],
      '4.root.json': ['aktualizr', 'root'],
      'tuf.1.brakes.2.tuf.json': ['tuf', 'brakes.2.tuf'],
    };
    for (const [name, expected] of Object.entries(names)) {
      const found = describeFile(name, new Uint8Array());
      assert.deepEqual([found.dialect, found.role], expected, name);
    }
  });
});

describe('languages', () => {
  it('fill the same holes in every language, and leave no text empty', () => {
    const english = new Map(flat(EN));
    for (const other of [DE, ZH]) {
      for (const [key, text] of flat(other)) {
        assert.notEqual(text, '', key);
        assert.deepEqual(holes(text), holes(english.get(key) ?? ''), key);
      }
    }
  });

  it('say every reason', () => {
    assert.deepEqual(Object.keys(DE.reasons).toSorted(), Object.keys(REASONS).toSorted());
  });
});

function flat(texts: object, path = ''): readonly (readonly [string, string])[] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? flat(value, `${path}${key}.`)
      : [[path + key, String(value)] as const],
  );
}

function holes(text: string): readonly string[] {
  return [...text.matchAll(/\{\{\w+\}\}/g)].map(([hole]) => hole).toSorted();
}
