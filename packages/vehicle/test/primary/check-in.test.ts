import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CheckInResult, type Primary, VehicleFault } from '@immota/vehicle';
import { BRAKE, makeWorld, objectAt, TBOX, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

/** What is asked during one check-in. */
async function asked(world: World, primary: Primary): Promise<readonly string[]> {
  const before = world.gateway.requests.length;
  await primary.checkIn();
  return world.gateway.paths().slice(before);
}

describe('checkIn()', () => {
  it("asks in the standard's order {uptane I1}", async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    assert.deepEqual(await asked(world, primary), [
      'POST /director/ecus',
      'POST /director/ecu-keys',
      'PUT /director/manifest',
      'POST /director/time',
      'GET /director/2.root.json',
      'GET /director/timestamp.json',
      'GET /director/snapshot.json',
      'GET /director/targets.json',
    ]);
  });
  it('asks one small thing on an open connection when nothing is new', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    const { connections } = world.gateway;
    assert.deepEqual(await asked(world, primary), ['GET /director/timestamp.json']);
    assert.ok(world.gateway.requests.at(-1)?.headers['if-none-match'] !== undefined);
    assert.equal(world.gateway.connections, connections);
  });
  it('resumes its TLS session on a new connection', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    world.gateway.cut();
    await primary.checkIn();
    assert.equal(world.gateway.requests.at(-1)?.isResumed, true);
  });
  it('runs a full cycle again after a day, whatever it is told', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    world.surroundings.advance(24 * HOUR_MS);
    assert.ok((await asked(world, primary)).includes('PUT /director/manifest'));
  });
  it('does not believe that nothing is new once its Timestamp has run out {uptane L8}', async (test) => {
    const world = await makeWorld(test);
    const { director, surroundings, gateway } = world;
    director.expires = surroundings.clock.now().add({ hours: 2 });
    await world.assignNothing();
    const primary = await world.run();
    await primary.checkIn();
    surroundings.advance(2 * HOUR_MS);
    gateway.time = surroundings.clock.now();
    assert.equal(codeOf(await primary.checkIn()), 'EXPIRED');
  });
  it('registers once, and again when an ECU is another', async (test) => {
    const world = await makeWorld(test);
    const first = await world.run();
    await first.checkIn();
    await first.close();
    const second = await world.run();
    assert.ok(!(await asked(world, second)).includes('POST /director/ecus'));
    await second.close();
    const third = await world.run({ profile: 'hybrid' });
    await third.checkIn();
    // The identity stays the ECU's own; its second decryption key is handed in.
    assert.equal(world.gateway.bodies('/director/ecu-keys').length, 2);
  });
  it('answers for every Secondary that was ever heard of, and alone {uptane I2}', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const primary = await world.run();
    await primary.checkIn();
    await assert.rejects(world.run({ secondaries: [] }), { code: 'STATE_BUSY' });
    const { secondary } = world;
    const silent = new VehicleFault('ECU_UNREACHABLE', 'Cannot reach: silent');
    for (const method of ['getInfo', 'report'] as const) secondary?.broken.set(method, silent);
    await world.assign({ [BRAKE]: await world.addImage('brake/fw-2.bin', 'brake-hw') });
    // It is known still, so that its update is no stranger's; only its turn has to wait.
    assert.equal(codeOf(await primary.checkIn()), 'ECU_UNREACHABLE');
    secondary?.broken.clear();
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.equal(secondary?.running?.name, 'brake/fw-2.bin');
  });
  it('registers in the form of the dialect, the Primary first {uptane F3}', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const primary = await world.run();
    await primary.checkIn();
    const [body] = world.gateway.bodies('/director/ecus');
    const ecus = JSON.stringify(body?.['ecus']);
    assert.match(
      ecus,
      /^\[\{"ecu_serial":"TBOX-1","hardware_identifier":"tbox-hw","clientKey":\{"keytype":"ED25519","keyval":\{"public":"[0-9A-F]{64}"\}\}\},\{"ecu_serial":"BRAKE-1"/,
    );
  });
  it('goes on when the Director refuses a manifest, and tells again what it was to hear', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image });
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/manifest') return false;
      response.writeHead(403).end();
      return true;
    };
    assert.equal((await primary.checkIn()).kind, 'installed');
    world.gateway.intercept = () => false;
    await primary.checkIn();
    const report = objectAt(world.lastManifest(), ['installation_report', 'report', 'result']);
    assert.equal(report['code'], 'OK');
    await world.assignNothing();
    await primary.checkIn();
    assert.equal(world.lastManifest()['installation_report'], undefined);
  });
  it('counts its reports up, across boots too {uptane E5}', async (test) => {
    const world = await makeWorld(test);
    for (let boot = 0; boot < 3; boot += 1) {
      const primary = await world.run();
      await primary.checkIn();
      await primary.close();
    }
    const counters = world.gateway
      .bodies('/director/manifest')
      .map(
        (body) =>
          objectAt(body, ['signed', 'ecu_version_manifests', TBOX, 'signed'])['report_counter'],
      );
    assert.deepEqual(counters, ['1', '2', '3']);
  });
  it('refuses to go on when the Director does not take its ECUs', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/ecus') return false;
      response.writeHead(409).end('{"code":"ecu_already_registered"}');
      return true;
    };
    assert.equal(codeOf(await primary.checkIn()), 'REGISTRATION_REFUSED');
    assert.deepEqual(world.gateway.paths(), ['POST /director/ecus']);
  });
  it('goes on with the ECUs that are registered while another waits for a word {uptane F3}', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const silent = new VehicleFault('ECU_UNREACHABLE', 'Cannot reach: it boots');
    world.secondary?.broken.set('getInfo', silent);
    const primary = await world.run();
    await primary.checkIn();
    world.secondary?.broken.clear();
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/ecus') return false;
      response.writeHead(409).end('{"code":"ecu_already_registered"}');
      return true;
    };
    world.surroundings.advance(24 * HOUR_MS);
    assert.ok((await asked(world, primary)).includes('PUT /director/manifest'));
    world.gateway.intercept = () => false;
    // Not before the day is over: what waits is asked for at each check-in.
    assert.ok((await asked(world, primary)).includes('POST /director/ecus'));
    assert.deepEqual(await asked(world, primary), ['GET /director/timestamp.json']);
  });
  it('is one at a time: who asks meanwhile waits for the same', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    const [one, two] = await Promise.all([primary.checkIn(), primary.checkIn()]);
    assert.equal(one, two);
    assert.equal(world.gateway.bodies('/director/manifest').length, 1);
  });
  it('survives a server that is not there, and reports a server that fails', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    world.gateway.intercept = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    assert.equal(codeOf(await primary.checkIn()), 'HTTP_STATUS');
    assert.equal(world.gateway.requests.length, 3);
    world.gateway.intercept = () => false;
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
    await world.gateway.close();
    await world.assignNothing();
    assert.equal(codeOf(await primary.checkIn()), 'NETWORK');
  });
  it('ends with its Primary', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    world.gateway.intercept = () => {
      resolve();
      return true;
    };
    const running = primary.checkIn();
    const refused = assert.rejects(running, { code: 'CLOSED' });
    await reached;
    await primary.close();
    await refused;
    await assert.rejects(primary.checkIn(), { code: 'CLOSED' });
    await primary.close();
  });
});

