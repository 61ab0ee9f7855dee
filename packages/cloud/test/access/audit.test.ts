import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX, OPERATOR_ROUTES } from '@immota/api';
import type { JsonObject, JsonValue } from '@immota/base';
import { sql } from '@immota/store';
import { openCheckpoints } from '../../src/access/checkpoints.ts';
import { createTenant } from '../../src/access/tenants.ts';
import { createToken, saveVehicle } from '../../src/index.ts';
import { manualTimer } from '../support/ports.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';
import { unexpected } from '../support/world.ts';

let world: TestPlatform;
let other = '';
before(async () => {
  world = await startTestPlatform();
  const { context } = world.platform.cloud;
  await createTenant(context, { tenantId: 'other', name: 'Other' });
  const description = { name: 'other admin', role: 'admin', uploadsFor: [], ttlDays: 1 } as const;
  other = (await createToken(context, { ...description, fleet: { tenant: 'other' } })).token;
  await saveVehicle(context, { vehicleId: 'audited-1', model: 'X1' });
});
after(() => world.close());

const api = OPERATOR_PREFIX;

function show(value: JsonValue | undefined): string {
  assert.ok(typeof value === 'string');
  return value;
}

async function entries(query = ''): Promise<readonly JsonObject[]> {
  const answer = await world.ask('GET', `${api}/audit${query}`, { as: 'auditor' });
  assert.equal(answer.status, 200);
  return answer.json['items'] as readonly JsonObject[];
}

async function verdict(): Promise<JsonObject> {
  return (await world.ask('POST', `${api}/audit/verification`, { as: 'auditor' })).json;
}

/** Changes the record behind the cloud's back, asks, and puts it back. */
async function tamperedWith(change: string, undo: string): Promise<JsonObject> {
  const { kysely } = world.platform.cloud.context.database;
  await sql`create table kept as select * from event`.execute(kysely);
  await sql.raw(change).execute(kysely);
  const found = await verdict();
  await sql.raw(undo).execute(kysely);
  await sql`drop table kept`.execute(kysely);
  return found;
}

