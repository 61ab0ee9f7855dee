import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { generateDecryptionKey } from '@immota/image';
import { generateSigner } from '@immota/pki';
import { parseHardwareIdentifier, parseVehicleIdentifier } from '@immota/uptane';
import type { SecondaryFactory } from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { handOver, readReport, recipientOf, runNode, type RunningNode } from '../support/nodes.ts';
import {
  type BuiltImage,
  buildImage,
  makeVehicleWorld,
  measure,
  offerOf,
  type VehicleWorld,
} from '../support/vehicle-world.ts';

const REFUSED = { code: 'ECU_REFUSED' };

/** A node that runs the image `brake/fw-2.bin`, release 2. */
async function programmedNode(
  test: Pick<TestContext, 'after'>,
  changes: Partial<SecondaryFactory> = {},
): Promise<RunningNode & { readonly world: VehicleWorld; readonly installed: BuiltImage }> {
  const world = await makeVehicleWorld();
  const node = await runNode(test, world, { factory: world.factory(changes) });
  const installed = await buildImage({ name: 'brake/fw-2.bin', releaseCounter: 2 });
  await install(node, world, installed);
  return { ...node, world, installed };
}

async function install(
  { link }: Pick<RunningNode, 'link'>,
  world: VehicleWorld,
  built: BuiltImage,
): Promise<void> {
  await world.assign(built, await recipientOf(link));
  await handOver(link, world);
  await link.sendImage(offerOf(built));
  await link.activate();
  await link.confirm();
}

/** The ECU refuses, says why in its next report, and takes the next honest update all the same. */
async function checkRefusal(
  node: Awaited<ReturnType<typeof programmedNode>>,
  code: string,
): Promise<void> {
  const { link, installed } = node;
  const { report } = await readReport(link);
  assert.match(report.attacksDetected, new RegExp(`^${code}: `));
  assert.equal(report.installedImage.name, installed.name);
}

async function checkRecovery({
  link,
  world,
}: Awaited<ReturnType<typeof programmedNode>>): Promise<void> {
  const next = await buildImage({ name: 'brake/fw-9.bin', releaseCounter: 9 });
  await install({ link }, world, next);
  assert.equal((await readReport(link)).report.installedImage.name, 'brake/fw-9.bin');
}

