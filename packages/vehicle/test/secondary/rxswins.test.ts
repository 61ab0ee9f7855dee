/** RXSWINs move with the software: in force when an image is final, and back with it {R156 7.1.1.3}. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { readData, startSession, writeData } from '@immota/bus';
import type { JsonValue } from '@immota/base';
import {
  openUdsClient,
  type ResumableSlots,
  type SecondaryOptions,
  type SelfTest,
  systemSurroundings,
} from '@immota/vehicle';
import { startEcuNode } from '../../src/assembly/ecu-node.ts';
import { createFlashBench, SMALL_PART } from '../support/flash-bench.ts';
import { makeFolder } from '../support/folder.ts';
import { handOver, linkCredentials, readReport, recipientOf, runNode } from '../support/nodes.ts';
import { runUdsNode } from '../support/uds-secondary.ts';
import { layUdsWire } from '../support/uds-wire.ts';
import { BRAKE, buildImage, makeVehicleWorld, offerOf } from '../support/vehicle-world.ts';

const PART = { ...SMALL_PART, sectors: Array.from({ length: 140 }, () => 4096) };
const FACTORY = [{ regulation: 'R79', rxswin: 'R79-0041' }];
const FIRST = [{ regulation: 'R79', rxswin: 'R79-0042' }];
const SECOND = [
  { regulation: 'R79', rxswin: 'R79-0043' },
  { regulation: 'R13', rxswin: 'R13-7' },
];

interface Bench {
  readonly node: Awaited<ReturnType<typeof runNode>>;
  /** What the last signed report names. */
  readonly reported: () => Promise<JsonValue | undefined>;
  /** Brings an image on trial. */
  readonly bring: (counter: number, rxswins?: JsonValue) => Promise<void>;
  /** Starts the ECU again. */
  readonly restart: () => Promise<void>;
  readonly sick: Set<string>;
}

type Kind = 'one-bank' | 'two-bank' | 'file-system';

async function makeBench(test: TestContext, kind: Kind): Promise<Bench> {
  const world = await makeVehicleWorld();
  const sick = new Set<string>();
  const flash = createFlashBench(kind === 'one-bank' ? 1 : 2, PART);
  const selfTest: SelfTest = {
    readTroubleCodes: () => Promise.resolve([]),
    check: (image) => Promise.resolve(!sick.has(image.name)),
  };
  const open = async (): Promise<ResumableSlots | undefined> =>
    kind === 'file-system' ? undefined : await flash.open({ selfTest });
  const options = async (): Promise<Partial<SecondaryOptions>> => ({
    slots: await open(),
    healthCheck: (image) => selfTest.check(image),
    factoryRxswins: FACTORY,
  });
  const node = await runNode(test, world, await options());
  return {
    node,
    sick,
    reported: async () => (await readReport(node.link)).report.custom['rxswins'],
    restart: async () => node.restart(await options()),
    bring: async (counter, rxswins) => {
      const built = await buildImage({ name: `brake/${counter}.bin`, releaseCounter: counter });
      const custom = rxswins === undefined ? {} : { rxswins };
      await world.assign(built, await recipientOf(node.link), { custom });
      await handOver(node.link, world);
      await node.link.sendImage(offerOf(built));
      await node.link.activate();
    },
  };
}

