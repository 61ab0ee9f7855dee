import assert from 'node:assert/strict';
import { generateKeyPairSync, createHash, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { API_ROLES, type ApiRole, describeOperatorApi, OPERATOR_PREFIX } from '@immota/api';
import { sql } from '@immota/store';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { createPerson } from '../../src/access/people.ts';
import { registerSigningKey } from '../../src/access/signing-keys.ts';
import { createTenant } from '../../src/access/tenants.ts';
import { createToken, issueCredentials, revokeToken, saveVehicle } from '../../src/index.ts';
import { authenticate } from '../../src/operator/tokens.ts';
import { parseDeviceId } from '@immota/pki';
import { signersOf } from '../../src/trust/keystore.ts';
import { webhookParts } from '../../src/webhook/webhook-worker.ts';
import { createWebhook } from '../../src/webhook/webhooks.ts';
import {
  type Belonging,
  checkOperation,
  listOperations,
  type MatrixAnswer,
  type MatrixWorld,
  type Operation,
} from '../support/authorisation-matrix.ts';
import { image, releaseOf } from '../support/fleet-world.ts';
import { insertImage } from '../support/repositories.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

type Document = Parameters<typeof listOperations>[0];
const operations = listOperations(JSON.parse(JSON.stringify(describeOperatorApi())) as Document);
const api = OPERATOR_PREFIX;
const PART = 'vehicle.model == "X1"';

let world: TestPlatform;
let matrix: MatrixWorld;
const ids = new Map<string, string>();

/** What a person could have of each kind of object; the names say whose it is. */
async function makeObjects(whose: 'own' | 'foreign', bearer: string): Promise<void> {
  const tenant = whose === 'own' ? 'main' : 'other';
  const { cloud } = world.platform;
  const { context } = cloud;
  const keep = (name: string, id: unknown): void => {
    assert.ok(typeof id === 'string', name);
    ids.set(`${name} ${whose}`, id);
  };
  const authorization = `Bearer ${bearer}`;
  const post = async (path: string, what: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await world.ask('POST', `${api}${path}`, { authorization, ...what });
    assert.ok(answer.status < 300, JSON.stringify(answer.json));
    return answer.json;
  };
  const vehicleId = `${whose}-car`;
  keep('vehicleId', vehicleId);
  await saveVehicle(context, { vehicleId, model: 'X1', vin: `${whose}-vin` }, { tenant });
  const { certificate } = await issueCredentials(context, parseDeviceId(vehicleId), tenant);
  keep('serial', certificate.serial);
  keep('ecuId', `${whose}-ecu`);
  const name = `${whose}-image`;
  await insertImage(context.database, image(name, 'a-hw'));
  await sql`update image set tenant = ${tenant} where name = ${name}`.execute(
    context.database.kysely,
  );
  const document = await signMetadata(
    AKTUALIZR,
    releaseOf({ 'a-hw': name }, [{ hardwareId: 'a-hw', name, installsOver: 'any' }]),
    signersOf(cloud.keystore, 'image-targets'),
  );
  const { releaseId } = await post('/releases', { body: new Uint8Array(document) });
  keep('releaseId', releaseId);
  // Whoever sees a part of the fleet acts on campaigns for no more than that part.
  const query = `(${PART}) && (true)`;
  const campaign = { name: `${whose}-campaign`, releaseId, query };
  keep('campaignId', (await post('/campaigns', { json: campaign }))['campaignId']);
  const upload = {
    name: `${whose}-upload`,
    role: 'targets',
    lengthBytes: 3,
    sha256: '0'.repeat(64),
    hardwareIds: ['a-hw'],
    version: '1',
    releaseCounter: 1,
    isEncrypted: false,
  };
  keep('uploadId', (await post('/uploads', { json: upload }))['uploadId']);
  keep('name', `${whose}-token`);
  const given = { role: 'viewer', uploadsFor: [], ttlDays: 1, fleet: { tenant } } as const;
  await createToken(context, { ...given, name: `${whose}-token` });
  const email = `${whose}-person@example.com`;
  const person = { tenant, email, name: email, role: 'viewer', by: 'test' } as const;
  keep('userId', (await createPerson(context, person)).person_id);
  const hook = { url: `https://hooks.example.com/${whose}-hook`, events: ['campaign.started'] };
  const parts = webhookParts({ context, secret: cloud.secret });
  const { webhook } = await createWebhook(parts, { tenant, by: `${whose}-admin` }, hook);
  keep('webhookId', webhook.webhook_id);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256').update(der).digest('hex');
  await registerSigningKey(context, await authenticate(context, authorization), {
    name: `${whose}-key`,
    algorithm: 'ed25519',
    publicKey: der.toString('base64'),
    proof: sign(null, Buffer.from(keyId), privateKey).toString('base64'),
  });
  keep('keyId', keyId);
}

async function token(name: string, role: ApiRole, fleet = { tenant: 'main' }): Promise<string> {
  const { context } = world.platform.cloud;
  const description = { name, role, uploadsFor: ['targets'], ttlDays: 30, fleet };
  return (await createToken(context, description)).token;
}

function idOf(parameter: string, whose: Belonging): string {
  const absent = parameter === 'serial' ? '7f01' : `absent-${parameter}`;
  if (whose === 'absent') return absent;
  // Vehicles lie in or out of a scope; what else is out of it is another tenant's.
  return ids.get(`${parameter} ${whose}`) ?? ids.get(`${parameter} foreign`) ?? absent;
}

async function ask(
  { method, body, isStream }: Operation,
  path: string,
  bearer: string | undefined,
): Promise<MatrixAnswer> {
  const abort = new AbortController();
  const json = body !== undefined && 'json' in body;
  const response = await fetch(world.platform.urls.operator + path, {
    method,
    signal: abort.signal,
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(json ? { 'content-type': 'application/json' } : {}),
    },
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body.json) : body.bytes }),
  });
  if (isStream && response.status === 200) {
    abort.abort();
    return { status: 200, text: '' };
  }
  return { status: response.status, text: await response.text() };
}

