import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTargetName } from '@immota/uptane';
import type { ImageOffer } from '@immota/vehicle';
import { handOver, readReport, recipientOf } from '../support/nodes.ts';
import { runUdsNode, type UdsNode, type UdsNodeOptions } from '../support/uds-secondary.ts';
import {
  type BuiltImage,
  buildImage,
  makeVehicleWorld,
  offerOf,
  type VehicleWorld,
} from '../support/vehicle-world.ts';

const CASES: readonly (readonly [string, UdsNodeOptions])[] = [
  ['as memory', { transfer: 'memory' }],
  ['as memory in the programming session', { transfer: 'memory', flavour: 'programming' }],
  ['as a file', { transfer: 'file' }],
  ['in short messages', { transfer: 'memory', messageMaxBytes: 2048 }],
  ['in long messages', { transfer: 'file', messageMaxBytes: 65_536 }],
];
const NONCE = '00112233445566778899aabbccddeeff';

/** Makes a world in which an image is assigned, and the ECU knows it. */
async function assigned(
  node: UdsNode,
  world: VehicleWorld,
  changes: Parameters<typeof buildImage>[0] = {},
): Promise<BuiltImage> {
  const built = await buildImage({ lengthBytes: 200_000, ...changes });
  await world.assign(built, await recipientOf(node.link));
  await handOver(node.link, world);
  return built;
}

/** Breaks the wire once so many bytes were read. */
function cuttingOffer(node: UdsNode, built: BuiltImage, atBytes: number): ImageOffer {
  const whole = offerOf(built, { partBytes: 1000 });
  let isFirst = true;
  return {
    ...whole,
    open: async function* open(offsetBytes): AsyncGenerator<Uint8Array> {
      let position = offsetBytes;
      for await (const bytes of whole.open(offsetBytes)) {
        position += bytes.length;
        if (isFirst && position > atBytes) {
          isFirst = false;
          node.wire.cut(true);
          setImmediate(() => node.wire.cut(false));
        }
        yield bytes;
      }
    },
  };
}

describe('openUdsSecondaryLink()', () => {
  for (const [name, options] of CASES) {
    it(`updates an ECU ${name} {uptane I6} {uptane J4}`, async (test) => {
      const world = await makeVehicleWorld();
      const node = await runUdsNode(test, world, options);
      const { link } = node;
      const built = await assigned(node, world);
      assert.equal((await link.status()).phase, 'idle');
      await link.sendImage(offerOf(built));
      assert.equal((await link.status()).phase, 'prepared');
      await link.activate();
      const { report } = await readReport(link, NONCE);
      assert.equal(report.installedImage.name, built.name);
      assert.equal((await link.status()).phase, 'trial');
      await link.confirm();
      assert.equal((await link.status()).phase, 'idle');
      assert.deepEqual(node.fingerprints.at(-1), Uint8Array.of(1, 2, 3));
    });
  }

  it('takes an image in the clear, and goes back from a trial', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world);
    const { link } = node;
    const first = await assigned(node, world, { isEncrypted: false, lengthBytes: 5000 });
    await link.sendImage(offerOf(first));
    await link.activate();
    await link.confirm();
    const second = await assigned(node, world, { name: 'brake/fw-2.bin', releaseCounter: 2 });
    await link.sendImage(offerOf(second));
    await link.activate();
    assert.equal((await readReport(link)).report.installedImage.name, second.name);
    await link.revert();
    assert.equal((await readReport(link)).report.installedImage.name, first.name);
  });

  it('does nothing for an image that the ECU has whole', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world);
    const built = await assigned(node, world);
    await node.link.sendImage(offerOf(built));
    node.wire.requests.length = 0;
    await node.link.sendImage(offerOf(built));
    assert.ok(!node.wire.requests.some(([service]) => service === 0x36));
  });

  for (const transfer of ['memory', 'file'] as const) {
    it(`goes on where a broken carrier stopped it, as ${transfer} {uptane I8}`, async (test) => {
      const world = await makeVehicleWorld();
      const node = await runUdsNode(test, world, { transfer });
      const built = await assigned(node, world);
      await node.link.sendImage(cuttingOffer(node, built, 120_000));
      assert.equal((await node.link.status()).phase, 'prepared');
      const blocks = node.wire.requests.filter(([service]) => service === 0x36);
      const sentBytes = blocks.reduce((sum, block) => sum + block.length - 2, 0);
      // One chunk of 16 KiB and some blocks twice, and not all of it.
      assert.ok(sentBytes < built.served.length + 40_000, `${sentBytes}`);
      await node.link.activate();
      assert.equal((await readReport(node.link)).report.installedImage.name, built.name);
    });

    it(`goes on after a restart of the ECU, as ${transfer} {uptane I8}`, async (test) => {
      const world = await makeVehicleWorld();
      const node = await runUdsNode(test, world, { transfer });
      const built = await assigned(node, world);
      const broken = offerOf(built, { partBytes: 1000 });
      const dying: ImageOffer = {
        ...broken,
        open: async function* open(offsetBytes): AsyncGenerator<Uint8Array> {
          let position = offsetBytes;
          for await (const bytes of broken.open(offsetBytes)) {
            position += bytes.length;
            if (position > 100_000) throw new TypeError('the source failed');
            yield bytes;
          }
        },
      };
      await assert.rejects(node.link.sendImage(dying), TypeError);
      await node.restart();
      node.wire.requests.length = 0;
      await node.link.sendImage(offerOf(built));
      const blocks = node.wire.requests.filter(([service]) => service === 0x36);
      const sentBytes = blocks.reduce((sum, block) => sum + block.length - 2, 0);
      assert.ok(sentBytes < 140_000, `${sentBytes}`);
      await node.link.activate();
      assert.equal((await readReport(node.link)).report.installedImage.name, built.name);
    });
  }

  it('sends a block again when its answer is lost', async (test) => {
    const world = await makeVehicleWorld();
    let answers = 0;
    const node = await runUdsNode(test, world, {
      p2Ms: 30,
      isLost: (message) => {
        if (message[0] !== 0x76) return false;
        answers += 1;
        return answers % 10 === 3;
      },
    });
    const built = await assigned(node, world, { lengthBytes: 60_000 });
    await node.link.sendImage(offerOf(built));
    assert.equal((await node.link.status()).phase, 'prepared');
  });

  it('tells the status in the middle of a transfer', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world);
    const built = await assigned(node, world);
    const offer = offerOf(built, { partBytes: 50_000 });
    const phases: string[] = [];
    await node.link.sendImage({
      ...offer,
      open: async function* open(offsetBytes): AsyncGenerator<Uint8Array> {
        for await (const bytes of offer.open(offsetBytes)) {
          yield bytes;
          phases.push((await node.link.status()).phase);
        }
      },
    });
    assert.ok(phases.includes('receiving'), phases.join());
  });

  it('reads long documents in blocks', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world, { messageMaxBytes: 2048 });
    const options = { factory: { ...world.factory(), profile: 'hybrid' as const } };
    const hybrid = await runUdsNode(test, world, { messageMaxBytes: 2048, secondary: options });
    assert.equal((await node.link.getInfo()).identity.algorithm, 'ed25519');
    const info = await hybrid.link.getInfo();
    assert.ok((info.encryptionKeyDocument?.length ?? 0) > 2048);
    await hybrid.link.report(NONCE);
    assert.ok(hybrid.wire.requests.some(([service]) => service === 0x38));
    assert.ok(!node.wire.requests.some(([service]) => service === 0x38));
  });
});

