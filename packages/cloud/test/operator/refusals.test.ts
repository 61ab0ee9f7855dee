import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX } from '@immota/api';
import { createImageUploads } from '../../src/image-repository/upload.ts';
import { RefusalLog } from '../../src/operator/refusals.ts';
import { serveOperator } from '../../src/operator/serve-operator.ts';
import { eventsOf } from '../support/recorded-events.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform({ approvals: 'self' });
});
after(() => world.close());

const api = OPERATOR_PREFIX;

async function last(kind: string): Promise<unknown> {
  return (await eventsOf(world, kind)).at(-1);
}

describe('RefusalLog', () => {
  it('counts what is alike, and keeps a bound of what differs', async () => {
    const { context } = world.platform.cloud;
    const log = new RefusalLog(context, assert.ifError);
    const kind = 'authentication.refused';
    const known = (await eventsOf(world, kind)).length;
    for (let index = 0; index < 1500; index += 1) {
      log.note({ kind, code: 'UNAUTHENTICATED', route: `r${index % 1200}`, by: undefined });
    }
    await log.close();
    const noted = (await eventsOf(world, kind)).slice(known);
    assert.equal(noted.length, 1001);
    assert.equal(
      noted.reduce((sum, body) => sum + Number(body['count']), 0),
      1500,
    );
  });

  it('hears of every refusal of the API', async () => {
    const { cloud, campaigns: room } = world.platform;
    const server = await serveOperator({
      context: cloud.context,
      trustContext: cloud.trust,
      trust: cloud.store,
      releases: room.releases,
      campaigns: room.campaigns,
      uploads: createImageUploads(cloud),
      authorities: cloud.authorities,
      keystore: cloud.keystore,
      secret: cloud.secret,
      wake: () => Promise.resolve(false),
      failed: assert.ifError,
    });
    const viewer = `Bearer ${world.tokens.get('viewer') ?? ''}`;
    const ask = async (method: string, path: string, authorization: string): Promise<void> => {
      const response = await fetch(server.url + api + path, { method, headers: { authorization } });
      await response.body?.cancel();
    };
    await ask('GET', '/vehicles', 'Bearer x');
    await ask('POST', '/tokens', viewer);
    await ask('GET', '/vehicles?limit=0', viewer);
    await server.close();
    const by = 'the viewer';
    const vehicles = `GET ${api}/vehicles`;
    assert.deepEqual(await last('authentication.refused'), {
      code: 'UNAUTHENTICATED',
      count: 1,
      route: vehicles,
    });
    assert.deepEqual(await last('authorisation.denied'), {
      by,
      code: 'FORBIDDEN',
      count: 1,
      route: `POST ${api}/tokens`,
    });
    assert.deepEqual(await last('request.refused'), {
      by,
      code: 'REQUEST_MALFORMED',
      count: 1,
      route: vehicles,
    });
  });
});