before(async () => {
  world = await startTestPlatform();
  const { context } = world.platform.cloud;
  await createTenant(context, { tenantId: 'other', name: 'Other' });
  await makeObjects('own', await token('own admin', 'admin'));
  await makeObjects('foreign', await token('foreign admin', 'admin', { tenant: 'other' }));
  await saveVehicle(context, { vehicleId: 'outside-car', model: 'X2', vin: 'outside-vin' });
  const { certificate } = await issueCredentials(context, parseDeviceId('outside-car'));
  ids.set('vehicleId outside', 'outside-car');
  ids.set('ecuId outside', 'outside-ecu');
  ids.set('serial outside', certificate.serial);
  const bounded = new Map<string, string>();
  const fleet = { tenant: 'main', query: PART };
  for (const role of API_ROLES) {
    if (role !== 'admin') bounded.set(role, await token(`bounded ${role}`, role, fleet));
  }
  const expired = await createToken(context, {
    name: 'expired',
    role: 'admin',
    uploadsFor: [],
    ttlDays: 1,
  });
  const revoked = await token('revoked', 'admin');
  await revokeToken(context, 'revoked');
  world.clock.advance({ hours: 25 });
  matrix = {
    ask,
    id: idOf,
    tokens: world.tokens,
    bounded,
    strangers: new Map([
      ['nobody', undefined],
      ['a stranger', `immota_${'A'.repeat(43)}`],
      ['half a token', (world.tokens.get('admin') ?? '').slice(0, -1)],
      ['a token that is over', expired.token],
      ['a token that was revoked', revoked],
    ]),
  };
});
after(() => world.close());

