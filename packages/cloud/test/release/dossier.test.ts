import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { loadDossier } from '../../src/release/dossier.ts';
import { countRxswins } from '../../src/release/rxswin-counts.ts';
import { type RxswinEntry, verifyRegister } from '../../src/release/rxswin-register.ts';
import { fillDossier, WHOLE_DOSSIER } from '../support/deciders.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';

const images = [image('a/1', 'a-hw'), image('a/2', 'a-hw'), image('b/2', 'b-hw')] as const;
let world: FleetWorld;
before(async () => {
  world = await openFleetWorld();
  await world.publish(images);
});
after(() => world.close());

let turn = 0;
async function release(rxswins: readonly JsonObject[] = []): Promise<string> {
  turn += 1;
  const parts = [
    { hardwareId: 'a-hw', name: 'a/2', installsOver: ['a/1'] },
    { hardwareId: 'b-hw', name: 'b/2', installsOver: 'any' },
  ];
  const document = releaseOf({ 'a-hw': 'a/2', 'b-hw': 'b/2' }, parts);
  return await world.release({ ...document, version: `d${turn}`, rxswins });
}

async function missing(releaseId: string): Promise<readonly string[]> {
  const { items } = await loadDossier(world.test.database.kysely, releaseId);
  return items.flatMap(({ item, missing: why }) => (why === undefined ? [] : [item]));
}

async function register(): Promise<readonly RxswinEntry[]> {
  return await world.test.database.kysely
    .selectFrom('rxswin_entry')
    .selectAll()
    .orderBy('sequence')
    .execute();
}

function itemA(text: string): JsonObject {
  return { item: 'a', text, evidence: [] };
}

function imagesOf(list: readonly JsonObject[]): readonly unknown[] {
  return list.map((one) => one['image']);
}

const R79 = { regulation: 'R79', hardwareId: 'a-hw', rxswin: 'R79 2', before: 'R79 1' };

describe('a dossier', () => {
  it('is whole when all nine items are answered {R156 7.1.2.5}', async () => {
    const releaseId = await release();
    assert.deepEqual(await missing(releaseId), 'a b c d e f g h i'.split(' '));
    await fillDossier(world.context, releaseId);
    assert.deepEqual(await missing(releaseId), []);
  });

  const lacking: Readonly<Record<string, readonly [string, JsonObject]>> = {
    'a without words': ['a', { text: '  ' }],
    'c without an answer': ['c', { text: 'Brakes' }],
    'd without an answer': ['d', { text: 'Brakes' }],
    'f with an approval that has no number': ['f', { text: 'Sought', answer: true }],
    'h without a yes': ['h', { text: 'Unsafe', answer: false }],
    'h without a document': ['h', { text: 'Safe', answer: true }],
    'i with a document that has no hash': [
      'i',
      { text: 'Tested', answer: true, evidence: [{ name: 'report.pdf' }] },
    ],
  };
  for (const [what, [letter, item]] of Object.entries(lacking)) {
    it(`is not whole with ${what}`, async () => {
      const releaseId = await release();
      await fillDossier(world.context, releaseId, { ...WHOLE_DOSSIER, [letter]: item });
      assert.deepEqual(await missing(releaseId), [letter]);
    });
  }

  it('asks for an approval where one is affected, and for another RXSWIN {R156 7.2.1.2.1}', async () => {
    const releaseId = await release([{ ...R79, before: 'R79 2' }]);
    const affected = { e: { text: 'Yes', answer: true } };
    await fillDossier(world.context, releaseId, { ...WHOLE_DOSSIER, ...affected });
    assert.deepEqual(await missing(releaseId), ['e', 'f']);
    const f = { text: 'Extension', answer: true, approvalNumber: 'E1*79*1' };
    const changes = await release([R79]);
    await fillDossier(world.context, changes, { ...WHOLE_DOSSIER, ...affected, f });
    assert.deepEqual(await missing(changes), []);
  });

  it('has a hash over release and words, and each write is on record with what stood there', async () => {
    const { kysely } = world.test.database;
    const releaseId = await release();
    const hash = async (): Promise<string> => (await loadDossier(kysely, releaseId)).contentSha256;
    const empty = await hash();
    await fillDossier(world.context, releaseId, { a: { text: 'one' } });
    const one = await hash();
    await fillDossier(world.context, releaseId, { a: { text: 'two' } });
    const two = await hash();
    assert.equal(new Set([empty, one, two]).size, 3);
    await fillDossier(world.context, releaseId, { a: { text: 'one' } });
    assert.equal(await hash(), one);
    const rows = await kysely
      .selectFrom('event')
      .select('body')
      .where('kind', '=', 'dossier.written')
      .orderBy('sequence', 'desc')
      .limit(2)
      .execute();
    const words = rows.map(({ body }) => [body['before'], body['after']]);
    assert.deepEqual(words, [
      [itemA('two'), itemA('one')],
      [itemA('one'), itemA('two')],
    ]);
  });

  it('belongs to the tenant of its release', async () => {
    const releaseId = await release();
    await assert.rejects(loadDossier(world.test.database.kysely, releaseId, 'other'), {
      code: 'NOT_FOUND',
    });
  });
});