describe('wake()', () => {
  it('leads to one check-in, however often it comes, and not too soon after the last', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run({ policy: { checkInSpacingMs: 60_000 } });
    await primary.checkIn();
    await world.assignNothing();
    const before = world.gateway.requests.length;
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    world.gateway.intercept = () => {
      resolve();
      return false;
    };
    for (let count = 0; count < 100; count += 1) primary.wake();
    assert.equal(world.gateway.requests.length, before);
    world.surroundings.advance(60_000);
    await seen;
    await primary.checkIn();
    assert.equal(world.gateway.bodies('/director/manifest').length, 2);
  });
});

describe('polling', () => {
  it('checks in at start and then at intervals that differ from vehicle to vehicle', async (test) => {
    const world = await makeWorld(test);
    const seen = (path: string): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      world.gateway.intercept = (request) => {
        if (request.path === path) resolve();
        return false;
      };
      return promise;
    };
    const started = seen('/director/targets.json');
    const primary = await world.run({ policy: { pollIntervalMs: 1_000_000, pollJitter: 0.5 } });
    await started;
    await primary.checkIn();
    const polled = seen('/director/timestamp.json');
    world.surroundings.advance(499_999);
    const { length } = world.gateway.requests;
    world.surroundings.advance(1_000_001);
    await polled;
    await primary.checkIn();
    assert.ok(world.gateway.requests.length > length);
  });
});
