import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseVehicleIdentifier, type TargetDescription } from '@immota/uptane';
import type { CheckInResult } from '@immota/vehicle';
import { makeAuthorities, makeServer } from '../support/authorities.ts';
import { startGateway } from '../support/gateway.ts';
import {
  BRAKE,
  CORRELATION,
  makeWorld,
  objectAt,
  TBOX,
  VEHICLE,
  type World,
} from '../support/world.ts';

/** What a check-in was refused with; the kind where it was not. */
function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

/** A vehicle that has registered, and an image for its Primary. */
async function prepared(
  test: Parameters<typeof makeWorld>[0],
  hasSecondary = false,
): Promise<{
  readonly world: World;
  readonly image: Awaited<ReturnType<World['addImage']>>;
  readonly checkIn: () => Promise<CheckInResult>;
}> {
  const world = await makeWorld(test, { hasSecondary });
  const primary = await world.run();
  await primary.checkIn();
  const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  return { world, image, checkIn: () => primary.checkIn() };
}

function installed(world: World): unknown {
  return objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'];
}

function attacks(world: World): string {
  const reports = world.gateway
    .bodies('/director/manifest')
    .map((body) => objectAt(body, ['signed', 'ecu_version_manifests', TBOX, 'signed']));
  return JSON.stringify(reports.map((report) => report['attacks_detected']));
}

/** Nothing was fetched from where images lie. */
function assertNoImageFetched(world: World): void {
  assert.ok(world.gateway.paths().every((path) => !path.includes('/repo/targets/')));
}

