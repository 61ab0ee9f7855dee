import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { describeOperatorApi, OPERATOR_PREFIX, operatorSchemas } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import {
  type ApiAnswer,
  startTestPlatform,
  type TestPlatform,
} from '../support/running-platform.ts';
import { eventsOf } from '../support/recorded-events.ts';
import { TestVehicle } from '../support/vehicle.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { insertImage } from '../support/repositories.ts';
import { image, releaseOf } from '../support/fleet-world.ts';
import { signersOf } from '../../src/trust/keystore.ts';

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

function names(answer: ApiAnswer): unknown {
  return (answer.json['items'] as readonly JsonObject[]).map((one) => one['name']);
}

async function bar(isQuarantined: boolean): Promise<ApiAnswer> {
  const json = { isQuarantined };
  return await world.ask('PATCH', `${api}/vehicles/barred-1`, { as: 'operator', json });
}

async function registered(id: string): Promise<TestVehicle> {
  const vehicle = new TestVehicle(id, [[`ECU-${id}`, 'a-hw']]);
  const { context } = world.platform.cloud;
  const registration = vehicle.registration();
  await registerEcus(context, id, { registration, policy: 'approve' });
  return vehicle;
}

async function report(vehicle: TestVehicle): Promise<void> {
  await world.platform.director.accept(vehicle.id, await vehicle.manifest());
}

describe('the way of a release through the operator API', () => {
  it('goes from the signed document to vehicles that say why not', async () => {
    const { cloud } = world.platform;
    await insertImage(cloud.context.database, image('a/2', 'a-hw'));
    const document = await signMetadata(
      AKTUALIZR,
      releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
      signersOf(cloud.keystore, 'image-targets'),
    );
    const body = new Uint8Array(document);
    const created = await world.ask('POST', `${api}/releases`, { as: 'release-engineer', body });
    assert.equal(created.status, 201);
    const { releaseId } = operatorSchemas.releaseSchema.parse(created.json);
    await report(await registered('road-1'));
    const patch = { model: 'X1', vin: 'VIN-1', tags: { beta: true } };
    const patched = await world.ask('PATCH', `${api}/vehicles/road-1`, {
      as: 'operator',
      json: patch,
    });
    assert.deepEqual(operatorSchemas.vehicleSchema.parse(patched.json).tags, { beta: true });
    const json = { name: 'Autumn', releaseId, query: 'vehicle.tags.beta' };
    const made = await world.ask('POST', `${api}/campaigns`, { as: 'operator', json });
    assert.equal(made.status, 201);
    const { campaignId } = operatorSchemas.campaignSchema.parse(made.json);
    const started = await world.ask('POST', `${api}/campaigns/${campaignId}/start`, {
      as: 'operator',
    });
    assert.deepEqual(started.json['counts'], { targeted: 1 });
    const listed = await world.ask('GET', `${api}/campaigns/${campaignId}/vehicles`, {
      as: 'viewer',
    });
    const why = await world.ask('GET', `${api}/vehicles/road-1/why-not`, { as: 'viewer' });
    const [place] = listed.json['items'] as readonly unknown[];
    const [reason] = why.json['items'] as readonly unknown[];
    assert.equal(operatorSchemas.campaignVehicleSchema.parse(place).reason, 'NOT_SEEN');
    assert.equal(operatorSchemas.whyNotSchema.parse(reason).campaignName, 'Autumn');
    for (const [move, state] of [
      ['pause', 'paused'],
      ['start', 'running'],
      ['cancel', 'cancelled'],
    ] as const) {
      const moved = await world.ask('POST', `${api}/campaigns/${campaignId}/${move}`, {
        as: 'operator',
      });
      assert.equal(moved.json['state'], state);
    }
    const again = await world.ask('POST', `${api}/campaigns/${campaignId}/start`, {
      as: 'operator',
    });
    assert.deepEqual([again.status, again.json['code']], [409, 'CAMPAIGN_STATE']);
    const timeline = await world.ask('GET', `${api}/vehicles/road-1/timeline`, { as: 'viewer' });
    const events = timeline.json['items'] as readonly JsonObject[];
    const kinds = new Set(events.map((event) => event['kind']));
    assert.ok(kinds.has('vehicle.described') && kinds.has('vehicle.registered'));
  });

  it('refuses a release of a stranger, and keeps it on record', async () => {
    const body = '{"signatures":[],"signed":{"_type":"Release"}}';
    const answer = await world.ask('POST', `${api}/releases`, { as: 'release-engineer', body });
    assert.equal(answer.status, 400);
    assert.equal((await eventsOf(world, 'release.refused')).length, 1);
  });

  it('uploads an image in pieces', async () => {
    const bytes = Buffer.from('firmware of the brake');
    const json = {
      name: 'brake/7.bin',
      role: 'targets',
      lengthBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      hardwareIds: ['brake-hw'],
      version: '7',
      releaseCounter: 7,
      isEncrypted: false,
    };
    const as = 'release-engineer';
    const begun = await world.ask('POST', `${api}/uploads`, { as, json });
    const { uploadId } = operatorSchemas.uploadSchema.parse(begun.json);
    const put = (offset: number, part: Buffer): Promise<ApiAnswer> => {
      const body = new Uint8Array(part);
      return world.ask('PUT', `${api}/uploads/${uploadId}/bytes?offset=${offset}`, { as, body });
    };
    assert.equal((await put(0, bytes.subarray(0, 9))).json['offsetBytes'], 9);
    const wrong = await put(3, bytes.subarray(9));
    assert.deepEqual([wrong.status, wrong.json['code']], [409, 'UPLOAD_MISMATCH']);
    const asked = await world.ask('GET', `${api}/uploads/${uploadId}`, { as });
    assert.equal(asked.json['offsetBytes'], 9);
    assert.equal((await put(9, bytes.subarray(9))).status, 200);
    const done = await world.ask('POST', `${api}/uploads/${uploadId}/finish`, { as });
    const stored = operatorSchemas.imageSchema.parse(done.json);
    assert.deepEqual([stored.name, stored.isSigned], ['brake/7.bin', false]);
    const listed = await world.ask('GET', `${api}/images?limit=1`, { as: 'viewer' });
    assert.equal(listed.json['next'], 'a/2');
    const rest = await world.ask('GET', `${api}/images?after=a/2`, { as: 'supplier' });
    assert.equal((rest.json['items'] as readonly unknown[]).length, 1);
  });

  it('publishes metadata that were signed elsewhere, and shows what is in force', async () => {
    const listed = await world.ask('GET', `${api}/metadata/image`, { as: 'supplier' });
    const files = (listed.json['items'] as readonly unknown[]).map((file) =>
      operatorSchemas.metadataFileSchema.parse(file),
    );
    assert.deepEqual(
      new Set(files.map(({ dialect, role }) => `${dialect} ${role}`)),
      new Set(
        ['aktualizr', 'tuf'].flatMap((dialect) =>
          ['root', 'timestamp', 'snapshot', 'targets'].map((role) => `${dialect} ${role}`),
        ),
      ),
    );
    const forged = files.map((file) => ({ ...file, bytes: Buffer.from('{}').toString('base64') }));
    const json = { files: forged.slice(0, 1) };
    const refused = await world.ask('POST', `${api}/metadata/image`, { as: 'admin', json });
    assert.equal(refused.status, 400);
    const still = await world.ask('GET', `${api}/metadata/image`, { as: 'supplier' });
    assert.deepEqual(still.json, listed.json);
  });
});

