/**
 * A whole vehicle for a benchmark: a Primary and six ECUs of their own on Ethernet and two CAN buses,
 * which take the time of their bit rates, with flash that takes the time of its part. It has no network:
 * what it installs it reads from a folder, by the same checks.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
} from '@immota/uptane';
import {
  createVehicleLinkCredentials,
  type EcuPlacement,
  type FactoryImage,
  keepFactoryImages,
  layoutOf,
  type LinkCredential,
  openFolderSlots,
  openTboxLinks,
  type PlacePlan,
  policyConsent,
  type Primary,
  programAtFactory,
  type ProgressEvent,
  runPrimary,
  saveSecondaryBundle,
  type SlotImage,
  startVehicleNetwork,
  type StoragePlan,
  systemSurroundings,
  VehicleFault,
  type VehicleLayout,
  type VehicleNetwork,
  type VehicleTopology,
} from '@immota/vehicle';
import { Repository, writeFiles } from './stick.ts';

const VEHICLE = parseVehicleIdentifier('bench-transaction');
const KIB = 1024;
/** Where the Primary's server would be; it is never asked. */
const ORIGIN = 'https://gateway.invalid';
/** The Primary looks this often whether an ECU has booted. */
const POLL_MS = 100;

/** By ECU, the bytes of its image: a head unit's part, and firmware as microcontrollers have it. */
const IMAGE_BYTES = {
  'GATEWAY-1': 512 * KIB,
  'IVI-1': 8192 * KIB,
  'BRAKE-1': 192 * KIB,
  'BATTERY-1': 128 * KIB,
  'DOOR-1': 64 * KIB,
  'LIGHT-1': 64 * KIB,
} as const;
type EcuName = keyof typeof IMAGE_BYTES;

const ETHERNET: PlacePlan = { kind: 'ethernet' };

/** The vehicle of the demo. */
const TOPOLOGY: VehicleTopology = {
  tester: 0x0e80,
  gateway: parseEcuIdentifier('GATEWAY-1'),
  buses: [
    { name: 'chassis', nominalBps: 500_000, dataBps: 2_000_000 },
    { name: 'body', nominalBps: 500_000 },
  ],
  ecus: [
    place('GATEWAY-1', 0x1001, { kind: 'two-bank', part: 'stm32h7' }, ETHERNET),
    place('IVI-1', 0x1002, { kind: 'file-system' }, ETHERNET),
    place('BRAKE-1', 0x1003, { kind: 'two-bank', part: 'stm32f4' }, can('chassis', 0x720)),
    place('BATTERY-1', 0x1004, { kind: 'two-bank', part: 'nrf52840' }, can('chassis', 0x721)),
    place('DOOR-1', 0x1005, { kind: 'one-bank', part: 'stm32f0' }, can('body', 0x730)),
    place('LIGHT-1', 0x1006, { kind: 'one-bank', part: 'stm32g4' }, can('body', 0x731)),
  ],
};

/** Of the vehicle: the bus that needs longest for its images, and how long by its bits alone. */
export function busiestBus(): { readonly name: string; readonly seconds: number } {
  const { buses, ecus } = layoutOf(TOPOLOGY);
  const all = [...buses].map(([name, { bytesPerSecond }]) => {
    const bytes = TOPOLOGY.ecus
      .filter(({ ecu }) => ecus.get(ecu)?.bus === name)
      .reduce((sum, { ecu }) => sum + imageBytesOf(ecu), 0);
    return { name, seconds: bytes / bytesPerSecond };
  });
  const [longest] = all.toSorted((left, right) => right.seconds - left.seconds);
  if (longest === undefined) throw new RangeError('the vehicle has buses');
  return longest;
}

/** Tells whether an ECU has one bank: it is written when the others are ready. */
export function hasOneBank(ecu: string): boolean {
  const found = TOPOLOGY.ecus.find((one) => one.ecu === ecu);
  return found?.storage.kind === 'one-bank';
}

/** How the ECUs are brought to their images. */
export type Order =
  /** As the Primary plans it. */
  | 'planned'
  /** Each transfer, and each boot, behind the one before. */
  | 'sequential';

/** What an update took, from its first transfer to the last confirmation. */
export interface MeasuredUpdate {
  readonly seconds: number;
  /** What the Primary foretold, once it knew enough; seconds. */
  readonly foretold: Foretold | undefined;
  /** By ECU, how long its transfer took where it was alone; no more than a hint where it was not. */
  readonly transferSeconds: ReadonlyMap<string, number>;
}

