/** A whole vehicle over its own buses: six ECUs on Ethernet and two CAN buses, with the gateway between. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseHardwareIdentifier, parseTargetName } from '@immota/uptane';
import {
  createVehicleLinkCredentials,
  type FactoryImage,
  keepFactoryImages,
  layoutOf,
  type LinkCredential,
  openTboxLinks,
  parseTopology,
  type Primary,
  programAtFactory,
  type Refusal,
  saveSecondaryBundle,
  startVehicleNetwork,
  systemSurroundings,
  type VehicleNetwork,
  type VehicleTopology,
} from '@immota/vehicle';
import { entropy } from './folder.ts';
import { makeWorld, objectAt, TBOX, VEHICLE, type World } from './world.ts';

/** Six ECUs on Ethernet and two CAN buses; two of them have one bank. */
const TOPOLOGY: VehicleTopology = parseTopology(
  Buffer.from(
    JSON.stringify({
      tester: 0x0e80,
      gateway: 'GATEWAY-1',
      buses: [
        { name: 'chassis', nominalBps: 500_000, dataBps: 2_000_000 },
        { name: 'body', nominalBps: 500_000 },
      ],
      ecus: [
        ethernet('GATEWAY-1', 0x1001, { kind: 'two-bank', part: 'stm32h7' }),
        ethernet('IVI-1', 0x1002, { kind: 'file-system' }),
        can('BRAKE-1', 0x1003, 'chassis', 0x720, { kind: 'two-bank', part: 'stm32f4' }),
        can('BATTERY-1', 0x1004, 'chassis', 0x721, { kind: 'two-bank', part: 'nrf52840' }),
        {
          ...can('DOOR-1', 0x1005, 'body', 0x730, { kind: 'one-bank', part: 'stm32f0' }),
          rxswin: 'R79 DOOR 1',
        },
        can('LIGHT-1', 0x1006, 'body', 0x731, { kind: 'one-bank', part: 'stm32g4' }),
      ],
      obd: {
        bus: 'obd',
        nominalBps: 500_000,
        ecus: [
          { ecu: 'GATEWAY-1', requestId: 0x7e0, responseId: 0x7e8 },
          { ecu: 'BRAKE-1', requestId: 0x7e1, responseId: 0x7e9 },
          { ecu: 'DOOR-1', requestId: 0x7e2, responseId: 0x7ea },
          { ecu: 'LIGHT-1', requestId: 0x18da10f1, responseId: 0x18daf110 },
        ],
      },
    }),
  ),
);

function ethernet(ecu: string, address: number, storage: object): object {
  return { ecu, address, storage, place: { kind: 'ethernet' } };
}

// A tuple of a line in the table above.
// oxlint-disable-next-line max-params
function can(
  ecu: string,
  address: number,
  bus: string,
  requestId: number,
  storage: object,
): object {
  return {
    ecu,
    address,
    storage,
    place: { kind: 'can', bus, requestId, responseId: requestId + 8 },
  };
}

/** A vehicle that runs. */
export interface Car {
  readonly world: World;
  readonly primary: Primary;
  readonly network: VehicleNetwork;
  readonly sick: Set<string>;
  readonly refusals: Refusal[];
  /** The T-BOX's own. */
  readonly credential: LinkCredential;
}

