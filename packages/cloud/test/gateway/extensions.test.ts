import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { utf8 } from '@immota/base';
import { generateDecryptionKey, unwrapContentKey } from '@immota/image';
import {
  encodeCertificatesPem,
  encodeEnrolmentRequest,
  generateSigner,
  makeDeviceCredentials,
  parseCaCerts,
  parseDeviceId,
  parseEnrolmentResponse,
} from '@immota/pki';
import {
  AKTUALIZR,
  anchorRoot,
  decodeRoot,
  decodeTargets,
  signMetadata,
  type TargetFile,
  TARGETS_ROLE,
  TUF,
  verifyTime,
} from '@immota/uptane';
import type { JsonObject, Signer } from '@immota/base';
import {
  describeUploaded,
  draftTargets,
  revokeCertificate,
  revokeUnrecorded,
} from '../../src/index.ts';
import { deviceValidity } from '../../src/inventory/credentials.ts';
import { keyNameOf } from '../../src/gateway/status-routes.ts';
import { signersOf } from '../../src/trust/keystore.ts';
import { deviceClient, type TestClient } from '../support/client.ts';
import { repeatingEntropy } from '../support/ports.ts';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import { stranger } from '../support/world.ts';
import { TestVehicle } from '../support/vehicle.ts';

let cloud: TestCloud;
let client: TestClient;
let vehicle: TestVehicle;
before(async () => {
  cloud = await startTestCloud();
  vehicle = new TestVehicle('veh-1', [
    ['TBOX-1', 'tbox-hw'],
    ['BRAKE-1', 'brake-hw'],
  ]);
  client = await cloud.client(vehicle.id, true);
  const body = JSON.stringify(vehicle.registration());
  assert.equal((await client.ask('POST', '/director/ecus', { body })).status, 201);
});
after(() => cloud.close());

async function vehicleRow(): Promise<Readonly<Record<string, unknown>>> {
  return await cloud.running.cloud.context.database.kysely
    .selectFrom('vehicle')
    .selectAll()
    .where('vehicle_id', '=', vehicle.id)
    .executeTakeFirstOrThrow();
}

describe('attested time', () => {
  it('is signed with the nonces of whoever asked {uptane G1} {uptane G2} {uptane G4}', async () => {
    const nonce = 'ab'.repeat(16);
    const body = JSON.stringify({ nonces: [nonce] });
    const answer = await client.ask('POST', '/director/time', { body });
    assert.equal(answer.status, 200);
    const { root } = cloud.running.cloud.store.director();
    const anchor = anchorRoot(decodeRoot(AKTUALIZR, root.bytes, root.bytes.length));
    const floor = cloud.clock.now().subtract({ hours: 1 });
    const time = verifyTime(answer.body, { root: anchor, nonce, floor });
    assert.ok(Math.abs(time.epochMilliseconds - cloud.clock.now().epochMilliseconds) < 1000);
  });

  it('is refused for what are no nonces', async () => {
    for (const body of ['{"nonces":["xyz"]}', '{"nonces":[]}', '{}', 'no']) {
      assert.equal((await client.ask('POST', '/director/time', { body })).status, 400, body);
    }
  });
});

