import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import {
  attestTime,
  checkSignedBy,
  decodeReport,
  publicKeyFromDer,
  UptaneFault,
} from '@immota/uptane';
import { loadSecondaryBundle, saveSecondaryBundle } from '@immota/vehicle';
import { makeFolder } from '../support/folder.ts';
import { manualSurroundings } from '../support/manual-timer.ts';
import { handOver, linkCredentials, readReport, recipientOf, runNode } from '../support/nodes.ts';
import {
  BRAKE,
  buildImage,
  BUILT_AT,
  makeVehicleWorld,
  offerOf,
} from '../support/vehicle-world.ts';

const REFUSED = { code: 'ECU_REFUSED' };
const HOUR = Temporal.Duration.from({ hours: 1 });

describe('a Secondary’s time', () => {
  it('is the one from the factory until an attestation comes, and then that one {uptane G3} {uptane G5}', async (test) => {
    const world = await makeVehicleWorld();
    const { link, restart } = await runNode(test, world);
    assert.ok((await readReport(link)).report.timeAttested.equals(BUILT_AT));
    await link.putTime(await world.attest(await link.drawTimeNonce()));
    const first = world.now;
    world.now = world.now.add(HOUR);
    await link.putTime(await world.attest(await link.drawTimeNonce()));
    await restart();
    const { report } = await readReport(link);
    assert.ok(report.timeAttested.equals(world.now));
    assert.ok(report.timePrevious.equals(first));
  });
  it('takes no attestation for another nonce, none twice, and none that it did not ask for {uptane G6}', async (test) => {
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world);
    await assert.rejects(async () => link.putTime(await world.attest('ab'.repeat(16))), REFUSED);
    const nonce = await link.drawTimeNonce();
    const attestation = await world.attest(nonce);
    await assert.rejects(async () => link.putTime(await world.attest('ab'.repeat(16))), REFUSED);
    await link.putTime(attestation);
    await assert.rejects(() => link.putTime(attestation), REFUSED);
    assert.notEqual(await link.drawTimeNonce(), nonce);
    await assert.rejects(() => link.putTime(attestation), REFUSED);
    assert.match((await readReport(link)).report.attacksDetected, /^TIME_ATTESTATION: /);
  });
  it('takes none that a stranger signed, and never goes back {uptane G4} {uptane G6}', async (test) => {
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world);
    const stranger = generateSigner('ed25519');
    const forged = await attestTime(world.now, [await link.drawTimeNonce()], [stranger]);
    await assert.rejects(() => link.putTime(forged), REFUSED);
    await link.putTime(await world.attest(await link.drawTimeNonce()));
    const before = world.now;
    world.now = world.now.subtract(HOUR);
    await assert.rejects(
      async () => link.putTime(await world.attest(await link.drawTimeNonce())),
      REFUSED,
    );
    assert.ok((await readReport(link)).report.timeAttested.equals(before));
  });
  it('is carried on by the ECU’s own timer, so that metadata run out without a new attestation {uptane G7}', async (test) => {
    const world = await makeVehicleWorld();
    const surroundings = manualSurroundings();
    const { link } = await runNode(test, world, { surroundings });
    world.director.expires = world.now.add(HOUR);
    await world.publish();
    await handOver(link, world);
    surroundings.advance(3_599_000);
    await world.publish();
    await link.putMetadata(world.bundle());
    surroundings.advance(2000);
    await world.publish();
    await assert.rejects(() => link.putMetadata(world.bundle()), REFUSED);
    assert.match((await readReport(link)).report.attacksDetected, /EXPIRED/);
  });
  for (const verification of ['full', 'partial'] as const) {
    it(`follows the Director’s Root to new keys of the time source, with ${verification} verification {uptane G1} {uptane L7} {uptane M2}`, async (test) => {
      const world = await makeVehicleWorld();
      const factory = world.factory({ verification });
      const { link } = await runNode(test, world, { factory });
      world.now = world.now.add({ hours: 24 * 900 });
      await link.putTime(await world.attest(await link.drawTimeNonce()));
      // The lost key had pushed the time far ahead; a new one takes over.
      world.director.timeSigner = generateSigner('ed25519');
      await world.director.publishRoot();
      world.now = Temporal.Instant.from('2026-12-01T00:00:00Z');
      const attestation = await world.attest(await link.drawTimeNonce());
      await assert.rejects(() => link.putTime(attestation), REFUSED);
      await link.putMetadata(world.bundle());
      assert.ok((await readReport(link)).report.timeAttested.equals(world.now));
    });
  }
  it('refuses metadata together with an attestation that the new Root does not know either', async (test) => {
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world);
    const forged = await attestTime(
      world.now,
      [await link.drawTimeNonce()],
      [generateSigner('ed25519')],
    );
    await assert.rejects(() => link.putTime(forged), REFUSED);
    await assert.rejects(() => link.putMetadata(world.bundle()), REFUSED);
    await handOver(link, world);
  });
});

