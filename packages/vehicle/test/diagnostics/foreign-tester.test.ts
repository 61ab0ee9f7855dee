import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ask,
  controlRoutine,
  gainRights,
  programEcu,
  type ProgrammingPlan,
  readData,
  requestDownload,
  requestFileTransfer,
  resetEcu,
  ROUTINES,
  startSession,
  type UdsProcedure,
  writeData,
} from '@immota/bus';
import {
  type LinkCredential,
  primaryRoleOf,
  proveToEcu,
  type UdsEnvironment,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { handOver, readReport, recipientOf } from '../support/nodes.ts';
import { NOW, runUdsNode, type UdsNode } from '../support/uds-secondary.ts';
import {
  BRAKE,
  buildImage,
  makeVehicleWorld,
  offerOf,
  VEHICLE,
  type VehicleWorld,
} from '../support/vehicle-world.ts';

const ANNOUNCEMENT = 0xfd10;
const REFUSAL = 0xfd0f;
const STATUS = 0xfd03;

/** What a tester of another maker would say: its own frame around the offer, and no head. */
function announcement(name: string, lengthBytes: number): Uint8Array {
  const offer = Buffer.from(JSON.stringify({ name, lengthBytes }));
  return Buffer.concat([Buffer.of(offer.length >> 8, offer.length & 0xff), offer]);
}

function environmentOf(credential: LinkCredential, bytes: Uint8Array): UdsEnvironment {
  return {
    entropy,
    read: async (_source, offset, length) =>
      Promise.resolve(bytes.subarray(offset, offset + length)),
    prove: async (step) =>
      proveToEcu(step, {
        credential,
        vin: VEHICLE,
        ecuSerialNumber: BRAKE,
        ecuDnsName: undefined,
        now: NOW,
      }),
  };
}

function planOf(node: UdsNode, name: string, bytes: Uint8Array): ProgrammingPlan {
  return {
    flavour: 'programming',
    credential: {
      kind: 'certificate',
      certificate: Buffer.from(node.primary.certificatePem),
      isBidirectional: false,
    },
    identification: [0xf190],
    fingerprints: [{ identifier: ANNOUNCEMENT, record: announcement(name, bytes.length) }],
    isPreconditionChecked: false,
    blocks: [
      {
        source: 'image',
        dataFormat: 0,
        lengthBytes: bytes.length,
        block: 1,
        address: 0,
        checkOption: new Uint8Array(),
      },
    ],
    activation: { routine: 0xf030, option: new Uint8Array(), returnAttempts: 50, returnPauseMs: 5 },
  };
}

async function runWorkshopNode(
  test: Parameters<typeof runUdsNode>[0],
  world: VehicleWorld,
): Promise<UdsNode> {
  return await runUdsNode(test, world, {
    roleOf: (certificate) => (primaryRoleOf(certificate) === undefined ? undefined : 'workshop'),
  });
}

describe('a foreign tester with the rights of a workshop', () => {
  it('brings no software that nobody has signed for this ECU {uptane I10} {uptane K3}', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const rogue = await buildImage({ isEncrypted: false, lengthBytes: 3000 });
    const tester = ecu.tester();
    const plan = planOf(ecu, rogue.name, rogue.plain);
    await assert.rejects(tester.run(programEcu(plan), environmentOf(ecu.primary, rogue.plain)), {
      code: 'REFUSED',
      responseCode: 0x22,
    });
    assert.match(await text(ecu, REFUSAL), /ECU_REFUSED/);
    assert.ok(!ecu.wire.requests.some(([service]) => service === 0x36));
  });

  it('passes nothing else off under the name of what is assigned', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const built = await buildImage({ isEncrypted: false, lengthBytes: 3000 });
    await world.assign(built, undefined);
    await handOver(ecu.link, world);
    const wrong = built.plain.slice();
    wrong[1234] = (wrong[1234] ?? 0) ^ 0x80;
    const tester = ecu.tester();
    const plan = planOf(ecu, built.name, wrong);
    await assert.rejects(tester.run(programEcu(plan), environmentOf(ecu.primary, wrong)), {
      code: 'ROUTINE_FAILED',
    });
    assert.match(await text(ecu, STATUS), /"idle"/);
    // The same tester with the right bytes: nothing but the signature was in its way.
    await tester.run(
      programEcu(planOf(ecu, built.name, built.plain)),
      environmentOf(ecu.primary, built.plain),
    );
    assert.equal((await readReport(ecu.link)).report.installedImage.name, built.name);
  });

  it('brings back no older software that was once signed {uptane K7}', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const old = await buildImage({ name: 'brake/old.bin', isEncrypted: false, lengthBytes: 3000 });
    const built = await buildImage({ releaseCounter: 2, lengthBytes: 3000 });
    await world.assign(built, await recipientOf(ecu.link));
    await handOver(ecu.link, world);
    await ecu.link.sendImage(offerOf(built));
    await ecu.link.activate();
    await ecu.link.confirm();
    await world.assign(old, undefined);
    await assert.rejects(handOver(ecu.link, world), { code: 'ECU_REFUSED' });
    const plan = planOf(ecu, old.name, old.plain);
    await assert.rejects(
      ecu.tester().run(programEcu(plan), environmentOf(ecu.primary, old.plain)),
      {
        code: 'REFUSED',
      },
    );
    assert.equal((await readReport(ecu.link)).report.installedImage.name, built.name);
  });

  it('resumes nothing before it has said what comes, and brings nothing too large', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const run = async <Result>(procedure: UdsProcedure<Result>): Promise<Result> =>
      ecu.tester().run(withRights(ecu, procedure), environmentOf(ecu.primary, new Uint8Array()));
    const refused = { code: 'REFUSED' };
    await assert.rejects(
      run(ask(controlRoutine('start', ROUTINES.eraseMemory, Uint8Array.of(1, 1)))),
      refused,
    );
    const file = { mode: 'resume', path: 'uptane/image', dataFormat: 0, sizeBytes: 9 } as const;
    await assert.rejects(run(ask(requestFileTransfer(file))), refused);
    await assert.rejects(run(ask(writeData(ANNOUNCEMENT, announcement('a', 2 ** 33)))), refused);
    await assert.rejects(run(ask(writeData(ANNOUNCEMENT, announcement('', 5)))), refused);
    await assert.rejects(run(ask(writeData(ANNOUNCEMENT, Uint8Array.of(0, 9, 1)))), refused);
    const bundle = {
      mode: 'add',
      path: 'uptane/metadata',
      dataFormat: 0,
      sizeBytes: 2 ** 30,
    } as const;
    await assert.rejects(run(ask(requestFileTransfer(bundle))), refused);
    const secret = { mode: 'read', path: 'keys/identity', dataFormat: 0, sizeBytes: 0 } as const;
    await assert.rejects(run(ask(requestFileTransfer(secret))), refused);
    await assert.rejects(run(ask(controlRoutine('start', 0xf030))), refused);
  });
});