describe('encryption keys', () => {
  const decryption = generateDecryptionKey('classic', repeatingEntropy('ecu'));

  async function document(ecu: string, signer: Signer, own = decryption): Promise<Uint8Array> {
    const [, text = ''] = own.publicKey.split(':');
    const key = Buffer.from(text, 'base64url').toString('base64');
    const signed = {
      _type: 'EcuEncryptionKey',
      ecu_serial: ecu,
      method: 'hpke-x25519',
      public: key,
    };
    return await signMetadata(AKTUALIZR, signed, [signer]);
  }

  it('are refused unless their own ECU signed them {uptane H4}', async () => {
    const { signer } = vehicle.ecu(1);
    for (const body of [await document('BRAKE-1', stranger), await document('BRAKE-9', signer)]) {
      const answer = await client.ask('POST', '/director/ecu-keys', { body });
      assert.deepEqual([answer.status, answer.json()['code']], [403, 'ECU_KEY']);
    }
  });

  it('open the image that the Director encrypts for that ECU, and nobody else’s {uptane B11}', async () => {
    await publishSecret();
    cloud.planner.offer(vehicle.id, 'urn:immota:campaign:1', { 'BRAKE-1': 'brake/fw-1.bin' });
    await client.ask('PUT', '/director/manifest', { body: await vehicle.manifest() });
    assert.deepEqual(
      cloud.observed.flatMap((one) => (one.kind === 'blocked' ? [one.reason] : [])),
      ['ENCRYPTION_KEY_MISSING'],
    );
    const body = await document('BRAKE-1', vehicle.ecu(1).signer);
    assert.equal((await client.ask('POST', '/director/ecu-keys', { body })).status, 200);
    assert.equal((await client.ask('POST', '/director/ecu-keys', { body })).status, 200);
    await client.ask('PUT', '/director/manifest', { body: await vehicle.manifest() });
    const { file, wrapped, context } = await loadOffer();
    const image = await client.ask('GET', `/repo/targets/${file?.encrypted?.name ?? ''}`);
    assert.equal(image.body.length, file?.encrypted?.lengthBytes);
    unwrapContentKey(wrapped, decryption, context);
    assert.throws(() => unwrapContentKey(wrapped, decryption, { ...context, ecuIdentifier: 'X' }), {
      code: 'WRAP_AUTHENTICATION',
    });
  });

  it('open it also when the ECU came with another while it was offered', async () => {
    const other = generateDecryptionKey('classic', repeatingEntropy('another'));
    const body = await document('BRAKE-1', vehicle.ecu(1).signer, other);
    assert.equal((await client.ask('POST', '/director/ecu-keys', { body })).status, 200);
    const { wrapped, context } = await loadOffer();
    unwrapContentKey(wrapped, other, context);
    assert.throws(() => unwrapContentKey(wrapped, decryption, context), {
      code: 'WRAP_AUTHENTICATION',
    });
    cloud.planner.plans.clear();
  });
});

async function loadOffer(): Promise<{
  readonly file: TargetFile | undefined;
  readonly wrapped: Uint8Array;
  readonly context: Parameters<typeof unwrapContentKey>[2];
}> {
  const { body: bytes } = await client.ask('GET', '/director/targets.json');
  const options = { role: TARGETS_ROLE, lengthMax: 65_536 };
  const [[, file] = []] = decodeTargets(AKTUALIZR, bytes, options).body.files;
  const [assignment] = [...(file?.ecus.values() ?? [])];
  const context = {
    ecuIdentifier: 'BRAKE-1',
    hardwareIdentifier: 'brake-hw',
    imageSha256: file?.hashes.get('sha256') ?? '',
  };
  return { file, wrapped: assignment?.wrappedKey?.value ?? new Uint8Array(), context };
}

async function publishSecret(): Promise<void> {
  const { uploads, trust, store, keystore, context } = cloud.running.cloud;
  const bytes = Buffer.from('a secret firmware');
  const engineer = { name: 'engineer', role: 'admin', uploadsFor: [] };
  const { createHash } = await import('node:crypto');
  const { uploadId } = await uploads.begin(engineer, {
    name: 'brake/fw-1.bin',
    role: 'targets',
    lengthBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    hardwareIds: ['brake-hw'],
    version: '1',
    releaseCounter: 1,
    isEncrypted: true,
  });
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }
  await uploads.append(engineer, uploadId, { offsetBytes: 0, bytes: whole() });
  await uploads.finish(engineer, uploadId);
  const add = await describeUploaded(context, 'targets');
  await cloud.running.cloud.publish(
    await Promise.all(
      [AKTUALIZR, TUF].map(async (dialect) => {
        const current = store.image(dialect.name).targets.get(TARGETS_ROLE)?.bytes;
        const payload = draftTargets(trust, dialect, { current, add });
        const signed = await signMetadata(dialect, payload, signersOf(keystore, 'image-targets'));
        const { name } = dialect;
        return { repository: 'image', dialect: name, role: 'targets', bytes: signed } as const;
      }),
    ),
  );
}

async function receipt(
  decision: string,
  signer: Signer,
  changes: JsonObject = {},
): Promise<Uint8Array> {
  const signed = {
    _type: 'Consent',
    correlationId: 'urn:immota:campaign:1',
    step: 'install',
    decision,
    textSha256: '0'.repeat(64),
    locale: 'de',
    actor: 'owner',
    decidedAt: '2026-11-22T10:00:00Z',
    ...changes,
  };
  return await signMetadata(AKTUALIZR, signed, [signer]);
}