describe('checkIn() under attack', () => {
  it('refuses a flipped byte in any metadata file, and recovers {uptane I10}', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    await world.assign({ [TBOX]: image });
    for (const path of [
      '/director/timestamp.json',
      '/director/snapshot.json',
      '/director/targets.json',
      '/repo/timestamp.json',
      '/repo/snapshot.json',
      '/repo/targets.json',
    ]) {
      world.gateway.intercept = (request, response) => {
        if (request.path !== path) return false;
        const [repository = '', name = ''] = path.slice(1).split('/');
        const source = repository === 'director' ? world.director : world.image;
        const bytes = Uint8Array.from(source.files.get(name) ?? []);
        // Within a signature's base64, so that the document still parses.
        const at = Buffer.from(bytes).indexOf('"sig":"') + 20;
        bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41;
        response.end(bytes);
        return true;
      };
      const result = await checkIn();
      assert.equal(result.kind, 'refused', path);
      assert.ok(['SIGNATURE_THRESHOLD', 'METADATA_HASH'].includes(codeOf(result)), path);
    }
    assertNoImageFetched(world);
    world.gateway.intercept = () => false;
    assert.equal((await checkIn()).kind, 'installed');
    assert.match(attacks(world), /SIGNATURE_THRESHOLD: director timestamp/);
  });
  it('refuses metadata that do not end, and reads no more than their limit', async (test) => {
    const { world, checkIn } = await prepared(test);
    for (const path of ['/director/2.root.json', '/director/timestamp.json']) {
      await world.assignNothing();
      world.gateway.intercept = (request, response) => {
        if (request.path !== path) return false;
        response.write(Buffer.alloc(1_000_000, 0x20));
        return true;
      };
      assert.equal(codeOf(await checkIn()), 'ENDLESS_DATA', path);
    }
    assert.match(attacks(world), /ENDLESS_DATA/);
  });
  it('refuses metadata that come drop by drop {uptane I9}', async (test) => {
    const { world, checkIn } = await prepared(test);
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/targets.json') return false;
      response.write('{', () => world.surroundings.advance(60_000));
      return true;
    };
    await world.assignNothing();
    assert.equal(codeOf(await checkIn()), 'SLOW_RETRIEVAL');
    world.gateway.intercept = () => false;
    await checkIn();
    assert.match(attacks(world), /SLOW_RETRIEVAL/);
  });
  it('refuses old metadata played again {uptane L8}', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    const old = world.director.photograph();
    await world.assign({ [TBOX]: image });
    assert.equal((await checkIn()).kind, 'installed');
    for (const [name, bytes] of old) world.director.files.set(name, bytes);
    assert.equal(codeOf(await checkIn()), 'ROLLBACK');
    assert.match(attacks(world), /ROLLBACK/);
  });
  it('refuses metadata of another vehicle, and its own are not barred by them {uptane B8}', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    await world.assign({ [TBOX]: image });
    const own = world.director.photograph();
    world.director.version += 10;
    const vehicleIdentifier = parseVehicleIdentifier('WVWZZZ1JZXW000002');
    await world.director.publish({ files: [], vehicleIdentifier });
    assert.equal(codeOf(await checkIn()), 'VEHICLE_MISMATCH');
    for (const [name, bytes] of own) world.director.files.set(name, bytes);
    assert.equal((await checkIn()).kind, 'installed');
  });
  it('refuses metadata that have run out at the attested time {uptane G4}', async (test) => {
    const { world, checkIn } = await prepared(test);
    // Nothing new for a month: the conditional request stops to be believed in time.
    world.surroundings.advance(24 * 3_600_000);
    world.gateway.time = world.director.expires;
    assert.equal(codeOf(await checkIn()), 'EXPIRED');
    await world.assignNothing();
    assert.equal(codeOf(await checkIn()), 'EXPIRED');
    world.director.expires = world.director.expires.add({ hours: 1 });
    await world.assignNothing();
    assert.equal(codeOf(await checkIn()), 'nothing-new');
  });
  it('refuses what the repositories do not agree on, and tells the Director which update', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    const cases: readonly (readonly [string, (target: TargetDescription) => TargetDescription])[] =
      [
        ['TARGET_MISMATCH', (target) => ({ ...target, lengthBytes: target.lengthBytes + 1 })],
        ['TARGET_UNKNOWN', (target) => ({ ...target, name: 'tbox/unknown.bin' })],
        [
          'TARGET_MISMATCH',
          ({ custom, ...target }) => ({
            ...target,
            custom: { ...custom, mustMatch: { releaseCounter: 2 } },
          }),
        ],
        [
          'HARDWARE_MISMATCH',
          ({ custom, ...target }) => ({
            ...target,
            custom: { ...custom, ecuIdentifiers: { [TBOX]: { hardwareId: 'other-hw' } } },
          }),
        ],
        [
          'ECU_UNKNOWN',
          ({ custom, ...target }) => ({
            ...target,
            custom: { ...custom, ecuIdentifiers: { STRANGER: { hardwareId: 'tbox-hw' } } },
          }),
        ],
      ];
    for (const [code, edit] of cases) {
      await world.assign({ [TBOX]: image }, {}, edit);
      assert.equal(codeOf(await checkIn()), code);
      const report = objectAt(world.lastManifest(), ['installation_report', 'report']);
      assert.equal(report['correlation_id'], CORRELATION);
      assert.equal(objectAt(report, ['result'])['code'], 'VERIFICATION_FAILED');
      assert.ok(world.lastAttacks().includes(code));
    }
    assertNoImageFetched(world);
    assert.equal(installed(world), 'unknown');
  });
  it('refuses a release counter below the installed one {uptane K7}', async (test) => {
    const { world, checkIn } = await prepared(test);
    const newer = await world.addImage('tbox/fw-5.bin', 'tbox-hw', { releaseCounter: 5 });
    const older = await world.addImage('tbox/fw-4.bin', 'tbox-hw', { releaseCounter: 4 });
    await world.assign({ [TBOX]: newer });
    assert.equal((await checkIn()).kind, 'installed');
    await world.assign({ [TBOX]: older });
    assert.equal(codeOf(await checkIn()), 'RELEASE_COUNTER');
    assert.equal(installed(world), 'tbox/fw-5.bin');
  });
  it('refuses a ciphertext with a flipped byte and passes nothing on {uptane I10}', async (test) => {
    const { world, checkIn } = await prepared(test, true);
    const image = await world.addImage('brake/fw-2.bin', 'brake-hw');
    await world.assign({ [BRAKE]: image });
    const forged = Uint8Array.from(image.cipherBytes);
    forged[5000] = (forged[5000] ?? 0) ^ 1;
    world.gateway.images.set(image.cipher.name, forged);
    const result = await checkIn();
    assert.equal(result.kind, 'failed');
    assert.deepEqual(world.secondary?.received, []);
    const report = objectAt(world.lastManifest(), ['installation_report', 'report']);
    assert.equal(objectAt(report, ['result'])['code'], 'DOWNLOAD_FAILED');
    assert.match(attacks(world), /IMAGE_HASH/);
  });
  it('refuses an image whose plaintext is not the signed one {uptane K7}', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    const other = await world.addImage('tbox/fw-3.bin', 'tbox-hw');
    // A Director that serves another image's ciphertext under this one's name.
    const { cipher } = other;
    await world.assign({ [TBOX]: image }, {}, ({ custom, ...target }) => ({
      ...target,
      custom: {
        ...custom,
        encryption: {
          ...objectAt(custom, ['encryption']),
          filename: cipher.name,
          length: cipher.lengthBytes,
          hashes: Object.fromEntries(cipher.hashes),
        },
      },
    }));
    const result = await checkIn();
    assert.equal(result.kind === 'failed' && result.results[0]?.code, 'VERIFICATION_FAILED');
    assert.equal(installed(world), 'unknown');
  });
  it('refuses a key that was wrapped for another ECU {uptane K7}', async (test) => {
    const { world, image, checkIn } = await prepared(test, true);
    await world.assign({ [TBOX]: image }, {}, ({ custom, ...target }) => {
      const encryption = objectAt(custom, ['encryption']);
      const value = image.wrapFor(BRAKE, world.recipientOf(BRAKE)).toBase64();
      const keys = { [TBOX]: { method: 'hpke-x25519', value } };
      return { ...target, custom: { ...custom, encryption: { ...encryption, keys } } };
    });
    const result = await checkIn();
    assert.match(
      result.kind === 'failed' ? (result.results[0]?.description ?? '') : result.kind,
      /^WRAP_AUTHENTICATION/,
    );
    for (const keys of [{}, { [TBOX]: { method: 'rot13', value: '' } }]) {
      await world.assign(
        { [TBOX]: image },
        { correlationId: 'urn:other' },
        ({ custom, ...target }) => ({
          ...target,
          custom: { ...custom, encryption: { ...objectAt(custom, ['encryption']), keys } },
        }),
      );
      const again = await checkIn();
      assert.match(
        again.kind === 'failed' ? (again.results[0]?.description ?? '') : again.kind,
        /^IMAGE_KEY/,
      );
    }
  });
  it('tells the Director of a source that fed it drop by drop {uptane I9}', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    await world.assign({ [TBOX]: image });
    let isSlow = true;
    world.gateway.intercept = (request, response) => {
      if (!request.path.includes('/repo/targets/') || !isSlow) return false;
      isSlow = false;
      response.writeHead(200, { 'content-length': image.cipherBytes.length });
      response.write(image.cipherBytes.subarray(0, 1000), () => {
        world.surroundings.advance(60_000);
      });
      return true;
    };
    assert.equal((await checkIn()).kind, 'installed');
    assert.match(attacks(world), /SLOW_RETRIEVAL/);
  });
  it('follows no redirect of the gateway', async (test) => {
    const { world, checkIn } = await prepared(test);
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/timestamp.json') return false;
      response.writeHead(302, { location: `${world.gateway.origin}/elsewhere` }).end();
      return true;
    };
    assert.equal(codeOf(await checkIn()), 'REDIRECT');
    assert.ok(!world.gateway.paths().includes('GET /elsewhere'));
  });
  it('speaks with no server that its factory does not vouch for', async (test) => {
    const world = await makeWorld(test);
    const { director, image } = world;
    const strangers = await makeAuthorities('Another Root');
    const cases = [
      await startGateway({ authorities: strangers, director, image }),
      await startGateway({
        authorities: world.authorities,
        director,
        image,
        credential: await makeServer(world.authorities, { dnsNames: ['elsewhere.example.com'] }),
      }),
    ];
    for (const gateway of cases) {
      test.after(() => gateway.close());
      await world.provision({ server: gateway.origin });
      const primary = await world.run();
      assert.equal(codeOf(await primary.checkIn()), 'SERVER_UNTRUSTED');
      assert.deepEqual(gateway.requests, []);
      await primary.close();
    }
    await world.provision({ server: world.gateway.origin });
    const primary = await world.run();
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
    assert.match(attacks(world), /SERVER_UNTRUSTED/);
  });
  it('shows its certificate to its gateway and to nobody else', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    const cdn = await startGateway({
      authorities: world.authorities,
      director: world.director,
      image: world.image,
      isPublic: true,
    });
    test.after(() => cdn.close());
    cdn.images.set('a/b', image.cipherBytes);
    const uri = `${cdn.origin}/repo/targets/a/b?signature=1`;
    cdn.images.set('a/b?signature=1', image.cipherBytes);
    await world.assign({ [TBOX]: image }, {}, ({ custom, ...target }) => ({
      ...target,
      custom: { ...custom, uri },
    }));
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(
      cdn.requests.map(({ client }) => client),
      [undefined],
    );
    assert.ok(world.gateway.requests.every(({ client }) => client === VEHICLE));
    assertNoImageFetched(world);
  });
  it('takes no image over plain HTTP, whoever signed the address', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    await world.assign({ [TBOX]: image }, {}, ({ custom, ...target }) => ({
      ...target,
      custom: { ...custom, uri: 'http://127.0.0.1:1/image' },
    }));
    assert.equal((await checkIn()).kind, 'installed');
    assert.ok(world.gateway.paths().some((path) => path.includes('/repo/targets/')));
  });
  it('never stores what was not verified', async (test) => {
    const { world, image, checkIn } = await prepared(test);
    await world.assign({ [TBOX]: image });
    const good = world.director.photograph();
    const timestamp = Buffer.from(good.get('timestamp.json') ?? []);
    const edited = timestamp.toString().replace(/"version":\d+/, '"version":999');
    world.director.files.set('timestamp.json', Buffer.from(edited));
    assert.equal(codeOf(await checkIn()), 'SIGNATURE_THRESHOLD');
    for (const [name, bytes] of good) world.director.files.set(name, bytes);
    assert.equal((await checkIn()).kind, 'installed');
  });
});
