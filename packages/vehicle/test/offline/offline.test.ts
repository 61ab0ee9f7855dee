import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parseVehicleIdentifier } from '@immota/uptane';
import { type CheckInResult, policyConsent, type Primary } from '@immota/vehicle';
import { createFolderFetcher } from '../../src/offline/folder-fetcher.ts';
import { makeFolder } from '../support/folder.ts';
import { BRAKE, makeWorld, objectAt, TBOX, type TestImage, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

/** Writes a stick: what the gateway would serve at this moment. */
function writeStick(world: World, name: string): string {
  const stick = world.pathOf(name);
  const write = (path: string, bytes: Uint8Array): void => {
    mkdirSync(dirname(join(stick, path)), { recursive: true });
    writeFileSync(join(stick, path), bytes);
  };
  for (const [file, bytes] of world.director.files) write(`director/${file}`, bytes);
  for (const [file, bytes] of world.image.files) write(`repo/${file}`, bytes);
  for (const [file, bytes] of world.gateway.images) write(`repo/targets/${file}`, bytes);
  return stick;
}

/** A vehicle that was online once, and then its network was cut. */
async function parked(test: Parameters<typeof makeWorld>[0]): Promise<{
  readonly world: World;
  readonly primary: Primary;
  readonly own: TestImage;
  readonly brake: TestImage;
}> {
  const world = await makeWorld(test, { hasSecondary: true });
  const primary = await world.run();
  await primary.checkIn();
  const own = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  const brake = await world.addImage('brake/fw-2.bin', 'brake-hw');
  return { world, primary, own, brake };
}

describe('updateFromFolder()', () => {
  it('updates all ECUs without a network, and tells the Director when there is one', async (test) => {
    const { world, primary, own, brake } = await parked(test);
    await world.assign({ [TBOX]: own, [BRAKE]: brake });
    const stick = writeStick(world, 'stick');
    const before = world.gateway.requests.length;
    world.surroundings.advance(48 * HOUR_MS);
    world.gateway.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    assert.equal((await primary.updateFromFolder(stick)).kind, 'installed');
    assert.equal(world.secondary?.running?.name, 'brake/fw-2.bin');
    assert.equal(world.gateway.requests.length, before);
    world.gateway.intercept = () => false;
    await primary.checkIn();
    assert.equal(
      objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'],
      'tbox/fw-2.bin',
    );
    const results = world.gateway
      .bodies('/director/manifest')
      .map((body) => objectAt(body, ['signed', 'installation_report', 'report', 'result'])['code'])
      .filter((code) => code !== undefined);
    assert.equal(results.at(-1), 'OK');
  });
  it('asks the owner all the same', async (test) => {
    const { world, primary, own } = await parked(test);
    await primary.close();
    const careful = await world.run({ consent: policyConsent('never'), secondaries: [] });
    await world.assign({ [TBOX]: own });
    const result = await careful.updateFromFolder(writeStick(world, 'stick'));
    assert.equal(codeOf(result), 'CONSENT_DECLINED');
  });
  it('refuses what it would refuse online', async (test) => {
    const { world, primary, own } = await parked(test);
    const old = writeStick(world, 'old');
    await world.assign({ [TBOX]: own });
    const { path, bytes } = {
      path: 'repo/targets/tbox/fw-2.bin.enc',
      bytes: Uint8Array.from(own.cipherBytes),
    };
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    const flipped = writeStick(world, 'flipped');
    writeFileSync(join(flipped, path), bytes);
    const result = await primary.updateFromFolder(flipped);
    assert.equal(result.kind === 'failed' && result.results[0]?.code, 'DOWNLOAD_FAILED');
    // What came before what it has seen by now.
    assert.equal(codeOf(await primary.updateFromFolder(old)), 'ROLLBACK');
    await world.assign({ [TBOX]: own });
    const forged = writeStick(world, 'forged');
    const targets = Buffer.from(world.director.files.get('targets.json') ?? []);
    const edited = targets.toString().replace(/"length":2/, '"length":3');
    writeFileSync(join(forged, 'director/targets.json'), edited);
    assert.equal(codeOf(await primary.updateFromFolder(forged)), 'METADATA_HASH');
    const vehicleIdentifier = parseVehicleIdentifier('WVWZZZ1JZXW000002');
    await world.director.publish({ files: [], vehicleIdentifier });
    const foreign = await primary.updateFromFolder(writeStick(world, 'foreign'));
    assert.equal(codeOf(foreign), 'VEHICLE_MISMATCH');
    assert.equal(codeOf(await primary.checkIn()), 'VEHICLE_MISMATCH');
    assert.match(world.lastAttacks(), /VEHICLE_MISMATCH/);
  });
  it('refuses once its last attested time is too old {uptane G4}', async (test) => {
    const { world, primary, own } = await parked(test);
    await world.assign({ [TBOX]: own });
    const stick = writeStick(world, 'stick');
    world.surroundings.advance(91 * 24 * HOUR_MS);
    assert.equal(codeOf(await primary.updateFromFolder(stick)), 'TIME_UNAVAILABLE');
  });
  it('refuses metadata that have run out on the stick', async (test) => {
    const { world, primary, own } = await parked(test);
    await world.assign({ [TBOX]: own });
    const stick = writeStick(world, 'stick');
    world.surroundings.advance(31 * 24 * HOUR_MS);
    assert.equal(codeOf(await primary.updateFromFolder(stick)), 'EXPIRED');
  });
  it('refuses a folder that is no update', async (test) => {
    const { world, primary } = await parked(test);
    await assert.rejects(primary.updateFromFolder(world.pathOf('empty')), {
      code: 'OFFLINE_MALFORMED',
    });
  });
});

describe('createFolderFetcher()', () => {
  const ORIGIN = 'https://gateway.example.com';
  const { signal } = new AbortController();
  const ask = async (
    folder: string,
    url: string,
    range?: string,
  ): Promise<readonly [number, string]> => {
    const headers = range === undefined ? {} : { range };
    const fetcher = createFolderFetcher(folder, ORIGIN);
    const response = await fetcher.fetch({ method: 'GET', url, headers, signal });
    let text = '';
    for await (const bytes of response.body) text += Buffer.from(bytes).toString();
    return [response.status, text];
  };
  it('serves files, whole and from an offset on', async (test) => {
    const folder = makeFolder(test);
    mkdirSync(join(folder, 'repo'));
    writeFileSync(join(folder, 'repo', 'ä b.json'), 'content');
    assert.deepEqual(await ask(folder, `${ORIGIN}/repo/%C3%A4%20b.json`), [200, 'content']);
    assert.deepEqual(await ask(folder, `${ORIGIN}/repo/%C3%A4%20b.json`, 'bytes=3-'), [
      206,
      'tent',
    ]);
    assert.deepEqual(await ask(folder, `${ORIGIN}/repo/%C3%A4%20b.json`, 'bytes=8-'), [416, '']);
  });
  it('serves nothing outside the two repositories, and nothing outside the folder', async (test) => {
    const outer = makeFolder(test);
    const folder = join(outer, 'stick');
    mkdirSync(join(folder, 'repo', 'deep'), { recursive: true });
    writeFileSync(join(outer, 'secret'), 'secret');
    writeFileSync(join(folder, 'config.json'), '{}');
    for (const url of [
      `${ORIGIN}/repo/..%2F..%2Fsecret`,
      `${ORIGIN}/repo/%2E%2E/%2E%2E/secret`,
      `${ORIGIN}/repo/deep%5C..%5C..%5Csecret`,
      `${ORIGIN}/repo/%00`,
      `${ORIGIN}/repo/%ZZ`,
      `${ORIGIN}/repo/deep`,
      `${ORIGIN}/repo/missing`,
      `${ORIGIN}/repo/deep/missing/more`,
      `${ORIGIN}/repo//etc/passwd`,
      `${ORIGIN}/config.json`,
      'https://elsewhere.example.com/repo/x',
    ]) {
      assert.deepEqual(await ask(folder, url), [404, ''], url);
    }
  });
  it('takes nothing in', async (test) => {
    const fetcher = createFolderFetcher(makeFolder(test), ORIGIN);
    const url = `${ORIGIN}/director/manifest`;
    assert.equal((await fetcher.fetch({ method: 'PUT', url, signal })).status, 404);
    fetcher.close();
  });
});