/** Builds a vehicle, starts it, and closes it with the test. */
export async function makeCar(
  test: TestContext,
  { isParked }: { readonly isParked?: () => boolean } = {},
): Promise<Car> {
  const world = await makeWorld(test);
  const surroundings = { ...world.surroundings, timer: systemSurroundings().timer };
  const folder = world.pathOf('car');
  const ecus = TOPOLOGY.ecus.map(({ ecu }) => ecu);
  const { primary: credential, secondaries } = await createVehicleLinkCredentials({
    vehicleIdentifier: VEHICLE,
    secondaries: ecus,
    entropy,
  });
  for (const ecuIdentifier of ecus) {
    const own = secondaries.get(ecuIdentifier);
    assert.ok(own !== undefined);
    saveSecondaryBundle(join(folder, 'ecus', ecuIdentifier), {
      credential: own,
      factory: {
        vehicleIdentifier: VEHICLE,
        ecuIdentifier,
        hardwareIdentifier: hardwareOf(ecuIdentifier),
        verification: ecuIdentifier === 'LIGHT-1' ? 'partial' : 'full',
        profile: 'classic',
        builtAt: Temporal.Instant.from('2026-05-01T00:00:00Z'),
        directorRoot: world.director.pinnedRoot,
        imageRoot: world.image.pinnedRoot,
      },
    });
  }
  keepFactoryImages(
    world.pathOf('primary'),
    await Promise.all(['DOOR-1', 'LIGHT-1'].map((ecu) => programOldImage(folder, ecu))),
  );
  const sick = new Set<string>();
  const refusals: Refusal[] = [];
  const failures: unknown[] = [];
  const network = await startVehicleNetwork({
    topology: TOPOLOGY,
    folder,
    surroundings,
    isFlashPaced: false,
    isParked,
    healthCheck: (ecu) => () => Promise.resolve(!sick.has(ecu)),
    onRefusal: (refusal) => refusals.push(refusal),
    onFailure: (error) => failures.push(error),
  });
  const { entities } = network;
  const links = openTboxLinks({
    topology: TOPOLOGY,
    vehicleIdentifier: VEHICLE,
    credential,
    entities,
    surroundings,
  });
  test.after(async () => {
    await links.close();
    await network.close();
    assert.deepEqual(failures, []);
  });
  const primary = await world.run({ secondaries: links.links, layout: layoutOf(TOPOLOGY) });
  await primary.checkIn();
  return { world, primary, network, sick, refusals, credential };
}

/** Programs the image that an ECU leaves the factory with. */
async function programOldImage(folder: string, ecu: string): Promise<FactoryImage> {
  const plan = TOPOLOGY.ecus.find((one) => one.ecu === ecu)?.storage;
  assert.ok(plan !== undefined);
  const bytes = new Uint8Array(randomBytes(40_000));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const image = {
    name: parseTargetName(`${ecu}/fw-1.bin`),
    lengthBytes: bytes.length,
    hashes: new Map([['sha256', sha256] as const]),
    releaseCounter: 0,
  };
  const own = join(folder, 'ecus', ecu, 'own');
  const options = { folder: own, plan, hardwareIdentifier: hardwareOf(ecu) };
  await programAtFactory(options, image, async function* open(offsetBytes) {
    await Promise.resolve();
    yield bytes.subarray(offsetBytes);
  });
  const path = join(folder, `${ecu}.bin`);
  writeFileSync(path, bytes);
  return { ecu, sha256, name: image.name, lengthBytes: bytes.length, path };
}

/** The hardware of an ECU. */
export function hardwareOf(ecu: string): ReturnType<typeof parseHardwareIdentifier> {
  return parseHardwareIdentifier(`${ecu.toLowerCase()}-hw`);
}

/** Uploads a first image for every ECU. */
export async function addImages(
  world: World,
): Promise<Record<string, Awaited<ReturnType<World['addImage']>>>> {
  const images: Record<string, Awaited<ReturnType<World['addImage']>>> = {
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw'),
  };
  for (const { ecu } of TOPOLOGY.ecus) {
    images[ecu] = await world.addImage(`${ecu}/fw-2.bin`, hardwareOf(ecu));
  }
  return images;
}

/** What every ECU said last that it runs. */
export function runs(world: World): Readonly<Record<string, unknown>> {
  const reports = objectAt(world.lastManifest(), ['ecu_version_manifests']);
  return Object.fromEntries(
    Object.keys(reports).map((ecu) => [
      ecu,
      objectAt(reports, [ecu, 'signed', 'installed_image'])['filepath'],
    ]),
  );
}

/** What they run with the images of `addImages`. */
export const NEW: Readonly<Record<string, string>> = Object.fromEntries([
  [TBOX, 'tbox/fw-2.bin'],
  ...TOPOLOGY.ecus.map(({ ecu }) => [ecu, `${ecu}/fw-2.bin`]),
]);
