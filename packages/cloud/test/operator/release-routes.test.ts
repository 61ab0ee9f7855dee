import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX, operatorSchemas, releaseSchemas } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { createToken } from '../../src/index.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { signersOf } from '../../src/trust/keystore.ts';
import { image, releaseOf } from '../support/fleet-world.ts';
import { insertImage } from '../support/repositories.ts';
import { type ApiAsk, startTestPlatform, type TestPlatform } from '../support/running-platform.ts';
import { TestVehicle } from '../support/vehicle.ts';

const api = OPERATOR_PREFIX;
let world: TestPlatform;
let releaseId: string;
let stranger: ApiAsk;
before(async () => {
  world = await startTestPlatform();
  const { context, keystore } = world.platform.cloud;
  for (const name of ['a/1', 'a/2', 'a/3']) {
    await insertImage(context.database, image(name, 'a-hw'));
  }
  const parts = [
    { hardwareId: 'a-hw', name: 'a/2', installsOver: ['a/1'] },
    { hardwareId: 'a-hw', name: 'a/3', installsOver: ['a/2'] },
  ];
  const rxswins = [{ regulation: 'R79', hardwareId: 'a-hw', rxswin: 'R79 3' }];
  const document = await signMetadata(
    AKTUALIZR,
    { ...releaseOf({ 'a-hw': 'a/3' }, parts), rxswins },
    signersOf(keystore, 'image-targets'),
  );
  const headers = { 'content-type': 'application/octet-stream' };
  const ask = { as: 'release-engineer', body: document, headers } as const;
  const { json } = await world.ask('POST', `${api}/releases`, ask);
  ({ releaseId } = operatorSchemas.releaseSchema.parse(json));
  await context.database.kysely
    .insertInto('tenant')
    .values({ tenant_id: 'other', name: 'Other' })
    .execute();
  const fleet = { tenant: 'other' };
  const description = { name: 'o', role: 'admin', uploadsFor: [], ttlDays: 1, fleet } as const;
  stranger = { authorization: `Bearer ${(await createToken(context, description)).token}` };
  const vehicle = new TestVehicle('solved', [['ECU-solved', 'a-hw']]);
  vehicle.primary.image = image('a/1', 'a-hw');
  const registration = vehicle.registration();
  await registerEcus(context, 'solved', { registration, policy: 'approve' });
  await world.platform.director.accept(vehicle.id, await vehicle.manifest());
});
after(() => world.close());

async function solve(json: JsonObject): Promise<JsonObject> {
  const path = `${api}/releases/${releaseId}/solution`;
  return (await world.ask('POST', path, { as: 'viewer', json })).json;
}

describe('the routes of releases', () => {
  it('show a release with its graph, its RXSWINs, and whether its dossier is whole', async () => {
    const path = `${api}/releases/${releaseId}`;
    const { json } = await world.ask('GET', path, { as: 'viewer' });
    const detail = releaseSchemas.releaseDetailSchema.parse(json);
    assert.deepEqual(
      detail.images.map(({ name, isGoal, installsOver }) => [name, isGoal, installsOver]),
      [
        ['a/2', false, ['a/1']],
        ['a/3', true, ['a/2']],
      ],
    );
    assert.deepEqual([detail.isDossierComplete, detail.rxswins.length], [false, 1]);
  });

  it('solve for a vehicle as it last reported, and for a configuration that somebody thinks of', async () => {
    assert.deepEqual(await solve({ vehicleId: 'solved' }), {
      kind: 'path',
      bundles: [{ 'ECU-solved': 'a/2' }, { 'ECU-solved': 'a/3' }],
      clash: [],
    });
    const ecu = { ecuId: 'E', hardwareId: 'a-hw', image: 'a/0' };
    const none = releaseSchemas.solutionSchema.parse(await solve({ configuration: [ecu] }));
    assert.deepEqual(
      [none.kind, none.reason, none.clash.map(({ fact }) => fact)],
      [
        'none',
        'NO_PATH',
        [
          'ECU "E" (a-hw) runs "a/0".',
          'The release wants "a/3" on "a-hw".',
          '"a/2" installs over "a/1" alone.',
          '"a/3" installs over "a/2" alone.',
        ],
      ],
    );
  });

  const malformed: readonly JsonObject[] = [
    {},
    { vehicleId: 'solved', configuration: [] },
    { configuration: [1, 2].map(() => ({ ecuId: 'E', hardwareId: 'a-hw', image: 'a/1' })) },
  ];
  for (const [index, json] of malformed.entries()) {
    it(`refuse to solve nothing or two things (${index})`, async () => {
      assert.equal((await solve(json))['code'], 'REQUEST_MALFORMED');
    });
  }

  it('block and let go again, with the reason', async () => {
    const path = `${api}/releases/${releaseId}/block`;
    const block = async (isBlocked: boolean): Promise<unknown> => {
      const json = { isBlocked, reason: 'It brakes too hard' };
      return (await world.ask('PUT', path, { as: 'operator', json })).json['blockedBecause'];
    };
    assert.equal(await block(true), 'It brakes too hard');
    assert.equal(await block(false), undefined);
  });

  it('take what is written to a dossier, and refuse an item that there is not', async () => {
    const path = `${api}/releases/${releaseId}/dossier`;
    const json = { text: 'Steers straighter' };
    const ask = { as: 'release-engineer', json } as const;
    const { json: answer } = await world.ask('PUT', `${path}/a`, ask);
    const [a, b] = releaseSchemas.dossierSchema.parse(answer).items;
    assert.deepEqual([a?.isComplete, b?.missing], [true, 'nothing is written']);
    const { status } = await world.ask('PUT', `${path}/z`, ask);
    assert.equal(status, 400);
  });

  it('list the register page by page', async () => {
    const path = `${api}/rxswins?limit=1`;
    const { json } = await world.ask('GET', path, { as: 'viewer' });
    const [entry] = json['items'] as readonly unknown[];
    const { rxswin, sequence } = releaseSchemas.rxswinEntrySchema.parse(entry);
    assert.deepEqual([rxswin, sequence, json['next']], ['R79 3', 1, '1']);
    const next = await world.ask('GET', `${path}&after=1`, { as: 'viewer' });
    assert.deepEqual(next.json, { items: [] });
    const bad = await world.ask('GET', `${path}&after=x`, { as: 'viewer' });
    assert.equal(bad.json['code'], 'REQUEST_MALFORMED');
  });

  it('show nothing of another tenant', async () => {
    const own = `${api}/releases/${releaseId}`;
    const list = await world.ask('GET', `${api}/releases`, stranger);
    const register = await world.ask('GET', `${api}/rxswins`, stranger);
    assert.deepEqual([list.json, register.json], [{ items: [] }, { items: [] }]);
    const asks: readonly (readonly [string, string, JsonObject?])[] = [
      ['GET', own],
      ['GET', `${own}/dossier`],
      ['PUT', `${own}/dossier/a`, { text: 'x' }],
      ['PUT', `${own}/block`, { isBlocked: true, reason: 'x' }],
      ['POST', `${own}/solution`, { configuration: [] }],
    ];
    for (const [method, path, json] of asks) {
      const { status, json: answer } = await world.ask(method, path, { ...stranger, json });
      assert.deepEqual([path, status, answer['code']], [path, 404, 'NOT_FOUND']);
    }
  });
});