describe('the RXSWIN register', () => {
  it('tells the software before and after, and grows by an approval’s number {R156 7.1.2.3}', async () => {
    const count = (await register()).length;
    const rxswin = { regulation: 'R13', hardwareId: 'a-hw', rxswin: 'R13 2', before: 'R13 1' };
    const first = await release([rxswin]);
    const next = { ...rxswin, rxswin: 'R13 3', before: 'R13 2' };
    const second = await release([next]);
    const f = { text: 'Extension', answer: true, approvalNumber: 'E1*13*2' };
    await fillDossier(world.context, second, { f });
    const entries = (await register()).slice(count);
    assert.deepEqual(
      entries.map((one) => [one.release_id, one.rxswin, one.before, one.approval_number]),
      [
        [first, 'R13 2', 'R13 1', null],
        [second, 'R13 3', 'R13 2', null],
        [second, 'R13 3', 'R13 2', 'E1*13*2'],
      ],
    );
    // Nobody registered what stood there before: it is what the goal installs over.
    assert.deepEqual(
      entries.map((one) => [imagesOf(one.software_before), imagesOf(one.software)]),
      [
        [['a/1'], ['a/2']],
        [['a/2'], ['a/2']],
        [['a/2'], ['a/2']],
      ],
    );
    assert.match(JSON.stringify(entries[0]?.software), /"sha256":"[0-9a-f]{64}"/);
  });

  it('is chained, and an edited entry is found', async () => {
    const { database } = world.test;
    const entries = await register();
    assert.equal(await verifyRegister(database, 'main'), entries.length);
    const edit = (rxswin: string): Promise<unknown> =>
      database.kysely
        .updateTable('rxswin_entry')
        .set({ rxswin })
        .where('sequence', '=', 1)
        .execute();
    await edit('R79 9');
    await assert.rejects(verifyRegister(database, 'main'), { code: 'REGISTER_CHAIN' });
    await edit(entries[0]?.rxswin ?? '');
    assert.equal(await verifyRegister(database, 'main'), entries.length);
  });

  it('refuses RXSWINs that say nothing or two things {R156 7.1.1.3}', async () => {
    const cases = [
      [{ ...R79, hardwareId: 'z-hw' }],
      [R79, { ...R79, rxswin: 'R79 3' }],
      [{ ...R79, rxswin: '' }],
    ];
    for (const rxswins of cases) {
      await assert.rejects(release(rxswins), { code: 'RELEASE_MALFORMED' });
    }
  });

  it('counts vehicles that report one, and those whose software is another {R156 7.1.1.4}', async () => {
    const rxswin = { regulation: 'R48', hardwareId: 'a-hw', rxswin: 'R48 2' };
    await release([rxswin]);
    const entry = (await register()).at(-1);
    assert.ok(entry !== undefined);
    const count = async (): Promise<readonly [number, number]> => {
      const [found] = await countRxswins(world.test.database, 'main', [entry]);
      return [found?.vehicles ?? -1, found?.disagreeing ?? -1];
    };
    assert.deepEqual(await count(), [0, 0]);
    const reported = { regulation: 'R48', rxswin: 'R48 2' };
    const good = await world.register('rx-good', [['ECU-rx-good', 'a-hw']]);
    good.primary.image = images[1];
    good.primary.custom = { rxswins: [reported] };
    await world.report(good);
    const bad = await world.register('rx-bad', [['ECU-rx-bad', 'a-hw']]);
    bad.primary.image = images[0];
    bad.primary.custom = { rxswins: [reported, { regulation: 7 }, 'x'], health: { dtc: [] } };
    await world.report(bad);
    assert.deepEqual(await count(), [2, 1]);
    // Again is no news; another image, another RXSWIN and none are.
    await world.report(bad);
    assert.deepEqual(await count(), [2, 1]);
    bad.primary.image = images[1];
    await world.report(bad);
    assert.deepEqual(await count(), [2, 0]);
    good.primary.custom = {};
    await world.report(good);
    assert.deepEqual(await count(), [1, 0]);
    const row = await world.test.database.kysely
      .selectFrom('ecu')
      .select(['rxswins', 'health'])
      .where('ecu_id', '=', 'ECU-rx-bad')
      .executeTakeFirstOrThrow();
    assert.deepEqual(row, { rxswins: [reported], health: { health: { dtc: [] } } });
    // Changes are summed up when there are many, and mean the same afterwards.
    await sql`insert into rxswin_count
      select 'main', 'R48', 'a-hw', 'R48 2', 'x', case when i % 2 = 0 then 1 else -1 end
      from generate_series(1, 2000) i`.execute(world.test.database.kysely);
    assert.deepEqual(await count(), [1, 0]);
    const rows = await world.test.database.kysely.selectFrom('rxswin_count').selectAll().execute();
    assert.ok(rows.length < 10, `${rows.length} rows are left`);
    assert.deepEqual(await count(), [1, 0]);
    await world.test.database.kysely.deleteFrom('vehicle').execute();
    assert.deepEqual(await count(), [0, 0]);
  });
});