describe('consents', () => {
  it('are stored once, and told', async () => {
    const body = await receipt('accepted', vehicle.primary.signer);
    cloud.observed.length = 0;
    for (let times = 0; times < 2; times += 1) {
      assert.equal((await client.ask('POST', '/director/consents', { body })).status, 200);
    }
    assert.deepEqual(
      cloud.observed.map(({ kind }) => kind),
      ['consent'],
    );
    assert.ok((await cloud.eventsOf(vehicle.id)).includes('consent.given'));
  });

  it('tell of the change-over, and of the time it was agreed for', async () => {
    const agreed = { step: 'activate', notBefore: '2026-11-23T02:00:00Z' };
    const body = await receipt('accepted', vehicle.primary.signer, agreed);
    cloud.observed.length = 0;
    assert.equal((await client.ask('POST', '/director/consents', { body })).status, 200);
    assert.deepEqual(
      cloud.observed.map((one) => (one.kind === 'consent' ? one.step : one.kind)),
      ['activate'],
    );
    for (const changes of [{ step: 'drive' }, { ...agreed, notBefore: 'tonight' }]) {
      const odd = await receipt('accepted', vehicle.primary.signer, changes);
      const answer = await client.ask('POST', '/director/consents', { body: odd });
      assert.deepEqual([answer.status, answer.json()['code']], [400, 'REQUEST_MALFORMED']);
    }
  });

  it('are refused unless the Primary signed them', async () => {
    const body = await receipt('accepted', vehicle.ecu(1).signer);
    const answer = await client.ask('POST', '/director/consents', { body });
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'REPORT_SIGNATURE']);
    const odd = await receipt('perhaps', vehicle.primary.signer);
    assert.equal((await client.ask('POST', '/director/consents', { body: odd })).status, 400);
  });
});

describe('information', () => {
  it('is kept without the secrets of the configuration', async () => {
    const toml = [
      '[tls]',
      'server = "https://localhost"',
      '[p11]',
      'module = "/usr/lib/softhsm2.so"',
      'pass = "1234"',
      '[import]',
      "p12_password = '''geheim",
      'x = "weiter"',
      "'''",
      '[pacman]',
      'tokens = ["abc", "def"]',
      'type = "none"',
    ].join('\n');
    const headers = { 'content-type': 'application/toml' };
    const answer = await client.ask('POST', '/system_info/config', { headers, body: toml });
    assert.equal(answer.status, 200);
    const stored = JSON.stringify((await vehicleRow())['information']);
    for (const secret of ['1234', 'geheim', 'weiter', 'abc'])
      assert.ok(!stored.includes(secret), secret);
    for (const fact of ['https://localhost', 'softhsm2', 'none'])
      assert.ok(stored.includes(fact), fact);
  });

  it('is news only when it changes', async () => {
    const earlier = (await cloud.eventsOf(vehicle.id)).filter(
      (kind) => kind === 'client.information',
    );
    for (const hostname of ['vm', 'vm', 'other']) {
      const body = JSON.stringify({ hostname, local_ipv4: '192.0.2.2', mac: '02:00:00:00:00:01' });
      assert.equal((await client.ask('PUT', '/system_info/network', { body })).status, 200);
    }
    const now = (await cloud.eventsOf(vehicle.id)).filter((kind) => kind === 'client.information');
    assert.equal(now.length, earlier.length + 2);
    const odd = await client.ask('PUT', '/system_info/network', { body: '{"hostname":7}' });
    assert.equal(odd.status, 400);
  });
});

function event(id: string): Readonly<Record<string, unknown>> {
  return {
    id,
    deviceTime: '2026-11-22T07:27:04Z',
    eventType: { id: 'EcuDownloadStarted', version: 0 },
    event: { ecu: 'TBOX-1' },
  };
}

describe('progress events', () => {
  it('are kept once, however often they are sent', async () => {
    for (const ids of [['a', 'b'], ['b', 'c'], []]) {
      const body = JSON.stringify(ids.map(event));
      assert.equal((await client.ask('POST', '/events', { body })).status, 200);
    }
    const told = (await cloud.eventsOf(vehicle.id)).filter((kind) => kind === 'client.event');
    assert.equal(told.length, 3);
  });

  it('are refused in too large a batch, so that the client halves it', async () => {
    const body = JSON.stringify(Array.from({ length: 501 }, (_, index) => event(`e${index}`)));
    assert.equal((await client.ask('POST', '/events', { body })).status, 413);
  });
});