/** Everything that the other tenant has, as the database holds it. */
async function foreignRows(): Promise<unknown> {
  const { kysely } = world.platform.cloud.context.database;
  const all: Record<string, unknown> = {};
  const tables = ['vehicle', 'image', 'upload', 'release', 'campaign', 'api_token', 'person'];
  for (const table of [...tables, 'webhook', 'signing_key']) {
    const { rows } = await sql`select to_jsonb(one) as row from ${sql.table(table)} one
      where tenant = 'other' order by 1`.execute(kysely);
    all[table] = rows;
  }
  const { rows } = await sql`select serial, revoked_at from device_certificate
    where vehicle_id = 'foreign-car'`.execute(kysely);
  const events =
    await sql`select count(*) from event where stream in ('fleet:other', 'foreign-car')`.execute(
      kysely,
    );
  return { ...all, certificates: rows, events: events.rows };
}

describe('the authorisation matrix', () => {
  let kept: unknown;
  before(async () => {
    kept = await foreignRows();
  });

  it('knows every operation, every role and every object of the document', () => {
    assert.ok(operations.length > 60);
    for (const { id, roles, objects } of operations) {
      assert.ok(roles.length > 0, id);
      for (const name of objects) assert.ok(ids.has(`${name} foreign`), `${id}: {${name}}`);
    }
  });

  for (const operation of operations) {
    it(`holds for ${operation.id}`, async () => {
      assert.ok((await checkOperation(matrix, operation)) > 10);
    });
  }

  it('left everything of the other tenant as it was', async () => {
    assert.deepEqual(await foreignRows(), kept);
  });
});

/** A server that forgets one thing. */
function forgets(
  isForgotten: (path: string, bearer: string | undefined, answer: MatrixAnswer) => boolean,
  instead: MatrixAnswer,
): Partial<MatrixWorld> {
  return {
    ask: async (one, path, bearer) => {
      const answer = await ask(one, path, bearer);
      return isForgotten(path, bearer, answer) ? instead : answer;
    },
  };
}

describe('the matrix itself', () => {
  const operation = operations.find(({ id }) => id === 'getVehicle');
  const check = async (change: Partial<MatrixWorld>): Promise<void> => {
    assert.ok(operation !== undefined);
    await checkOperation({ ...matrix, ...change }, operation);
  };
  const letIn = { status: 200, text: '{"vehicleId":"own-car"}' };

  it('finds no fault where there is none', async () => {
    await check({});
  });

  const faults: Readonly<Record<string, Partial<MatrixWorld>>> = {
    'a route that asks for no token': forgets((_, bearer) => bearer === undefined, letIn),
    'a route that takes a token that is over': forgets(
      (_, bearer) => bearer !== undefined && !matrix.tokens.has(bearer) && bearer.endsWith('A'),
      letIn,
    ),
    'a route that asks for no role': forgets((_, __, { status }) => status === 403, letIn),
    'a route that shows another tenant’s': forgets((path) => path.includes('foreign-'), letIn),
    'a route that tells that another tenant’s is there': forgets(
      (path) => path.includes('foreign-'),
      { status: 403, text: '{"code":"NOT_FOUND"}' },
    ),
    'a route that forgets the scope': forgets((path) => path.includes('outside-'), letIn),
    'a route that names another tenant’s in its answer': forgets((path) => path.includes('own-'), {
      status: 200,
      text: '["foreign-car"]',
    }),
    'a route that nobody carries out': forgets((path) => path.includes('own-'), {
      status: 404,
      text: '{"code":"NOT_FOUND","detail":"There is no such route"}',
    }),
  };
  for (const [what, change] of Object.entries(faults)) {
    it(`finds ${what}`, async () => {
      await assert.rejects(check(change), assert.AssertionError);
    });
  }

  it('finds a route without roles', async () => {
    assert.ok(operation !== undefined);
    await assert.rejects(
      checkOperation(matrix, { ...operation, roles: [] }),
      assert.AssertionError,
    );
  });
});
