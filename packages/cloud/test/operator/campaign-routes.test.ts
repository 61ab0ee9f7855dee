import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { campaignSchemas } from '@immota/api';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { createToken } from '../../src/index.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { signersOf } from '../../src/trust/keystore.ts';
import { image, releaseOf } from '../support/fleet-world.ts';
import { insertImage } from '../support/repositories.ts';
import {
  type ApiAnswer,
  type ApiAsk,
  startTestPlatform,
  type TestPlatform,
} from '../support/running-platform.ts';
import { TestVehicle } from '../support/vehicle.ts';

const API = '/api/v1/campaigns';
const { campaignDetailSchema, campaignLiveSchema, campaignMemberSchema } = campaignSchemas;
let world: TestPlatform;
let plan: Readonly<Record<string, unknown>>;
before(async () => {
  world = await startTestPlatform({ approvals: 'self' });
  const { cloud } = world.platform;
  await insertImage(cloud.context.database, image('a/2', 'a-hw'));
  const document = await signMetadata(
    AKTUALIZR,
    releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
    signersOf(cloud.keystore, 'image-targets'),
  );
  const body = new Uint8Array(document);
  const created = await world.ask('POST', '/api/v1/releases', { as: 'release-engineer', body });
  const waves = [
    { name: 'half', upToPermille: 500, isManual: true },
    { name: 'all', upToPermille: 1000 },
  ];
  plan = { name: 'Autumn', releaseId: created.json['releaseId'], query: 'true', waves };
  for (let index = 0; index < 4; index += 1) {
    const vehicle = new TestVehicle(`road-${index}`, [[`ECU-${index}`, 'a-hw']]);
    const registration = vehicle.registration();
    await registerEcus(cloud.context, vehicle.id, { registration, policy: 'approve' });
    vehicle.primary.image = image('a/1', 'a-hw');
    await world.platform.director.accept(vehicle.id, await vehicle.manifest());
  }
});
after(() => world.close());

async function act(path: string, ask: ApiAsk = {}): Promise<ApiAnswer> {
  return await world.ask('POST', `${API}${path}`, { as: 'operator', ...ask });
}

describe('the routes of campaigns', () => {
  it('plan, change, run, open waves, and show all of it', async () => {
    const made = await act('', { json: plan });
    assert.equal(made.status, 201);
    const draft = campaignDetailSchema.parse(made.json);
    const path = `/${draft.campaignId}`;
    const changed = await world.ask('PUT', `${API}${path}`, {
      as: 'operator',
      json: { ...plan, name: 'Winter' },
    });
    const winter = campaignDetailSchema.parse(changed.json);
    assert.equal(winter.name, 'Winter');
    assert.notEqual(winter.contentSha256, draft.contentSha256);
    const started = campaignDetailSchema.parse((await act(`${path}/start`)).json);
    assert.deepEqual([started.state, started.waves[0]?.state], ['running', 'open']);
    assert.equal(started.waves[0]?.waitsFor, '0 of 1 outcomes are known');
    assert.equal((await act(`${path}/waves/1/open`)).json['code'], 'CAMPAIGN_STATE');
    const opened = campaignDetailSchema.parse((await act(`${path}/waves/2/open`)).json);
    assert.deepEqual(
      opened.waves.map(({ state }) => state),
      ['done', 'open'],
    );
    const get = async (what: string): Promise<ApiAnswer> =>
      await world.ask('GET', `${API}${path}/${what}`, { as: 'viewer' });
    assert.equal(campaignLiveSchema.parse((await get('live')).json).funnel[0]?.vehicles, 4);
    const { json } = await get('members?limit=3&reason=NOT_SEEN');
    const items = campaignMemberSchema.array().parse(json['items']);
    assert.deepEqual([items.length, json['next']], [3, 'road-2']);
    for (const what of ['failures', 'conflicts']) {
      assert.deepEqual((await get(what)).json, { items: [] });
    }
    const resumed = await act(`${path}/resume`, { json: { reason: 'why not' } });
    assert.deepEqual([resumed.status, resumed.json['code']], [409, 'CAMPAIGN_STATE']);
    assert.equal(
      (await act(`${path}/pause`, { json: { reason: 'lunch' } })).json['state'],
      'paused',
    );
    const again = await world.ask('PUT', `${API}${path}`, { as: 'operator', json: plan });
    assert.deepEqual([again.status, again.json['code']], [409, 'CAMPAIGN_STATE']);
  });

  it('refuse plans that contradict themselves', async () => {
    const waves = [{ name: 'a', upToPermille: 900 }];
    const refused = await act('', { json: { ...plan, waves } });
    assert.deepEqual([refused.status, refused.json['code']], [400, 'CAMPAIGN_MALFORMED']);
  });

  it('plan for no vehicle that the caller does not see, and act on no campaign beyond them', async () => {
    const { context } = world.platform.cloud;
    const { token } = await createToken(context, {
      name: 'scoped',
      role: 'operator',
      uploadsFor: [],
      ttlDays: 1,
      fleet: { tenant: 'main', query: 'vehicle.id == "road-1"' },
    });
    const authorization = `Bearer ${token}`;
    const whole = await act('', { json: plan });
    const { campaignId: foreign } = campaignDetailSchema.parse(whole.json);
    const denied = await world.ask('POST', `${API}/${foreign}/start`, { authorization });
    assert.deepEqual([denied.status, denied.json['code']], [403, 'FORBIDDEN']);
    const made = await world.ask('POST', API, { authorization, json: plan });
    const { campaignId } = campaignDetailSchema.parse(made.json);
    const started = await world.ask('POST', `${API}/${campaignId}/start`, { authorization });
    assert.equal(started.status, 200, JSON.stringify(started.json));
    assert.deepEqual(started.json['counts'], { targeted: 1 });
  });
});
