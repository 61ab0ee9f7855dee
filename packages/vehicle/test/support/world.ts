/** A vehicle with its two repositories and its gateway, all right until a test breaks one part. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { isJsonObject, type JsonObject, member } from '@immota/base';
import {
  deltaSourceOf,
  encryptImage,
  generateContentKey,
  makeDelta,
  parseRecipientPublicKey,
  wrapContentKey,
} from '@immota/image';
import type { Validity } from '@immota/pki';
import {
  type HashFunction,
  type Measurement,
  parseVehicleIdentifier,
  type TargetDescription,
  type VehicleIdentifier,
} from '@immota/uptane';
import {
  loadBundle,
  openFolderSlots,
  policyConsent,
  type Primary,
  type PrimaryOptions,
  type ProgressEvent,
  runPrimary,
  type VehicleBundle,
} from '@immota/vehicle';
import { type Authorities, makeAuthorities, makeVehicleFiles, VALIDITY } from './authorities.ts';
import { BenchSecondary } from './bench-secondary.ts';
import { entropy, makeFolder } from './folder.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { TestRepository } from './repository.ts';
import { testSurroundings, type TestSurroundings } from './surroundings.ts';

/** What the cloud makes when it is asked: for another slot, and for the banks of the small parts. */
const DELTA_KINDS: readonly (readonly [
  suffix: string,
  options: { readonly pageBytes?: number },
])[] = [
  ['', {}],
  ['.pages-11', { pageBytes: 2048 }],
];

export const VEHICLE: VehicleIdentifier = parseVehicleIdentifier('WVWZZZ1JZXW000001');
export const CORRELATION = 'urn:immota:campaign:test';
export const TBOX = 'TBOX-1';
export const BRAKE = 'BRAKE-1';

/** An image as the Image repository lists it, and its bytes in both forms. */
export interface TestImage {
  readonly name: string;
  readonly hardware: string;
  readonly releaseCounter: number;
  readonly plain: Measurement;
  readonly plainBytes: Uint8Array;
  readonly cipher: Measurement & { readonly name: string };
  readonly cipherBytes: Uint8Array;
  readonly wrapFor: (ecu: string, recipient: string) => Uint8Array;
}

export interface WorldOptions {
  /** None, or the brake ECU. */
  readonly hasSecondary?: boolean;
}

export type RunOptions = Partial<Omit<PrimaryOptions, 'bundle' | 'folder' | 'slots'>>;

/** See the head of the file. */
export class World {
  readonly authorities: Authorities;
  readonly director: TestRepository = new TestRepository();
  readonly image: TestRepository = new TestRepository();
  readonly surroundings: TestSurroundings = testSurroundings();
  readonly progress: ProgressEvent[] = [];
  readonly images = new Map<string, TestImage>();
  /** Metadata that were published once, in hex. */
  readonly former = new Set<string>();
  readonly folder: string;
  readonly bundleFolder: string;
  readonly #test: Pick<TestContext, 'after'>;
  gateway!: Gateway;
  /** Whether the Primary's next image is healthy when it is tried. */
  isHealthy = true;
  secondary: BenchSecondary | undefined;

  constructor(test: Pick<TestContext, 'after'>, authorities: Authorities) {
    this.#test = test;
    this.authorities = authorities;
    this.folder = makeFolder(test);
    this.bundleFolder = join(this.folder, 'bundle');
  }

  /** Writes the factory's folder. */
  async provision(overrides: JsonObject = {}, validity: Validity = VALIDITY): Promise<void> {
    const files = await makeVehicleFiles(this.authorities, VEHICLE, validity);
    const write = (name: string, content: string | Uint8Array): void => {
      mkdirSync(join(this.bundleFolder, name, '..'), { recursive: true });
      writeFileSync(join(this.bundleFolder, name), content);
    };
    write('root.crt', files.rootPem);
    write('client.pem', files.clientPem);
    write('pkey.pem', files.privateKeyPem);
    write('director/root.json', this.director.pinnedRoot);
    write('image/root.json', this.image.pinnedRoot);
    const config = {
      server: this.gateway.origin,
      ecuIdentifier: TBOX,
      hardwareIdentifier: 'tbox-hw',
      builtAt: '2026-05-01T00:00:00Z',
      ...overrides,
    };
    write('config.json', JSON.stringify(config));
  }

  get bundle(): VehicleBundle {
    return loadBundle(this.bundleFolder);
  }

