import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX, operatorSchemas } from '@immota/api';
import { eventsOf } from '../support/recorded-events.ts';
import {
  type ApiAnswer,
  startTestPlatform,
  type TestPlatform,
} from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform({ approvals: 'self' });
});
after(() => world.close());

const api = OPERATOR_PREFIX;

function textOf(value: unknown): string {
  assert.ok(typeof value === 'string');
  return value;
}

describe('tokens', () => {
  it('are told once, belong to a role, and end when they are revoked', async () => {
    const json = { name: 'ci', role: 'viewer' };
    const made = await world.ask('POST', `${api}/tokens`, { as: 'admin', json });
    const { token, expiresAt } = operatorSchemas.tokenSchema.parse(made.json);
    assert.equal(
      Temporal.Instant.from(expiresAt).toString(),
      world.clock
        .now()
        .add({ hours: 24 * 90 })
        .toString(),
    );
    const stored = JSON.stringify(
      await world.platform.cloud.context.database.kysely
        .selectFrom('api_token')
        .selectAll()
        .execute(),
    );
    assert.ok(!stored.includes(token));
    const authorization = `bearer ${token}`;
    assert.equal((await world.ask('GET', `${api}/vehicles`, { authorization })).status, 200);
    const twice = await world.ask('POST', `${api}/tokens`, { as: 'admin', json });
    assert.deepEqual([twice.status, twice.json['code']], [409, 'TOKEN_EXISTS']);
    const revoke = (): Promise<ApiAnswer> =>
      world.ask('DELETE', `${api}/tokens/ci`, { as: 'admin' });
    assert.equal((await revoke()).json['isRevoked'], true);
    assert.equal((await revoke()).json['isRevoked'], false);
    assert.equal((await world.ask('GET', `${api}/vehicles`, { authorization })).status, 401);
    const anew = await world.ask('POST', `${api}/tokens`, { as: 'admin', json });
    assert.equal(anew.status, 201);
    assert.equal((await world.ask('GET', `${api}/vehicles`, { authorization })).status, 401);
    assert.deepEqual(await eventsOf(world, 'token.revoked'), [{ name: 'ci', by: 'the admin' }]);
  });

  it('end at their hour, and their name is free again', async () => {
    const json = { name: 'short', role: 'viewer', ttlDays: 1 };
    const made = await world.ask('POST', `${api}/tokens`, { as: 'admin', json });
    const authorization = `Bearer ${textOf(made.json['token'])}`;
    world.clock.advance({ hours: 23, minutes: 59, seconds: 59, milliseconds: 999 });
    assert.equal((await world.ask('GET', `${api}/vehicles`, { authorization })).status, 200);
    world.clock.advance({ milliseconds: 1 });
    assert.equal((await world.ask('GET', `${api}/vehicles`, { authorization })).status, 401);
    const gone = await world.ask('DELETE', `${api}/tokens/short`, { as: 'admin' });
    assert.equal(gone.json['isRevoked'], false);
    const anew = await world.ask('POST', `${api}/tokens`, { as: 'admin', json });
    assert.equal(anew.status, 201);
  });
});
