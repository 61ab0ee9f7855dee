import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Authority,
  parseCertificatesPem,
  parseDeviceId,
  parseEnrolmentRequest,
  simpleEnrol,
} from '@immota/pki';
import { makeAuthorities, VALIDITY } from '../support/authorities.ts';
import { entropy } from '../support/folder.ts';
import type { Recorded } from '../support/gateway.ts';
import { NOW } from '../support/surroundings.ts';
import { makeWorld, VEHICLE, type World } from '../support/world.ts';

const EST = '/.well-known/est/simplereenroll';

interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: Uint8Array;
}
type Enrol = (world: World, request: Recorded) => Promise<Answer>;

/** Three quarters: the TLS of the server looks at the machine's clock, so no life may be short. */
const POLICY = { policy: { renewAtRemaining: 0.75 } };

/** A vehicle whose certificate is due in some hours, and a server that renews as it is told. */
async function ageing(
  test: Parameters<typeof makeWorld>[0],
  hoursUntilDue: number,
  enrol: Enrol,
): Promise<World> {
  const world = await makeWorld(test);
  const { notBefore } = VALIDITY;
  const ageHours = (NOW.epochMilliseconds - notBefore.epochMilliseconds) / 3_600_000;
  const notAfter = NOW.add({ hours: 3 * ageHours + 4 * hoursUntilDue });
  await world.provision({}, { notBefore, notAfter });
  world.gateway.intercept = async (request, response) => {
    if (request.path !== EST) return false;
    const { status, mediaType, body } = await enrol(world, request);
    response.writeHead(status, { 'content-type': mediaType }).end(body);
    return true;
  };
  return world;
}

async function answerBy(
  issuer: Authority,
  request: Recorded,
  notAfter: Temporal.Instant = VALIDITY.notAfter,
): Promise<Answer> {
  const message = { mediaType: request.headers['content-type'], body: request.body };
  const validity = { notBefore: VALIDITY.notBefore, notAfter };
  const permitted = parseDeviceId(VEHICLE);
  return (await simpleEnrol(message, permitted, { issuer, validity, entropy })).response;
}

function renewals(world: World): number {
  return world.gateway.requests.filter(({ path }) => path === EST).length;
}

describe('renewing the certificate', () => {
  it('happens when little enough of its life is left, and not before', async (test) => {
    const world = await ageing(test, 20, ({ authorities }, request) =>
      answerBy(authorities.devices, request),
    );
    const primary = await world.run(POLICY);
    await primary.checkIn();
    assert.equal(renewals(world), 0);
    // It is the attested time that counts: a wrong clock neither hastens nor hinders.
    world.surroundings.setClock(NOW.add({ hours: 24 * 3000 }));
    await world.assignNothing();
    await primary.checkIn();
    assert.equal(renewals(world), 0);
    world.gateway.time = NOW.add({ hours: 24 });
    await world.assignNothing();
    await primary.checkIn();
    assert.equal(renewals(world), 1);
    assert.equal(world.gateway.requests.at(-1)?.client, VEHICLE);
    assert.ok(world.progress.some(({ kind }) => kind === 'certificate-renewed'));
    await primary.checkIn();
    assert.equal(renewals(world), 1);
  });
  it('makes a new key, and the new certificate is used across boots', async (test) => {
    const seen: string[] = [];
    const world = await ageing(test, -1, ({ authorities }, request) => {
      const message = { mediaType: request.headers['content-type'], body: request.body };
      seen.push(parseEnrolmentRequest(message).request.publicKeyDer.toHex());
      return answerBy(authorities.devices, request);
    });
    const [old] = parseCertificatesPem(world.bundle.credential.certificatePem);
    const first = await world.run(POLICY);
    await first.checkIn();
    await first.close();
    const second = await world.run(POLICY);
    assert.equal((await second.checkIn()).kind, 'nothing-new');
    assert.equal(renewals(world), 1);
    assert.notEqual(seen[0], old?.publicKeyDer.toHex());
  });
  it('keeps the old certificate when the new one is not to be trusted', async (test) => {
    const stranger = await makeAuthorities('Another Root');
    const wrong: readonly Enrol[] = [
      (_world, request) => answerBy(stranger.devices, request),
      ({ authorities }, request) => answerBy(authorities.devices, request, NOW.add({ hours: 24 })),
      // oxlint-disable-next-line require-await -- the twin of those that issue
      async () => ({ status: 403, mediaType: 'text/plain', body: new Uint8Array() }),
      // oxlint-disable-next-line require-await -- the twin of those that issue
      async () => ({ status: 200, mediaType: 'text/html', body: new Uint8Array([60]) }),
    ];
    for (const [index, enrol] of wrong.entries()) {
      const world = await ageing(test, -1, enrol);
      const primary = await world.run(POLICY);
      assert.equal((await primary.checkIn()).kind, 'nothing-new', String(index));
      assert.equal(renewals(world), 1);
      await primary.checkIn();
      assert.match(world.lastAttacks(), /ENROLMENT_REFUSED/);
      await primary.close();
    }
  });
});