describe('a Secondary’s report', () => {
  it('names nothing installed, is signed by the ECU’s own key and answers the nonce {uptane J1} {uptane J3}', async (test) => {
    const { link } = await runNode(test, await makeVehicleWorld());
    const { identity } = await link.getInfo();
    const nonce = 'cd'.repeat(16);
    const { report, document } = await readReport(link, nonce);
    assert.equal(report.ecuIdentifier, BRAKE);
    assert.equal(report.installedImage.name, 'noimage');
    assert.equal(report.installedImage.lengthBytes, 0);
    assert.deepEqual(report.custom, {
      nonce,
      releaseCounter: 0,
      trial: false,
      boot: { slot: null, health: 'healthy' },
    });
    const key = publicKeyFromDer(identity.algorithm, identity.publicKeyDer);
    checkSignedBy(decodeReport(document).envelope, key, 'report');
    const other = generateSigner('ed25519');
    assert.throws(
      () => {
        const stranger = publicKeyFromDer('ed25519', other.publicKeyDer);
        checkSignedBy(decodeReport(document).envelope, stranger, 'report');
      },
      (error) => error instanceof UptaneFault && error.code === 'REPORT_SIGNATURE',
    );
  });
  it('counts up with every report, also over restarts, so that none passes twice {uptane J3} {uptane E5}', async (test) => {
    const { link, restart } = await runNode(test, await makeVehicleWorld());
    const counters: (number | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      counters.push((await readReport(link)).report.counter);
      counters.push((await readReport(link)).report.counter);
      await restart();
    }
    assert.deepEqual(counters, [1, 2, 3, 4, 5, 6]);
  });
  it('tells how the last attempt ended, and from which slot the ECU runs {uptane J4} {uptane K6}', async (test) => {
    const world = await makeVehicleWorld();
    let isHealthy = true;
    const { link } = await runNode(test, world, {
      healthCheck: () => Promise.resolve(isHealthy),
    });
    const one = await buildImage({ name: 'brake/fw-1.bin', releaseCounter: 1 });
    await world.assign(one, await recipientOf(link));
    await handOver(link, world);
    await link.sendImage(offerOf(one));
    await link.activate();
    const tried = (await readReport(link)).report.custom;
    assert.equal(tried['trial'], true);
    assert.equal((await link.status()).phase, 'trial');
    await link.confirm();
    const good = (await readReport(link)).report.custom;
    assert.equal(good['trial'], false);
    assert.deepEqual(good['boot'], { slot: 'a', health: 'healthy' });
    assert.equal(good['releaseCounter'], 1);
    isHealthy = false;
    const two = await buildImage({ name: 'brake/fw-2.bin', releaseCounter: 2 });
    await world.assign(two, await recipientOf(link));
    await handOver(link, world);
    await link.sendImage(offerOf(two));
    await link.activate();
    const { report } = await readReport(link);
    assert.equal(report.installedImage.name, 'brake/fw-1.bin');
    assert.equal(report.custom['releaseCounter'], 1);
    assert.deepEqual(report.custom['boot'], { slot: 'a', health: 'fallback' });
    assert.deepEqual(report.custom['lastInstallation'], {
      name: 'brake/fw-2.bin',
      result: 'fell-back',
      reason: 'the self test failed',
    });
  });
  it('repeats an attack until a new cycle begins after it was told {uptane J3} {uptane I9}', async (test) => {
    const world = await makeVehicleWorld();
    const { link, restart } = await runNode(test, world);
    await world.director.publish(generateSigner('ed25519'));
    await assert.rejects(() => handOver(link, world), REFUSED);
    await restart();
    await link.drawTimeNonce();
    const { attacksDetected } = (await readReport(link)).report;
    assert.match(attacksDetected, /^SIGNATURE_THRESHOLD: /);
    // The manifest did not get through: the Primary asks again.
    assert.equal((await readReport(link)).report.attacksDetected, attacksDetected);
    await link.drawTimeNonce();
    assert.equal((await readReport(link)).report.attacksDetected, '');
  });
});

describe('the hybrid profile', () => {
  it('signs with ML-DSA-65 and unwraps with X-Wing {uptane H4} {uptane K7}', async (test) => {
    const world = await makeVehicleWorld();
    const factory = world.factory({ profile: 'hybrid' });
    const { link } = await runNode(test, world, { factory });
    assert.equal((await link.getInfo()).identity.algorithm, 'ml-dsa-65');
    const built = await buildImage({});
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    await link.sendImage(offerOf(built));
    await link.activate();
    assert.equal((await readReport(link)).report.installedImage.name, built.name);
  });
});

describe('saveSecondaryBundle() and loadSecondaryBundle()', () => {
  it('gives back what the factory knows, and names what is missing {uptane H2} {uptane H3}', async (test) => {
    const world = await makeVehicleWorld();
    const credential = (await linkCredentials()).secondaries.get(BRAKE);
    assert.ok(credential !== undefined);
    for (const verification of ['full', 'partial'] as const) {
      const folder = makeFolder(test);
      const imageRoot = verification === 'full' ? world.factory().imageRoot : undefined;
      const factory = world.factory({ verification, imageRoot });
      assert.throws(() => loadSecondaryBundle(folder), { code: 'BUNDLE_MALFORMED' });
      saveSecondaryBundle(folder, { factory, credential });
      assert.deepEqual(loadSecondaryBundle(folder), { factory, credential });
    }
  });
  it('refuses to verify fully without a Root of the Image repository {uptane H3}', async (test) => {
    const world = await makeVehicleWorld();
    const factory = world.factory({ imageRoot: undefined });
    await assert.rejects(async () => runNode(test, world, { factory }), {
      code: 'BUNDLE_MALFORMED',
    });
  });
});