  /** Starts the Primary on its folder; call again after `close` to boot it. */
  async run(options: RunOptions = {}): Promise<Primary> {
    const slots = await openFolderSlots({
      folder: this.pathOf('slots'),
      healthCheck: () => Promise.resolve(this.isHealthy),
    });
    const primary = await runPrimary({
      consent: policyConsent('always'),
      surroundings: this.surroundings,
      secondaries: this.secondary === undefined ? [] : [this.secondary],
      onProgress: (event) => this.progress.push(event),
      ...options,
      policy: { pollIntervalMs: undefined, ...options.policy },
      bundle: this.bundle,
      folder: this.pathOf('primary'),
      slots,
    });
    this.#test.after(() => primary.close());
    return primary;
  }

  /** Makes a folder of the vehicle. */
  pathOf(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Makes an image and its encrypted form, serves it, and lists it in the Image repository. */
  async addImage(
    name: string,
    hardware: string,
    {
      releaseCounter = 1,
      lengthBytes = 200_000,
      from,
    }: { releaseCounter?: number; lengthBytes?: number; from?: TestImage } = {},
  ): Promise<TestImage> {
    const plainBytes =
      from === undefined ? new Uint8Array(randomBytes(lengthBytes)) : changed(from.plainBytes);
    const key = generateContentKey(entropy);
    if (from !== undefined) await this.#addDeltas(name, { from, plainBytes, key });
    const encrypted = encryptImage(single(plainBytes), { key, entropy });
    const parts: Uint8Array[] = [];
    for await (const part of encrypted) parts.push(part);
    const cipherBytes = Buffer.concat(parts);
    const plain = measure(plainBytes);
    const image: TestImage = {
      name,
      hardware,
      releaseCounter,
      plain,
      plainBytes,
      cipher: { name: `${name}.enc`, ...measure(cipherBytes) },
      cipherBytes: new Uint8Array(cipherBytes),
      wrapFor: (ecuIdentifier, recipient) =>
        wrapContentKey(
          parseRecipientPublicKey(recipient),
          key,
          {
            ecuIdentifier,
            hardwareIdentifier: hardware,
            imageSha256: plain.hashes.get('sha256') ?? '',
          },
          entropy,
        ),
    };
    this.images.set(name, image);
    this.gateway.images.set(image.cipher.name, image.cipherBytes);
    this.gateway.images.set(name, plainBytes);
    await this.publishImages();
    return image;
  }

  /** Serves the deltas from an older image: for another slot and for a bank, in the clear and encrypted. */
  async #addDeltas(
    name: string,
    {
      from,
      plainBytes,
      key,
    }: { from: TestImage; plainBytes: Uint8Array; key: ReturnType<typeof generateContentKey> },
  ): Promise<void> {
    const pair = { base: deltaSourceOf(from.plainBytes), image: deltaSourceOf(plainBytes) };
    const base = from.plain.hashes.get('sha256') ?? '';
    for (const [suffix, options] of DELTA_KINDS) {
      const delta = Buffer.concat([...makeDelta(pair, { level: 3, ...options })]);
      const parts: Uint8Array[] = [];
      for await (const part of encryptImage(single(delta), { key, entropy })) parts.push(part);
      const served = `.delta-from-${base}${suffix}`;
      this.gateway.images.set(`${name}${served}`, new Uint8Array(delta));
      this.gateway.images.set(`${name}.enc${served}`, new Uint8Array(Buffer.concat(parts)));
    }
  }