describe('shared credentials', () => {
  let bootstrap: TestClient;
  before(async () => {
    bootstrap = await cloud.client('bootstrap:line-1', true);
  });

  it('get a vehicle its own, once', async () => {
    const body = JSON.stringify({ deviceId: 'veh-new', ttl: '36000' });
    const answer = await bootstrap.ask('POST', '/devices', { body });
    assert.equal(answer.status, 200);
    const opened = spawnSync('openssl', ['pkcs12', '-nodes', '-passin', 'pass:'], {
      input: answer.body,
    });
    if (opened.status === 0) assert.match(String(opened.stdout), /BEGIN (?:EC )?PRIVATE KEY/);
    const again = await bootstrap.ask('POST', '/devices', { body });
    assert.deepEqual([again.status, again.json()['code']], [409, 'device_already_registered']);
    assert.deepEqual(
      await cloud.eventsOf('veh-new'),
      ['vehicle.provisioned', 'certificate.issued', 'request.refused'].slice(0, 2),
    );
  });

  it('make no other bootstrap credentials, and nothing else', async () => {
    const body = JSON.stringify({ deviceId: 'bootstrap:line-2' });
    const answer = await bootstrap.ask('POST', '/devices', { body });
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'DEVICE_UNLISTED']);
    const manifest = await bootstrap.ask('PUT', '/director/manifest', { body: '{}' });
    assert.deepEqual([manifest.status, manifest.json()['code']], [403, 'WRONG_CREDENTIALS']);
    const own = await client.ask('POST', '/devices', { body: '{"deviceId":"veh-2"}' });
    assert.deepEqual([own.status, own.json()['code']], [403, 'WRONG_CREDENTIALS']);
  });

  it('enrol a vehicle by EST, which re-enrols itself', async () => {
    const signer = generateSigner('ecdsa-p256');
    const headers = { 'content-type': 'application/pkcs10' };
    const request = await encodeEnrolmentRequest(signer, { commonName: 'veh-est' });
    const path = '/.well-known/est/simpleenroll';
    const answer = await bootstrap.ask('POST', path, { headers, body: request.body });
    assert.equal(answer.status, 200);
    const message = { mediaType: answer.headers['content-type'], body: answer.body };
    parseEnrolmentResponse(message, signer.publicKeyDer);
    const again = await bootstrap.ask('POST', path, { headers, body: request.body });
    assert.equal(again.status, 409);
    const other = await client.ask('POST', path, { headers, body: request.body });
    assert.equal(other.status, 403);
    const own = await encodeEnrolmentRequest(signer, { commonName: vehicle.id });
    const reenrol = '/.well-known/est/simplereenroll';
    // Another subject than the certificate's own, which has the organization too.
    assert.equal((await client.ask('POST', reenrol, { headers, body: own.body })).status, 403);
  });

  it('are not needed to learn whom to trust', async () => {
    const answer = await cloud.stranger().ask('GET', '/.well-known/est/cacerts');
    const message = { mediaType: answer.headers['content-type'], body: answer.body };
    assert.equal(parseCaCerts(message).length, 2);
  });
});

/** Whether the published list has a serial number. */
async function listed(serial: string): Promise<boolean> {
  const { authorities } = cloud.running.cloud;
  const path = `/pki/${keyNameOf(authorities.devices)}.crl`;
  const { body } = await cloud.stranger().ask('GET', path);
  return body.toString('hex').includes(serial);
}

/** Asks by OCSP as openssl does; undefined where there is no openssl. */
async function openOcsp(
  test: Pick<TestContext, 'after'>,
  issuerPem: string,
): Promise<{ ask(serial: string): Promise<string> } | undefined> {
  if (spawnSync('openssl', ['version']).status !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'immota-ocsp-'));
  test.after(() => rm(folder, { recursive: true }));
  const [issuer, query, reply] = ['issuer.pem', 'query.der', 'reply.der'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(issuer, issuerPem);
  return {
    async ask(serial) {
      const of = ['ocsp', '-issuer', issuer, '-serial', `0x${serial}`];
      spawnSync('openssl', [...of, '-reqout', query]);
      const body = await readFile(query);
      await writeFile(reply, (await cloud.stranger().ask('POST', '/pki/ocsp', { body })).body);
      return String(spawnSync('openssl', [...of, '-noverify', '-respin', reply]).stdout);
    },
  };
}