describe('the audit log', () => {
  it('says who did what, from where, and what was there before', async () => {
    await world.ask('PATCH', `${api}/vehicles/audited-1`, {
      as: 'operator',
      json: { market: 'DE' },
    });
    await world.ask('PATCH', `${api}/vehicles/audited-1`, {
      as: 'operator',
      json: { model: 'X2' },
    });
    const person = { email: 'a@example.com', name: 'A', role: 'viewer' };
    const made = await world.ask('POST', `${api}/users`, { as: 'admin', json: person });
    const userId = show(made.json['userId']);
    const json = { role: 'operator' };
    await world.ask('PATCH', `${api}/users/${userId}`, { as: 'admin', json });
    const [changed, created, described] = await entries('?limit=3');
    const actor = { kind: 'token', name: 'the admin', from: '127.0.0.1', operation: 'changeUser' };
    assert.deepEqual(changed?.['body'], {
      userId,
      before: { role: 'viewer', isDisabled: false },
      after: { role: 'operator', isDisabled: false },
      by: 'the admin',
      actor,
    });
    assert.equal(created?.['kind'], 'user.created');
    assert.deepEqual(
      [described?.['kind'], described?.['stream']],
      ['vehicle.described', 'audited-1'],
    );
  });

  it('holds a change that appends no event of its own', async () => {
    const json = {
      name: 'audit/1.bin',
      role: 'targets',
      lengthBytes: 3,
      sha256: '0'.repeat(64),
      hardwareIds: ['a'],
      version: '1',
      releaseCounter: 1,
      isEncrypted: false,
    };
    const as = 'release-engineer';
    assert.equal((await world.ask('POST', `${api}/uploads`, { as, json })).status, 201);
    const [entry] = await entries('?limit=1');
    assert.equal(entry?.['kind'], 'change.made');
    assert.equal((entry['body'] as JsonObject)['operation'], 'createUpload');
  });

  it('is filtered and paged', async () => {
    const all = await entries();
    const mine = await entries('?by=the%20admin');
    assert.ok(mine.length > 0 && mine.length < all.length);
    const users = await entries('?kind=user.*');
    assert.deepEqual(
      users.map((entry) => entry['kind']),
      ['user.changed', 'user.created'],
    );
    assert.deepEqual(await entries('?from=2100-01-01T00:00:00Z'), []);
    const paged: JsonObject[] = [];
    let place = '';
    do {
      const page = await world.ask('GET', `${api}/audit?limit=2${place}`, { as: 'auditor' });
      paged.push(...(page.json['items'] as readonly JsonObject[]));
      place = page.json['next'] === undefined ? '' : `&after=${show(page.json['next'])}`;
    } while (place !== '');
    assert.deepEqual(paged, await entries());
  });

  it('shows nothing of another tenant', async () => {
    const authorization = `Bearer ${other}`;
    const answer = await world.ask('GET', `${api}/audit`, { authorization });
    const items = answer.json['items'] as readonly JsonObject[];
    assert.ok(items.length > 0);
    assert.deepEqual(new Set(items.map((entry) => entry['stream'])), new Set(['fleet:other']));
  });

  it('is taken away as lines or as a sheet, which is on record too', async () => {
    const headers = { authorization: `Bearer ${world.tokens.get('auditor') ?? ''}` };
    const url = `${world.platform.urls.operator}${OPERATOR_ROUTES.exportAudit.config.path}`;
    const lines = (await (await fetch(url, { headers })).text()).trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as JsonObject);
    assert.equal(parsed.at(-1)?.['kind'], 'audit.exported');
    const response = await fetch(`${url}?format=csv`, { headers });
    assert.match(response.headers.get('content-disposition') ?? '', /audit\.csv/);
    const rows = (await response.text()).trimEnd().split('\r\n');
    assert.equal(rows.length, lines.length + 2);
    assert.match(rows.at(-1) ?? '', /"audit\.exported","the auditor","127\.0\.0\.1"/);
  });

  it('is intact as it was written, also against signed checkpoints', async () => {
    const { context, keystore } = world.platform.cloud;
    const checkpoints = openCheckpoints({ context, keystore }, unexpected, manualTimer());
    assert.equal(await checkpoints.sign(), 2);
    assert.equal(await checkpoints.sign(), 0);
    await checkpoints.close();
    const found = await verdict();
    assert.deepEqual([found['isIntact'], found['problem']], [true, undefined]);
    assert.ok(Number(found['checked']) > 10);
    assert.match(show(found['head']), /^[0-9a-f]{64}$/);
  });

  const put = 'truncate event; insert into event overriding system value select * from kept';
  const lies = {
    'was edited': `update event set body = body || '{"by": "nobody"}' where stream = 'fleet' and sequence = 5`,
    'was removed': `delete from event where stream = 'fleet' and sequence = 5`,
    'was removed from a vehicle': `delete from event where stream = 'audited-1' and sequence = 1`,
    'was cut at the end': `delete from event where stream = 'fleet' and sequence > 5`,
    'was reordered': `update event set kind = case sequence when 5 then (select kind from kept where stream = 'fleet' and sequence = 6)
      else (select kind from kept where stream = 'fleet' and sequence = 5) end,
      body = case sequence when 5 then (select body from kept where stream = 'fleet' and sequence = 6)
      else (select body from kept where stream = 'fleet' and sequence = 5) end
      where stream = 'fleet' and sequence in (5, 6)`,
  };
  for (const [what, change] of Object.entries(lies)) {
    it(`is found broken where an entry ${what}`, async () => {
      const found = await tamperedWith(change, put);
      assert.equal(found['isIntact'], false);
      assert.match(show(found['problem']), /Cannot trust event/);
      assert.equal((await verdict())['isIntact'], true);
    });
  }
});