describe('a stranger', () => {
  it('reads who the ECU is, and neither orders nor writes anything', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const tester = ecu.tester();
    assert.equal(await text(ecu, 0xf190), VEHICLE);
    assert.equal(await text(ecu, 0xf18c), BRAKE);
    assert.equal(await text(ecu, 0xf191), 'brake-hw');
    await tester.ask(startSession('extended'));
    assert.deepEqual(await tester.ask(readData(0xf186)), Uint8Array.of(3));
    const unauthenticated = { responseCode: 0x34, code: 'REFUSED' };
    for (const routine of [0xf020, 0xf021, 0xf022, 0xf030, 0xf031, 0xf032, 0xff00, 0xff01]) {
      const call = controlRoutine('start', routine, new Uint8Array(16));
      await assert.rejects(tester.ask(call), unauthenticated);
    }
    const download = requestDownload({ dataFormat: 0, address: 0, sizeBytes: 9 });
    const file = { mode: 'add', path: 'uptane/metadata', dataFormat: 0, sizeBytes: 9 } as const;
    await assert.rejects(tester.ask(download), unauthenticated);
    await assert.rejects(tester.ask(requestFileTransfer(file)), unauthenticated);
    await assert.rejects(tester.ask(writeData(ANNOUNCEMENT, Uint8Array.of(1))), unauthenticated);
    await assert.rejects(tester.ask(resetEcu('hard')), unauthenticated);
    assert.ok(ecu.refused.length >= 12);
  });

  it('gets no role by the proof of another exchange, nor by another key', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    let kept: Uint8Array | undefined;
    const environment = environmentOf(ecu.primary, new Uint8Array());
    const first: UdsEnvironment = {
      ...environment,
      prove: async (step) => {
        kept = await environment.prove?.(step);
        return kept ?? new Uint8Array();
      },
    };
    await ecu.tester().run(withRights(ecu, nothing()), first);
    const replay = { ...environment, prove: async () => Promise.resolve(kept ?? new Uint8Array()) };
    const unproved = { code: 'REFUSED', responseCode: 0x58 };
    await assert.rejects(ecu.tester().run(withRights(ecu, nothing()), replay), unproved);
    // A proof made for another ECU or vehicle is none here.
    for (const peer of [{ ecuSerialNumber: 'ABS-2' }, { vin: 'WVWZZZ1JZ3W000000' }]) {
      const elsewhere: UdsEnvironment = {
        ...environment,
        prove: async (step) =>
          proveToEcu(step, {
            credential: ecu.primary,
            vin: VEHICLE,
            ecuSerialNumber: BRAKE,
            ecuDnsName: undefined,
            now: NOW,
            ...peer,
          }),
      };
      await assert.rejects(ecu.tester().run(withRights(ecu, nothing()), elsewhere), unproved);
    }
  });

  it('is refused with certificates that are none, or of others', async (test) => {
    const world = await makeVehicleWorld();
    const ecu = await runWorkshopNode(test, world);
    const show = async (certificate: Uint8Array): Promise<unknown> =>
      ecu.tester().run(
        (function* order(): UdsProcedure<undefined> {
          yield* ask(startSession('extended'));
          yield* gainRights({ kind: 'certificate', certificate, isBidirectional: false });
          return undefined;
        })(),
        environmentOf(ecu.primary, new Uint8Array()),
      );
    await assert.rejects(show(Uint8Array.of(1, 2)), { responseCode: 0x54, code: 'REFUSED' });
    const [leaf = ''] = ecu.primary.certificatePem.split(/(?<=END CERTIFICATE-----\n)/);
    await assert.rejects(show(Buffer.from(leaf)), { responseCode: 0x52, code: 'REFUSED' });
  });
});

function* withRights<Result>(ecu: UdsNode, order: UdsProcedure<Result>): UdsProcedure<Result> {
  yield* ask(startSession('extended'));
  const certificate = Buffer.from(ecu.primary.certificatePem);
  yield* gainRights({ kind: 'certificate', certificate, isBidirectional: false });
  const result = yield* order;
  yield* ask(startSession('default'));
  return result;
}

// oxlint-disable-next-line require-yield -- an order without a step
function* nothing(): UdsProcedure<undefined> {
  return undefined;
}

async function text(ecu: UdsNode, identifier: number): Promise<string> {
  const record = await ecu.tester(0x0e02).ask(readData(identifier));
  return Buffer.from(record).toString();
}