describe('a refusal', () => {
  const as = 'admin';
  const cases: Readonly<Record<string, () => Promise<readonly [ApiAnswer, number, string]>>> = {
    'a route that there is not': async () => [
      await world.ask('GET', `${api}/nothing`, { as }),
      404,
      'NOT_FOUND',
    ],
    'a method that a route has not': async () => [
      await world.ask('POST', `${api}/vehicles`, { as }),
      404,
      'NOT_FOUND',
    ],
    'a vehicle that there is not': async () => [
      await world.ask('GET', `${api}/vehicles/x`, { as }),
      404,
      'NOT_FOUND',
    ],
    'a timeline of nobody': async () => [
      await world.ask('GET', `${api}/vehicles/x/timeline`, { as }),
      404,
      'NOT_FOUND',
    ],
    'a certificate that there is not': async () => [
      await world.ask('POST', `${api}/certificates/0a/revocation`, { as, json: {} }),
      404,
      'NOT_FOUND',
    ],
    'a certificate whose serial number is none': async () => [
      await world.ask('POST', `${api}/certificates/0x/revocation`, {
        as,
        json: { isUnrecorded: true },
      }),
      400,
      'CERTIFICATE_MALFORMED',
    ],
    'a body that is no JSON': async () => [
      await world.ask('POST', `${api}/campaigns`, {
        as,
        body: '{',
        headers: { 'content-type': 'application/json' },
      }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a body of another kind': async () => [
      await world.ask('POST', `${api}/campaigns`, {
        as,
        body: 'x',
        headers: { 'content-type': 'text/plain' },
      }),
      415,
      'REQUEST_MALFORMED',
    ],
    'a body that nests without end': async () => [
      await world.ask('POST', `${api}/campaigns`, {
        as,
        body: '['.repeat(100_000),
        headers: { 'content-type': 'application/json' },
      }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a text with a NUL': async () => [
      await world.ask('PATCH', `${api}/vehicles/v`, { as, json: { tags: { a: '\0' } } }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a NUL in a path': async () => [
      await world.ask('GET', `${api}/vehicles/%00`, { as }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a vehicle’s name that none can have': async () => [
      await world.ask('PATCH', `${api}/vehicles/${'v'.repeat(65)}`, { as, json: {} }),
      400,
      'MALFORMED',
    ],
    'a page longer than there is': async () => [
      await world.ask('GET', `${api}/vehicles?limit=1001`, { as }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a position in a list that is none': async () => [
      await world.ask('GET', `${api}/campaigns?after=-271821-04-20T00:00:00Z~x`, { as }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a position among releases that is none': async () => [
      await world.ask('GET', `${api}/releases?after=2026-13-99T00:00:00Z~x`, { as }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a position among events that is none': async () => [
      await world.ask('GET', `${api}/events?after=1e99`, { as }),
      400,
      'REQUEST_MALFORMED',
    ],
    'a fleet query that is none': async () => [
      await world.ask('GET', `${api}/vehicles?query=vehicle.`, { as }),
      400,
      'QUERY_MALFORMED',
    ],
    'a body longer than a form': async () => [
      await world.ask('POST', `${api}/campaigns`, { as, json: { name: 'x'.repeat(262_144) } }),
      413,
      'REQUEST_TOO_LONG',
    ],
    'a release longer than any': async () => [
      await world.ask('POST', `${api}/releases`, { as, body: new Uint8Array(2_097_153) }),
      413,
      'REQUEST_TOO_LONG',
    ],
    'a VIN that another vehicle has': async () => {
      await world.ask('PATCH', `${api}/vehicles/vin-1`, { as, json: { vin: 'TWICE' } });
      return [
        await world.ask('PATCH', `${api}/vehicles/vin-2`, { as, json: { vin: 'TWICE' } }),
        409,
        'VIN_EXISTS',
      ];
    },
    'an upload that there is not': async () => [
      await world.ask('GET', `${api}/uploads/none`, { as }),
      404,
      'UPLOAD_MISSING',
    ],
  };
  for (const [what, make] of Object.entries(cases)) {
    it(`is a problem with its code: ${what}`, async () => {
      const [answer, status, code] = await make();
      assert.deepEqual([answer.status, answer.json['code']], [status, code]);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    });
  }

  it('tells nothing of a prototype', async () => {
    const body = '{"tags":{"__proto__":true,"a":"b"}}';
    const headers = { 'content-type': 'application/json' };
    const answer = await world.ask('PATCH', `${api}/vehicles/proto`, { as, body, headers });
    assert.equal(answer.status, 200);
    assert.equal((answer.json['tags'] as JsonObject)['a'], 'b');
  });
});

describe('lists', () => {
  it('give each vehicle once, page by page, also of a query', async () => {
    for (let index = 0; index < 5; index += 1) {
      const json = { model: index % 2 === 0 ? 'even' : 'odd' };
      await world.ask('PATCH', `${api}/vehicles/list-${index}`, { as: 'operator', json });
    }
    const query = encodeURIComponent('vehicle.model == "even"');
    const seen: unknown[] = [];
    let position = '';
    for (let pages = 0; pages < 10; pages += 1) {
      const path = `${api}/vehicles?limit=2&query=${query}&after=${position}`;
      const { json } = await world.ask('GET', path, { as: 'viewer' });
      seen.push(...(json['items'] as readonly JsonObject[]).map((one) => one['vehicleId']));
      if (json['next'] === undefined) break;
      position = textOf(json['next']);
    }
    assert.deepEqual(seen, ['list-0', 'list-2', 'list-4']);
  });

  it('give campaigns the newest first, each once', async () => {
    const releases = await world.ask('GET', `${api}/releases?limit=1`, { as: 'viewer' });
    const [release] = releases.json['items'] as readonly JsonObject[];
    for (const name of ['one', 'two', 'three']) {
      const json = { name, releaseId: release?.['releaseId'], query: 'false' };
      assert.equal(
        (await world.ask('POST', `${api}/campaigns`, { as: 'operator', json })).status,
        201,
      );
    }
    const first = await world.ask('GET', `${api}/campaigns?limit=2`, { as: 'viewer' });
    assert.deepEqual(names(first), ['three', 'two']);
    const path = `${api}/campaigns?limit=2&after=${encodeURIComponent(textOf(first.json['next']))}`;
    assert.deepEqual(names(await world.ask('GET', path, { as: 'viewer' })), ['one', 'Autumn']);
  });
});

describe('a vehicle that is barred', () => {
  it('is barred by an operator, on record, and let in again', async () => {
    await registered('barred-1');
    assert.equal((await bar(true)).json['isQuarantined'], true);
    await bar(true);
    assert.equal((await bar(false)).json['isQuarantined'], false);
    assert.deepEqual(await eventsOf(world, 'vehicle.quarantined'), [{ by: 'the operator' }]);
    assert.deepEqual(await eventsOf(world, 'vehicle.released'), [{ by: 'the operator' }]);
  });
});

describe('GET /openapi.json', () => {
  it('shows the API to whoever asks', async () => {
    const answer = await world.ask('GET', '/openapi.json');
    assert.deepEqual(answer.json, JSON.parse(JSON.stringify(describeOperatorApi())));
  });
});