describe('a Secondary against a Primary that was taken over', () => {
  for (const verification of ['full', 'partial'] as const) {
    it(`refuses metadata that strangers signed, with ${verification} verification {uptane K2} {uptane L6} {uptane M1}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const evil = await buildImage({ name: 'brake/evil.bin', releaseCounter: 3 });
      await world.assign(evil, await recipientOf(link));
      await world.director.publish(generateSigner('ed25519'));
      await assert.rejects(() => handOver(link, world), REFUSED);
      await assert.rejects(() => link.sendImage(offerOf(evil)), REFUSED);
      await checkRefusal(node, 'SIGNATURE_THRESHOLD');
      await world.director.publish();
      await checkRecovery(node);
    });
    it(`refuses an older bundle, with ${verification} verification {uptane L10} {uptane M1}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const old = world.bundle();
      await world.publish();
      await handOver(link, world);
      await assert.rejects(() => link.putMetadata(old), REFUSED);
      await checkRefusal(node, 'ROLLBACK');
      await checkRecovery(node);
    });
    it(`refuses metadata that have run out at the attested time, with ${verification} verification {uptane G6} {uptane G7}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      world.now = Temporal.Instant.from('2031-01-01T00:00:00Z');
      await assert.rejects(() => handOver(link, world), REFUSED);
      await checkRefusal(node, 'EXPIRED');
    });
    it(`refuses metadata of another vehicle, with ${verification} verification {uptane B8}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const { vehicle } = world.director;
      world.director.vehicle = parseVehicleIdentifier('WVWZZZ1JZ3W000002');
      await world.publish();
      await assert.rejects(() => handOver(link, world), REFUSED);
      await checkRefusal(node, 'VEHICLE_MISMATCH');
      world.director.vehicle = vehicle;
      await checkRecovery(node);
    });
    it(`refuses an image for other hardware, with ${verification} verification {uptane K7} {uptane M3}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const other = await buildImage({ name: 'steering/fw.bin', releaseCounter: 3 });
      const hardwareId = parseHardwareIdentifier('steering-hw');
      await world.assign(other, await recipientOf(link), { hardwareId });
      await assert.rejects(() => handOver(link, world), REFUSED);
      await checkRefusal(node, 'HARDWARE_MISMATCH');
      await checkRecovery(node);
    });
    it(`refuses a lower release, also after a restart, with ${verification} verification {uptane K7} {uptane L4} {uptane M3}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const old = await buildImage({ name: 'brake/fw-1.bin', releaseCounter: 1 });
      await world.assign(old, await recipientOf(link));
      await assert.rejects(() => handOver(link, world), REFUSED);
      await checkRefusal(node, 'RELEASE_COUNTER');
      await node.restart();
      await assert.rejects(() => handOver(link, world), REFUSED);
      await checkRefusal(node, 'RELEASE_COUNTER');
      await checkRecovery(node);
    });
  }
  it('refuses an image that the Image repository does not know, with full verification {uptane L4}', async (test) => {
    const node = await programmedNode(test);
    const { link, world } = node;
    const evil = await buildImage({ name: 'brake/evil.bin', releaseCounter: 3 });
    await world.assign(evil, await recipientOf(link));
    world.image.files = world.image.files.filter(({ name }) => name !== evil.name);
    await world.publish();
    await assert.rejects(() => handOver(link, world), REFUSED);
    await checkRefusal(node, 'TARGET_UNKNOWN');
    await checkRecovery(node);
  });
  it('refuses an image that the Image repository states otherwise, with full verification {uptane L4} {uptane B9}', async (test) => {
    const node = await programmedNode(test);
    const { link, world } = node;
    const evil = await buildImage({ name: 'brake/evil.bin', releaseCounter: 3 });
    await world.assign(evil, await recipientOf(link));
    world.image.files = world.image.files.map((file) =>
      file.name === evil.name ? { ...file, ...measure(new Uint8Array(evil.plain.length)) } : file,
    );
    await world.publish();
    await assert.rejects(() => handOver(link, world), REFUSED);
    await checkRefusal(node, 'TARGET_MISMATCH');
    await checkRecovery(node);
  });
  it('concedes that a Director that was taken over too has its way with partial verification {uptane M2}', async (test) => {
    const { link, world } = await programmedNode(test, { verification: 'partial' });
    const evil = await buildImage({ name: 'brake/evil.bin', releaseCounter: 3 });
    await world.assign(evil, await recipientOf(link));
    world.image.files = [];
    await world.publish();
    await handOver(link, world);
    await link.sendImage(offerOf(evil));
    await link.activate();
    await link.confirm();
    assert.equal((await readReport(link)).report.installedImage.name, evil.name);
  });
});