describe('revocation for others', () => {
  it('is published as a list', async () => {
    const { authorities } = cloud.running.cloud;
    const path = `/pki/${keyNameOf(authorities.devices)}.crl`;
    const answer = await cloud.stranger().ask('GET', path);
    assert.deepEqual(
      [answer.status, answer.headers['content-type']],
      [200, 'application/pkix-crl'],
    );
    assert.equal((await cloud.stranger().ask('GET', '/pki/nobody.crl')).status, 404);
  });

  it('is told at once, in the list and by OCSP', async (test) => {
    const { context, authorities } = cloud.running.cloud;
    const { certificate } = await cloud.credentials('veh-told');
    const { serial } = certificate;
    assert.equal(await listed(serial), false);
    const ocsp = await openOcsp(test, encodeCertificatesPem([authorities.devices.certificate]));
    // Who is issued to is read once a minute; who is revoked, at once.
    cloud.clock.advance({ minutes: 1 });
    assert.match((await ocsp?.ask(serial)) ?? 'good', /good/);
    await revokeCertificate(context, serial, { reason: 'superseded', by: 'test' });
    assert.equal(await listed(serial), true);
    assert.match((await ocsp?.ask(serial)) ?? 'revoked', /revoked/);
    if (ocsp === undefined) test.diagnostic('not run: the part by OCSP, openssl is not installed');
  });

  it('is for any serial number of the authority, also for what was issued beside the database', async () => {
    const { context, authorities } = cloud.running.cloud;
    const validity = deviceValidity(context);
    const { entropy, serverRoots } = context;
    const request = { serverRoots, validity, entropy };
    const id = parseDeviceId('veh-factory');
    const credentials = await makeDeviceCredentials(authorities.devices, id, request);
    const { serial } = credentials.certificate;
    const stray = deviceClient(cloud.running.urls.gateway, credentials, true);
    assert.equal((await stray.ask('GET', '/director/1.root.json')).status, 200);
    const revocation = { reason: 'keyCompromise', by: 'test' } as const;
    assert.equal(await revokeCertificate(context, serial, revocation), false);
    assert.equal((await stray.ask('GET', '/director/1.root.json')).status, 200);
    assert.equal(await revokeUnrecorded(context, serial, revocation), true);
    const answer = await stray.ask('GET', '/director/1.root.json');
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'REVOKED']);
    stray.close();
    assert.equal(await listed(serial), true);
    assert.equal(await revokeUnrecorded(context, serial, revocation), false);
    const told = (await cloud.eventsOf('fleet')).filter((kind) => kind === 'certificate.revoked');
    assert.equal(told.length, 1);
    // One that is on record is revoked as its vehicle's.
    const { certificate } = await cloud.credentials('veh-recorded');
    assert.equal(await revokeUnrecorded(context, certificate.serial, revocation), true);
    assert.ok((await cloud.eventsOf('veh-recorded')).includes('certificate.revoked'));
  });

  it('is answered by OCSP, also to what is no request', async () => {
    const answer = await cloud.stranger().ask('POST', '/pki/ocsp', { body: utf8('x') });
    assert.equal(answer.headers['content-type'], 'application/ocsp-response');
  });
});

describe('campaigns', () => {
  it('are listed for the client that asks its user', async () => {
    const answer = await client.ask('GET', '/campaigner/campaigns');
    assert.deepEqual(answer.json(), { campaigns: [] });
  });
});

describe('the registration of ECUs', () => {
  it('answers in the client’s words when an operator must approve, or the serial is another’s', async () => {
    const changed = new TestVehicle(vehicle.id, [
      ['TBOX-1', 'tbox-hw'],
      ['BRAKE-1', 'brake-hw'],
    ]);
    const body = JSON.stringify(changed.registration());
    const answer = await client.ask('POST', '/director/ecus', { body });
    assert.deepEqual([answer.status, answer.json()['code']], [409, 'ecu_replacement_disabled']);
    const thief = await cloud.client('veh-thief');
    const stolen = await thief.ask('POST', '/director/ecus', { body });
    assert.deepEqual([stolen.status, stolen.json()['code']], [409, 'ecu_reuse_not_allowed']);
  });
});