  #remember({ files }: TestRepository): void {
    for (const bytes of files.values()) this.former.add(bytes.toHex());
  }

  async publishImages(): Promise<void> {
    this.#remember(this.image);
    const files = [...this.images.values()].map(
      ({ name, plain, hardware, releaseCounter }): TargetDescription => ({
        name,
        ...plain,
        custom: { hardwareIds: [hardware], mustMatch: { releaseCounter } },
      }),
    );
    await this.image.publish({ files });
  }

  /** Assigns images to ECUs: encrypted for each that has handed in its key. */
  async assign(
    images: Readonly<Record<string, TestImage>>,
    custom: JsonObject = {},
    edit: (target: TargetDescription) => TargetDescription = (target) => target,
  ): Promise<void> {
    const groups = Map.groupBy(Object.entries(images), ([, image]) => image.name);
    const files = [...groups.values()].flatMap((group) => {
      const image = group[0]?.[1];
      if (image === undefined) return [];
      const ecus = group.map(([ecu]) => ecu);
      return [edit(this.describe(image, ecus))];
    });
    this.#remember(this.director);
    await this.director.publish({
      files,
      vehicleIdentifier: VEHICLE,
      custom: { correlationId: CORRELATION, ...custom },
    });
  }

  /** Signs Director metadata that assign nothing. */
  async assignNothing(): Promise<void> {
    await this.director.publish({ files: [], vehicleIdentifier: VEHICLE });
  }

  /** A Director's entry for an image. */
  describe(image: TestImage, ecus: readonly string[]): TargetDescription {
    const { name, plain, cipher, hardware, releaseCounter } = image;
    const keys = ecus.map((ecu) => {
      const recipient = this.recipientOf(ecu);
      const method = recipient.startsWith('hybrid:') ? 'hpke-xwing' : 'hpke-x25519';
      return [ecu, { method, value: image.wrapFor(ecu, recipient).toBase64() }];
    });
    return {
      name,
      ...plain,
      custom: {
        ecuIdentifiers: Object.fromEntries(ecus.map((ecu) => [ecu, { hardwareId: hardware }])),
        mustMatch: { releaseCounter },
        encryption: {
          filename: cipher.name,
          length: cipher.lengthBytes,
          hashes: Object.fromEntries(cipher.hashes),
          method: 'immota-image-1',
          keys: Object.fromEntries(keys),
        },
      },
    };
  }

  /** The encryption key that an ECU has handed in. */
  recipientOf(ecu: string): string {
    for (const document of this.gateway.bodies('/director/ecu-keys')) {
      const signed = member(document, 'signed');
      if (!isJsonObject(signed) || member(signed, 'ecu_serial') !== ecu) continue;
      const spelled = member(signed, 'public');
      const raw = Buffer.from(typeof spelled === 'string' ? spelled : '', 'base64');
      const profile = member(signed, 'method') === 'hpke-xwing' ? 'hybrid' : 'classic';
      return `${profile}:${raw.toString('base64url')}`;
    }
    return 'none';
  }

  /** The signed part of the last manifest. */
  lastManifest(): JsonObject {
    const signed = member(this.gateway.bodies('/director/manifest').at(-1) ?? {}, 'signed');
    return isJsonObject(signed) ? signed : {};
  }

  /** The attacks that the Primary told of in the last manifest. */
  lastAttacks(): string {
    return JSON.stringify(this.lastReport(TBOX)['attacks_detected']);
  }

  /** What an ECU reported in the last manifest. */
  lastReport(ecu: string): JsonObject {
    return objectAt(this.lastManifest(), ['ecu_version_manifests', ecu, 'signed']);
  }
}

/** Walks into nested objects. */
export function objectAt(object: JsonObject, path: readonly string[]): JsonObject {
  let current = object;
  for (const name of path) {
    const next = member(current, name);
    current = isJsonObject(next) ? next : {};
  }
  return current;
}

/** Builds a world whose Director assigns nothing yet, with its Primary provisioned. */
export async function makeWorld(
  test: Pick<TestContext, 'after'>,
  { hasSecondary = false }: WorldOptions = {},
): Promise<World> {
  const world = new World(test, await makeAuthorities());
  const { authorities, director, image } = world;
  world.gateway = await startGateway({ authorities, director, image });
  test.after(() => world.gateway.close());
  await world.publishImages();
  await world.assignNothing();
  await world.provision();
  if (hasSecondary) {
    world.secondary = new BenchSecondary({
      folder: world.pathOf('brake'),
      ecuIdentifier: BRAKE,
      hardwareIdentifier: 'brake-hw',
      vehicleIdentifier: VEHICLE,
      pinnedRoots: { director: director.pinnedRoot, image: image.pinnedRoot },
    });
  }
  return world;
}

/** What a release is: some bytes changed, some put in. */
function changed(bytes: Uint8Array): Uint8Array {
  const half = bytes.length >> 1;
  const middle = new Uint8Array(randomBytes(500));
  return new Uint8Array(Buffer.concat([bytes.subarray(0, half), middle, bytes.subarray(half)]));
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function measure(bytes: Uint8Array): Measurement {
  const hashes = new Map<HashFunction, string>(
    (['sha256', 'sha512'] as const).map((name) => [
      name,
      createHash(name).update(bytes).digest('hex'),
    ]),
  );
  return { lengthBytes: bytes.length, hashes };
}