describe('a Secondary and the bytes of an image', () => {
  it('asks for no byte before metadata have assigned the image {uptane I10} {uptane K3}', async (test) => {
    const world = await makeVehicleWorld();
    const { link } = await runNode(test, world);
    const built = await buildImage({});
    const pulls: number[] = [];
    await assert.rejects(() => link.sendImage(offerOf(built, { pulls })), REFUSED);
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    const renamed = { ...built, name: 'brake/other.bin' };
    await assert.rejects(() => link.sendImage(offerOf(renamed, { pulls })), REFUSED);
    const longer = { ...built, served: new Uint8Array([...built.served, 0]) };
    await assert.rejects(() => link.sendImage(offerOf(longer, { pulls })), REFUSED);
    assert.deepEqual(pulls, []);
    await link.sendImage(offerOf(built, { pulls }));
    assert.deepEqual(pulls, [0]);
  });
  it('refuses flipped, swapped and foreign chunks before they are whole {uptane K7}', async (test) => {
    const node = await programmedNode(test);
    const { link, world } = node;
    const built = await buildImage({ name: 'brake/fw-3.bin', releaseCounter: 3 });
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    const sealed = 16_384 + 16;
    const swapped = Uint8Array.from(built.served);
    swapped.set(built.served.subarray(76, 76 + sealed), 76 + sealed);
    swapped.set(built.served.subarray(76 + sealed, 76 + 2 * sealed), 76);
    const flipped = Uint8Array.from(built.served);
    flipped[50_000] = (flipped[50_000] ?? 0) ^ 1;
    const foreign = await buildImage({ plain: built.plain });
    for (const [served, code] of [
      [swapped, 'CHUNK_AUTHENTICATION'],
      [flipped, 'CHUNK_AUTHENTICATION'],
      [foreign.served, 'HEADER_AUTHENTICATION'],
    ] as const) {
      await assert.rejects(() => link.sendImage(offerOf({ name: built.name, served })), REFUSED);
      await checkRefusal(node, code);
      await link.drawTimeNonce();
      assert.deepEqual(await link.status(), {
        phase: 'idle',
        preparedSha256: undefined,
        canRevert: true,
      });
      await assert.rejects(() => link.activate(), REFUSED);
      await link.drawTimeNonce();
      await readReport(link);
      await link.drawTimeNonce();
    }
    await link.sendImage(offerOf(built));
    assert.equal((await link.status()).phase, 'prepared');
  });
  it('refuses a content key for another ECU, none at all, and one by a method it has not {uptane K7} {uptane B11}', async (test) => {
    const node = await programmedNode(test);
    const { link, world } = node;
    const own = await recipientOf(link);
    const other = generateDecryptionKey('classic', entropy).publicKey;
    const hybrid = generateDecryptionKey('hybrid', entropy).publicKey;
    const built = await buildImage({ name: 'brake/fw-3.bin', releaseCounter: 3 });
    for (const [recipient, ecu, code] of [
      [other, undefined, 'WRAP_AUTHENTICATION'],
      [hybrid, undefined, 'IMAGE_KEY'],
      [own, 'STEERING-1', undefined],
    ] as const) {
      await world.assign(built, recipient, ecu === undefined ? {} : { ecu });
      await handOver(link, world);
      await assert.rejects(() => link.sendImage(offerOf(built)), REFUSED);
      if (code !== undefined) await checkRefusal(node, code);
      await link.drawTimeNonce();
    }
    await world.assign(built, own);
    await handOver(link, world);
    await link.sendImage(offerOf(built));
  });
  it('refuses an image in the clear with another hash or too few bytes {uptane K7} {uptane I5}', async (test) => {
    const node = await programmedNode(test);
    const { link, world } = node;
    const built = await buildImage({
      name: 'brake/fw-3.bin',
      releaseCounter: 3,
      isEncrypted: false,
    });
    await world.assign(built, undefined);
    await handOver(link, world);
    const wrong = Uint8Array.from(built.plain);
    wrong[99_999] = (wrong[99_999] ?? 0) ^ 1;
    await assert.rejects(
      () => link.sendImage(offerOf({ name: built.name, served: wrong })),
      REFUSED,
    );
    await checkRefusal(node, 'IMAGE_HASH');
    assert.equal((await link.status()).phase, 'idle');
    const short = {
      ...offerOf(built),
      async *open(offsetBytes: number): AsyncGenerator<Uint8Array> {
        await Promise.resolve();
        yield built.plain.slice(offsetBytes, 50_000);
      },
    };
    await assert.rejects(() => link.sendImage(short), { code: 'ECU_UNREACHABLE' });
    assert.equal((await link.status()).phase, 'idle');
    await link.sendImage(offerOf(built));
    await link.activate();
    await link.confirm();
    assert.equal((await readReport(link)).report.installedImage.name, built.name);
  });
});

describe('a Secondary whose Director changes its mind', () => {
  for (const verification of ['full', 'partial'] as const) {
    it(`gives up an image that is withdrawn, and does not take it back from a replay, with ${verification} verification {uptane K5}`, async (test) => {
      const node = await programmedNode(test, { verification });
      const { link, world } = node;
      const built = await buildImage({ name: 'brake/fw-3.bin', releaseCounter: 3 });
      await world.assign(built, await recipientOf(link));
      await handOver(link, world);
      const assigned = world.bundle();
      await link.sendImage(offerOf(built));
      assert.equal((await link.status()).phase, 'prepared');
      world.director.files = [];
      await world.publish();
      await handOver(link, world);
      assert.equal((await link.status()).phase, 'idle');
      await assert.rejects(() => link.activate(), REFUSED);
      await assert.rejects(() => link.putMetadata(assigned), REFUSED);
      await checkRefusal(node, 'ROLLBACK');
      await checkRecovery(node);
    });
  }
  it('leaves alone what other ECUs are to install, and its own image when it runs already {uptane L10}', async (test) => {
    const { link, world, installed } = await programmedNode(test);
    await handOver(link, world);
    await assert.rejects(() => link.sendImage(offerOf(installed)), REFUSED);
    const other = await buildImage({ name: 'steering/fw.bin', releaseCounter: 1 });
    await world.assign(other, await recipientOf(link), {
      ecu: 'STEERING-1',
      hardwareId: 'steering-hw',
    });
    await handOver(link, world);
    assert.equal((await readReport(link)).report.attacksDetected, '');
  });
});