describe('openUdsSecondaryLink(): refusals', () => {
  it('refuses an image that metadata do not assign, or whose bytes are wrong {uptane I10} {uptane K3}', async (test) => {
    const world = await makeVehicleWorld();
    for (const transfer of ['memory', 'file'] as const) {
      const node = await runUdsNode(test, world, { transfer });
      const built = await assigned(node, world);
      const other = { ...offerOf(built), name: parseTargetName('brake/other.bin') };
      await assert.rejects(node.link.sendImage(other), { code: 'ECU_REFUSED' });
      const longer = { ...offerOf(built), lengthBytes: built.served.length + 1 };
      await assert.rejects(node.link.sendImage(longer), { code: 'ECU_REFUSED' });
      const wrong = built.served.slice();
      wrong[150_000] = (wrong[150_000] ?? 0) ^ 1;
      const tampered = offerOf({ ...built, served: wrong });
      await assert.rejects(node.link.sendImage(tampered), {
        code: 'ECU_REFUSED',
        message: /CHUNK/,
      });
      assert.equal((await node.link.status()).phase, 'idle');
      await assert.rejects(node.link.activate(), { code: 'ECU_REFUSED', message: /SLOT_EMPTY/ });
    }
  });

  it('refuses metadata and time that are not to be trusted, with the code of the ECU {uptane I6}', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world);
    const stranger = await makeVehicleWorld();
    const nonce = await node.link.drawTimeNonce();
    await assert.rejects(node.link.putTime(await stranger.attest(nonce)), {
      code: 'ECU_REFUSED',
      message: /SIGNATURE/,
    });
    await node.link.putTime(await world.attest(await node.link.drawTimeNonce()));
    await assert.rejects(node.link.putMetadata(stranger.bundle()), { code: 'ECU_REFUSED' });
    await assert.rejects(node.link.putMetadata(new Map([['x', new Uint8Array(9)]])), {
      code: 'ECU_REFUSED',
    });
    await node.link.putMetadata(world.bundle());
  });

  it('refuses an older release, as over the air {uptane K7}', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world);
    const built = await assigned(node, world, { releaseCounter: 5 });
    await node.link.sendImage(offerOf(built));
    await node.link.activate();
    await node.link.confirm();
    await assert.rejects(assigned(node, world, { name: 'brake/old.bin', releaseCounter: 4 }), {
      code: 'ECU_REFUSED',
    });
  });

  it('tells an ECU that is away from one that refuses', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world, { p2Ms: 5 });
    node.wire.cut(true);
    await assert.rejects(node.link.status(), { code: 'ECU_UNREACHABLE' });
    node.wire.cut(false);
    assert.equal((await node.link.status()).phase, 'idle');
    await node.link.close();
    await assert.rejects(node.link.status(), { code: 'CLOSED' });
  });

  it('gets nothing done by an ECU that sees no role in its certificate', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world, { roleOf: () => undefined });
    await assert.rejects(node.link.report(NONCE), {
      code: 'ECU_REFUSED',
      message: /certificateInvalidScope/,
    });
  });
});
