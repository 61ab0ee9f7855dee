import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { attestTime } from '@immota/uptane';
import type { CheckInResult } from '@immota/vehicle';
import { NOW } from '../support/surroundings.ts';
import { makeWorld, TBOX, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

/** Drops every attestation on the way. */
function dropTime(world: World): void {
  world.gateway.intercept = (request, response) => {
    if (request.path !== '/director/time') return false;
    response.writeHead(404).end();
    return true;
  };
}

describe('checkIn() and the time', () => {
  it('reports the attested time and the one before {uptane J3}', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    world.gateway.time = NOW.add({ hours: 1 });
    await world.assignNothing();
    await primary.checkIn();
    world.gateway.time = NOW.add({ hours: 2 });
    await world.assignNothing();
    await primary.checkIn();
    const report = world.lastReport(TBOX);
    assert.equal(report['timeserver_time'], '2026-06-01T13:00:00Z');
    assert.equal(report['previous_timeserver_time'], '2026-06-01T12:00:00Z');
  });
  it('never takes an earlier time, not even after a boot {uptane G6}', async (test) => {
    const world = await makeWorld(test);
    const first = await world.run();
    await first.checkIn();
    await first.close();
    world.gateway.time = NOW.subtract({ hours: 1 });
    const second = await world.run();
    assert.equal(codeOf(await second.checkIn()), 'TIME_ATTESTATION');
    assert.match(world.lastAttacks(), /TIME_ATTESTATION/);
  });
  it('refuses a time before it was built {uptane G3}', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    world.gateway.time = Temporal.Instant.from('2026-04-30T00:00:00Z');
    assert.equal(codeOf(await primary.checkIn()), 'TIME_ATTESTATION');
  });
  it('refuses an attestation for another question', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    const replayed = await attestTime(NOW, ['00'.repeat(16)], [world.director.signers.time]);
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/director/time') return false;
      response.end(replayed);
      return true;
    };
    assert.equal(codeOf(await primary.checkIn()), 'TIME_ATTESTATION');
  });
  it('refuses an attestation by a stranger', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    world.director.signers.time = generateSigner('ed25519');
    assert.equal(codeOf(await primary.checkIn()), 'SIGNATURE_THRESHOLD');
  });
  it('trusts new keys of the time source once the Root names them, and a lower time with them', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    world.gateway.time = NOW.add({ hours: 24 * 300 });
    // The old key is stolen: a time far in the future bars the vehicle from its metadata.
    assert.equal(codeOf(await primary.checkIn()), 'EXPIRED');
    await world.director.rotate({ time: generateSigner('ed25519') });
    world.gateway.time = NOW;
    assert.equal(codeOf(await primary.checkIn()), 'nothing-new');
  });
  it('carries the time on while no attestation comes, as long as it may', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    dropTime(world);
    world.surroundings.advance(71 * HOUR_MS);
    assert.equal(codeOf(await primary.checkIn()), 'nothing-new');
    world.surroundings.advance(2 * HOUR_MS);
    await world.assignNothing();
    assert.equal(codeOf(await primary.checkIn()), 'TIME_UNAVAILABLE');
    assert.match(world.lastAttacks(), /TIME_UNAVAILABLE/);
  });
  it("fails closed when the machine's clock went back and nobody attests", async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    dropTime(world);
    world.surroundings.setClock(NOW.subtract({ hours: 1 }));
    await world.assignNothing();
    assert.equal(codeOf(await primary.checkIn()), 'TIME_UNAVAILABLE');
  });
  it('fails closed when nobody ever attested', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    dropTime(world);
    assert.equal(codeOf(await primary.checkIn()), 'TIME_UNAVAILABLE');
  });
});