/** A range in seconds. */
export interface Foretold {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

interface Image extends SlotImage {
  readonly bytes: Uint8Array;
}

/** A Primary with its ways to the ECUs. */
interface Running {
  readonly primary: Primary;
  close(): Promise<void>;
}

/** See the head of the file. */
export class BenchVehicle {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'immota-bench-vehicle-'));
  readonly #surroundings = systemSurroundings();
  /** Before now, so that the clock has not gone back since. */
  readonly #builtAt = Temporal.Now.instant().subtract({ minutes: 1 }).round('second');
  readonly #repositories = { director: new Repository(), image: new Repository() };
  readonly #failures: unknown[] = [];
  #roots = { director: new Uint8Array(), image: new Uint8Array() };
  #network: VehicleNetwork | undefined;
  #credential: LinkCredential | undefined;
  #version = 1;

  /** Builds it, programs it as a factory would, and starts its ECUs. */
  async start(): Promise<void> {
    const { director, image } = this.#repositories;
    this.#roots = {
      director: new Uint8Array(await director.root()),
      image: new Uint8Array(await image.root()),
    };
    const credentials = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: TOPOLOGY.ecus.map(({ ecu }) => ecu),
      entropy: this.#surroundings.entropy,
    });
    this.#credential = credentials.primary;
    const kept: FactoryImage[] = [];
    for (const placement of TOPOLOGY.ecus) {
      const credential = credentials.secondaries.get(placement.ecu);
      if (credential === undefined) throw new RangeError(`no credential of "${placement.ecu}"`);
      const factoryImage = await this.#build(placement, credential);
      if (placement.storage.kind === 'one-bank') kept.push(factoryImage);
    }
    keepFactoryImages(this.#pathOf('primary'), kept);
    this.#network = await startVehicleNetwork({
      topology: TOPOLOGY,
      folder: this.#folder,
      surroundings: this.#surroundings,
      isFlashPaced: true,
      onFailure: (error) => this.#failures.push(error),
    });
  }

  /** Brings every ECU to an image that is new to it. */
  async update(order: Order): Promise<MeasuredUpdate> {
    const stick = await this.#publish(order);
    const { timer } = this.#surroundings;
    const transferSeconds = new Map<string, number>();
    let beganMs = Number.NaN;
    let lastMs = Number.NaN;
    let foretold: Foretold | undefined;
    const running = await this.#run(order, (event) => {
      const nowMs = timer.elapsedMs();
      if (event.kind === 'forecast') foretold = foretoldBy(event);
      if (event.kind === 'phase' && event.phase === 'install') beganMs = nowMs;
      if (event.kind === 'ecu-prepared') transferSeconds.set(event.ecu, (nowMs - lastMs) / 1000);
      lastMs = nowMs;
    });
    try {
      const result = await running.primary.updateFromFolder(stick);
      const seconds = (timer.elapsedMs() - beganMs) / 1000;
      if (result.kind !== 'installed') {
        throw new TypeError(`the update was ${result.kind}: ${JSON.stringify(result)}`);
      }
      if (this.#failures.length > 0) throw this.#failures[0];
      return { seconds, foretold, transferSeconds };
    } finally {
      await running.close();
    }
  }

  async close(): Promise<void> {
    await this.#network?.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #build({ ecu, storage }: EcuPlacement, credential: LinkCredential): Promise<FactoryImage> {
    const hardwareIdentifier = hardwareOf(ecu);
    const folder = join(this.#folder, 'ecus', ecu);
    saveSecondaryBundle(folder, {
      credential,
      factory: {
        vehicleIdentifier: VEHICLE,
        ecuIdentifier: ecu,
        hardwareIdentifier,
        verification: 'full',
        profile: 'classic',
        builtAt: this.#builtAt,
        directorRoot: this.#roots.director,
        imageRoot: this.#roots.image,
      },
    });
    const { bytes, ...image } = makeImage(ecu, this.#version);
    const own = join(folder, 'own');
    await programAtFactory({ folder: own, plan: storage, hardwareIdentifier }, image, (from) =>
      single(bytes.subarray(from)),
    );
    const path = join(this.#pathOf('factory'), `${ecu}.bin`);
    writeFiles(this.#pathOf('factory'), new Map([[`${ecu}.bin`, bytes]]));
    const { name, lengthBytes, hashes } = image;
    return { ecu, sha256: hashes.get('sha256') ?? '', name, lengthBytes, path };
  }

  /** Signs what assigns the next images. @returns the folder, laid out as a gateway serves it. */
  async #publish(order: Order): Promise<string> {
    this.#version += 1;
    const images = TOPOLOGY.ecus.map(({ ecu }) => ({ ecu, ...makeImage(ecu, this.#version) }));
    const mustMatch = { releaseCounter: this.#version };
    const described = images.map(({ ecu, name, lengthBytes, hashes }) => ({
      file: { name, lengthBytes, hashes },
      ecu,
      hardwareId: hardwareOf(ecu),
    }));
    const director = await this.#repositories.director.publish({
      files: described.map(({ file, ecu, hardwareId }) => ({
        ...file,
        custom: { ecuIdentifiers: { [ecu]: { hardwareId } }, mustMatch },
      })),
      vehicleIdentifier: VEHICLE,
      custom: {
        correlationId: `urn:immota:campaign:${order}`,
        installOrder: order === 'planned' ? [] : images.map(({ ecu }) => [ecu]),
      },
    });
    const image = await this.#repositories.image.publish({
      files: described.map(({ file, hardwareId }) => ({
        ...file,
        custom: { hardwareIds: [hardwareId], mustMatch },
      })),
    });
    const stick = this.#pathOf(`stick-${this.#version}`);
    writeFiles(join(stick, 'director'), director);
    writeFiles(join(stick, 'repo'), image);
    // Under the name that carries the hash, which is asked for first.
    const served = images.map(
      ({ ecu, name, hashes, bytes }) =>
        [`${ecu}/${hashes.get('sha256')}.${name.slice(ecu.length + 1)}`, bytes] as const,
    );
    writeFiles(join(stick, 'repo', 'targets'), new Map(served));
    return stick;
  }

  async #run(order: Order, onProgress: (event: ProgressEvent) => void): Promise<Running> {
    const surroundings = this.#surroundings;
    const [network, credential] = [this.#network, this.#credential];
    if (network === undefined || credential === undefined) throw new TypeError('start it first');
    const { entities } = network;
    const links = openTboxLinks({
      topology: TOPOLOGY,
      vehicleIdentifier: VEHICLE,
      credential,
      entities,
      surroundings,
    });
    const primary = await runPrimary({
      bundle: {
        vehicleIdentifier: VEHICLE,
        ecuIdentifier: parseEcuIdentifier('TBOX-1'),
        hardwareIdentifier: parseHardwareIdentifier('tbox-hw'),
        gatewayOrigin: ORIGIN,
        wakeUrl: undefined,
        builtAt: this.#builtAt,
        rootsPem: '',
        credential: { certificatePem: '', privateKeyPem: '' },
        pinnedRoots: this.#roots,
      },
      folder: this.#pathOf('primary'),
      slots: await openFolderSlots({ folder: this.#pathOf('slots') }),
      secondaries: links.links,
      layout: layoutFor(order),
      consent: policyConsent('always'),
      policy: { pollIntervalMs: undefined, bootPollMs: POLL_MS },
      makeFetcher: () => ({
        fetch: () => Promise.reject(new VehicleFault('NETWORK', 'Cannot reach: no network')),
        close: () => undefined,
      }),
      onProgress,
      surroundings,
    });
    return {
      primary,
      close: async () => {
        await primary.close();
        await links.close();
      },
    };
  }

  #pathOf(name: string): string {
    return join(this.#folder, name);
  }
}

/** A gateway that passes on a byte a second has room for one transfer, and for none beside it. */
function layoutFor(order: Order): VehicleLayout {
  const layout = layoutOf(TOPOLOGY);
  return order === 'planned' ? layout : { ...layout, gatewayBytesPerSecond: 1 };
}

function foretoldBy({
  prepare,
  unusable,
}: Extract<ProgressEvent, { readonly kind: 'forecast' }>): Foretold {
  return {
    low: (prepare.low + unusable.low) / 1000,
    likely: (prepare.likely + unusable.likely) / 1000,
    high: (prepare.high + unusable.high) / 1000,
  };
}

/** Noise: no two images have anything in common, and nothing of it can be squeezed. */
function makeImage(ecu: EcuIdentifier, version: number): Image {
  const bytes = new Uint8Array(randomBytes(imageBytesOf(ecu)));
  const digestOf = (name: 'sha256' | 'sha512'): string =>
    createHash(name).update(bytes).digest('hex');
  return {
    name: parseTargetName(`${ecu}/fw-${version}.bin`),
    lengthBytes: bytes.length,
    hashes: new Map((['sha256', 'sha512'] as const).map((name) => [name, digestOf(name)])),
    releaseCounter: version,
    bytes,
  };
}

function imageBytesOf(ecu: string): number {
  return new Map<string, number>(Object.entries(IMAGE_BYTES)).get(ecu) ?? 0;
}

function hardwareOf(ecu: EcuIdentifier): HardwareIdentifier {
  return parseHardwareIdentifier(`${ecu.toLowerCase()}-hw`);
}

// A tuple of a line in the table above.
// oxlint-disable-next-line max-params
function place(
  ecu: EcuName,
  address: number,
  storage: StoragePlan,
  where: PlacePlan,
): EcuPlacement {
  return { ecu: parseEcuIdentifier(ecu), address, storage, place: where };
}

function can(bus: string, requestId: number): PlacePlan {
  return { kind: 'can', bus, requestId, responseId: requestId + 8 };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}