describe('the plan of a vehicle', () => {
  it('bears the RXSWINs beside the goal’s image, signed for the ECU to store {R156 7.2.1.2.2}', async () => {
    const releaseId = await release([
      R79,
      { regulation: 'R13', hardwareId: 'a-hw', rxswin: 'R13 9' },
    ]);
    const planner = await world.room.releases.planner(releaseId);
    assert.deepEqual(
      [...planner.imageCustom()],
      [
        [
          'a/2',
          {
            rxswins: [
              { regulation: 'R79', rxswin: 'R79 2' },
              { regulation: 'R13', rxswin: 'R13 9' },
            ],
          },
        ],
      ],
    );
    const vehicle = await world.register('planned', [['ECU-planned', 'a-hw']]);
    vehicle.primary.image = images[0];
    await world.report(vehicle);
    const description = { name: 'p', releaseId, query: 'true', createdBy: 'ann' };
    const campaignId = await world.room.campaigns.create(description);
    await world.room.campaigns.start(campaignId, 'ann');
    await world.report(vehicle);
    const { targets } = await world.test.database.kysely
      .selectFrom('vehicle_director')
      .select('targets')
      .where('vehicle_id', '=', 'planned')
      .executeTakeFirstOrThrow();
    const text = Buffer.from(targets).toString();
    assert.ok(text.includes('"rxswins":[{"regulation":"R79","rxswin":"R79 2"}'), text);
  });
});