describe('RXSWINs of an ECU', () => {
  for (const kind of ['one-bank', 'two-bank', 'file-system'] as const) {
    it(`are those of the factory until an image is final, and then its own, with ${kind} {R156 7.2.1.2.1}`, async (test) => {
      const { node, reported, bring, restart } = await makeBench(test, kind);
      assert.deepEqual(await reported(), FACTORY);
      await bring(1, FIRST);
      assert.equal((await readReport(node.link)).report.custom['trial'], true);
      assert.deepEqual(await reported(), FACTORY);
      await node.link.confirm();
      assert.deepEqual(await reported(), FIRST);
      await bring(2, SECOND);
      assert.deepEqual(await reported(), FIRST);
      await restart();
      assert.deepEqual(await reported(), FIRST);
      await node.link.confirm();
      assert.deepEqual(await reported(), SECOND);
      await restart();
      assert.deepEqual(await reported(), SECOND);
    });
  }

  for (const kind of ['two-bank', 'file-system'] as const) {
    it(`stay when the image is taken back, with ${kind}`, async (test) => {
      const { node, reported, bring, restart } = await makeBench(test, kind);
      await bring(1, FIRST);
      await node.link.confirm();
      await bring(2, SECOND);
      await node.link.revert();
      assert.equal((await readReport(node.link)).report.installedImage.name, 'brake/1.bin');
      assert.deepEqual(await reported(), FIRST);
      await restart();
      assert.deepEqual(await reported(), FIRST);
    });
  }

  it('stay when the image falls back by itself, also where the boot loader is all that runs', async (test) => {
    for (const kind of ['one-bank', 'two-bank'] as const) {
      const { node, reported, bring, sick } = await makeBench(test, kind);
      await bring(1, FIRST);
      await node.link.confirm();
      sick.add('brake/2.bin');
      await bring(2, SECOND);
      const { installedImage } = (await readReport(node.link)).report;
      assert.equal(installedImage.name, kind === 'one-bank' ? 'noimage' : 'brake/1.bin');
      assert.deepEqual(await reported(), FIRST);
    }
  });

  it('stay with an image beside which nothing is said, and go where an empty list is signed', async (test) => {
    const { node, reported, bring } = await makeBench(test, 'two-bank');
    await bring(1);
    await node.link.confirm();
    assert.deepEqual(await reported(), FACTORY);
    await bring(2, FIRST);
    await node.link.confirm();
    await bring(3);
    await node.link.confirm();
    assert.deepEqual(await reported(), FIRST);
    await bring(4, []);
    await node.link.confirm();
    assert.deepEqual(await reported(), []);
  });

  const malformed: Readonly<Record<string, JsonValue>> = {
    'no list': 'R79-0042',
    'a regulation twice': [...FIRST, ...SECOND],
    'a control character': [{ regulation: 'R79', rxswin: 'R79\n42' }],
    'one without a number': [{ regulation: 'R79' }],
    'too many': Array.from({ length: 17 }, (_, index) => ({
      regulation: `R${index}`,
      rxswin: 'x',
    })),
  };
  for (const [what, rxswins] of Object.entries(malformed)) {
    it(`refuse metadata with ${what}`, async (test) => {
      const { node, reported, bring } = await makeBench(test, 'two-bank');
      await assert.rejects(bring(1, rxswins), { code: 'ECU_REFUSED' });
      assert.match((await readReport(node.link)).report.attacksDetected, /^MALFORMED: /);
      assert.deepEqual(await reported(), FACTORY);
    });
  }
});

describe('data identifier F18F', () => {
  it('is written by nobody, in no session {R156 7.2.1.2.3}', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world, { transfer: 'memory' });
    const written = writeData(0xf18f, Buffer.from('R79-9999'));
    const tester = node.tester();
    await assert.rejects(tester.ask(written), { code: 'REFUSED', responseCode: 0x31 });
    await tester.ask(startSession('extended'));
    await assert.rejects(tester.ask(written), { code: 'REFUSED', responseCode: 0x31 });
    await tester.close();
  });

  it('tells what the ECU reports', async (test) => {
    const world = await makeVehicleWorld();
    const { secondaries } = await linkCredentials();
    const credential = secondaries.get(BRAKE);
    assert.ok(credential !== undefined);
    const surroundings = systemSurroundings();
    const node = await startEcuNode({
      bundle: { factory: world.factory(), credential },
      folder: makeFolder(test),
      storage: { kind: 'file-system' },
      surroundings,
      rxswin: SECOND,
      onFailure: unexpected,
    });
    test.after(() => node.close());
    const wire = layUdsWire();
    node.serve(wire.endpoint);
    const { timer } = surroundings;
    const tester = openUdsClient({ channel: wire.connect(0x0e01), timer });
    test.after(() => tester.close());
    const record = await tester.ask(readData(0xf18f));
    assert.equal(Buffer.from(record).toString('utf8'), 'R79-0043;R13-7');
  });
});

function unexpected(error: unknown): never {
  throw error;
}
