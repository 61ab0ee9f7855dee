/**
 * Two repositories, a time source and a factory for one vehicle with one Secondary, all with real
 * keys and real signatures. A test changes what they state, publishes, and hands the bundle over.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { JsonObject, Signer } from '@immota/base';
import {
  encryptImage,
  generateContentKey,
  type RecipientPublicKey,
  wrapContentKey,
} from '@immota/image';
import { generateSigner } from '@immota/pki';
import {
  AKTUALIZR,
  attestTime,
  keyIdOf,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  type RoleDescription,
  rootPayload,
  signMetadata,
  snapshotPayload,
  TARGETS_ROLE,
  type TargetDescription,
  targetsPayload,
  timestampPayload,
} from '@immota/uptane';
import type { ImageOffer, MetadataBundle, SecondaryFactory } from '@immota/vehicle';
import { entropy } from './folder.ts';

export const VEHICLE = parseVehicleIdentifier('WVWZZZ1JZ3W386752');
export const BRAKE = parseEcuIdentifier('BRAKE-1');
const BRAKE_HARDWARE = parseHardwareIdentifier('brake-hw');
export const BUILT_AT: Temporal.Instant = Temporal.Instant.from('2026-11-01T00:00:00Z');
const EXPIRY: Temporal.Instant = Temporal.Instant.from('2030-01-01T00:00:00Z');

/** Describes a role held by one key. */
function roleOf({ algorithm, publicKeyDer }: Signer): RoleDescription {
  return {
    keys: [{ keyId: keyIdOf(AKTUALIZR, algorithm, publicKeyDer), algorithm, publicKeyDer }],
    threshold: 1,
  };
}

/** Length and digests of bytes. */
export function measure(bytes: Uint8Array): Pick<TargetDescription, 'lengthBytes' | 'hashes'> {
  return {
    lengthBytes: bytes.length,
    hashes: new Map([
      ['sha256', createHash('sha256').update(bytes).digest('hex')],
      ['sha512', createHash('sha512').update(bytes).digest('hex')],
    ]),
  };
}

/** One repository: what it states, and the files that say so. */
class TestRepository {
  readonly name: 'director' | 'image';
  readonly rootSigner = generateSigner('ed25519');
  /** Signs Timestamp, Snapshot and Targets. */
  signer: Signer = generateSigner('ed25519');
  timeSigner = generateSigner('ed25519');
  files: TargetDescription[] = [];
  version = 0;
  rootVersion = 0;
  expires = EXPIRY;
  vehicle = VEHICLE;
  readonly served = new Map<string, Uint8Array>();

  constructor(name: 'director' | 'image') {
    this.name = name;
  }

  /** Publishes the next Root with the keys in force. */
  async publishRoot(): Promise<Uint8Array> {
    this.rootVersion += 1;
    const below = roleOf(this.signer);
    const payload = rootPayload(AKTUALIZR, {
      version: this.rootVersion,
      expires: EXPIRY,
      consistentSnapshot: false,
      roles: { root: roleOf(this.rootSigner), timestamp: below, snapshot: below, targets: below },
      ...(this.name === 'director' ? { time: roleOf(this.timeSigner) } : {}),
    });
    const bytes = await signMetadata(AKTUALIZR, payload, [this.rootSigner]);
    this.served.set(`${this.name}/root/${this.rootVersion}`, bytes);
    return bytes;
  }

  /** Publishes Targets, Snapshot and Timestamp, one version up, signed by `signer` or somebody else. */
  async publish(signer: Signer = this.signer): Promise<void> {
    this.version += 1;
    const head = { version: this.version, expires: this.expires };
    const vehicle = this.name === 'director' ? { vehicleIdentifier: this.vehicle } : {};
    const payload = targetsPayload(AKTUALIZR, { ...head, files: this.files, ...vehicle });
    const targets = await signMetadata(AKTUALIZR, payload, [signer]);
    const files = new Map([[TARGETS_ROLE, { version: this.version, bytes: targets }]]);
    const snapshot = await signMetadata(AKTUALIZR, snapshotPayload(AKTUALIZR, { ...head, files }), [
      signer,
    ]);
    const named = { version: this.version, bytes: snapshot };
    const timestamp = await signMetadata(
      AKTUALIZR,
      timestampPayload(AKTUALIZR, { ...head, snapshot: named }),
      [signer],
    );
    this.served.set(`${this.name}/targets/targets`, targets);
    this.served.set(`${this.name}/snapshot`, snapshot);
    this.served.set(`${this.name}/timestamp`, timestamp);
  }
}

/** An image as it was built, and as it is served. */
export interface BuiltImage {
  readonly name: string;
  readonly releaseCounter: number;
  readonly plain: Uint8Array;
  readonly served: Uint8Array;
  readonly contentKey: ReturnType<typeof generateContentKey> | undefined;
}

/** Builds an image of chance, encrypted unless told otherwise. */
export async function buildImage(options: {
  readonly name?: string;
  readonly releaseCounter?: number;
  readonly lengthBytes?: number;
  readonly plain?: Uint8Array;
  readonly isEncrypted?: boolean;
}): Promise<BuiltImage> {
  const { name = 'brake/fw-1.bin', releaseCounter = 1, isEncrypted = true } = options;
  const plain = options.plain ?? new Uint8Array(randomBytes(options.lengthBytes ?? 100_000));
  if (!isEncrypted) return { name, releaseCounter, plain, served: plain, contentKey: undefined };
  const contentKey = generateContentKey(entropy);
  const source = (async function* one(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield plain;
  })();
  const parts: Uint8Array[] = [];
  const encrypted = encryptImage(source, {
    key: contentKey,
    entropy,
    lengthMaxBytes: 2 ** 40,
    chunkSizeLog2: 14,
  });
  for await (const part of encrypted) parts.push(Uint8Array.from(part));
  return { name, releaseCounter, plain, served: new Uint8Array(Buffer.concat(parts)), contentKey };
}

/** What an assignment may state wrongly. */
export interface AssignmentChanges {
  readonly hardwareId?: string;
  readonly ecu?: string;
  readonly recipient?: RecipientPublicKey;
  readonly custom?: JsonObject;
  readonly imageHardwareIds?: readonly string[];
}

/** See the head of the file. */
export class VehicleWorld {
  readonly director = new TestRepository('director');
  readonly image = new TestRepository('image');
  now: Temporal.Instant = Temporal.Instant.from('2026-11-22T09:00:00Z');
  #roots: { readonly director: Uint8Array; readonly image: Uint8Array } | undefined;

  /** What the factory puts into the brake. */
  factory(changes: Partial<SecondaryFactory> = {}): SecondaryFactory {
    if (this.#roots === undefined) throw new TypeError('make the world first');
    return {
      vehicleIdentifier: VEHICLE,
      ecuIdentifier: BRAKE,
      hardwareIdentifier: BRAKE_HARDWARE,
      verification: 'full',
      profile: 'classic',
      builtAt: BUILT_AT,
      directorRoot: this.#roots.director,
      imageRoot: this.#roots.image,
      ...changes,
    };
  }

  async begin(): Promise<void> {
    this.#roots = {
      director: await this.director.publishRoot(),
      image: await this.image.publishRoot(),
    };
    await this.publish();
  }

  async publish(): Promise<void> {
    await this.director.publish();
    await this.image.publish();
  }

  /** Assigns an image to the brake in both repositories and publishes. */
  async assign(
    built: BuiltImage,
    recipient: RecipientPublicKey | undefined,
    changes: AssignmentChanges = {},
  ): Promise<void> {
    const { ecu = BRAKE, hardwareId = BRAKE_HARDWARE } = changes;
    const { name, plain, releaseCounter } = built;
    const mustMatch = { releaseCounter };
    const measured = measure(plain);
    this.director.files = [
      {
        name,
        ...measured,
        custom: {
          ecuIdentifiers: { [ecu]: { hardwareId } },
          mustMatch,
          ...encryptionOf(built, recipient, { ecu, hardwareId }),
          ...changes.custom,
        },
      },
    ];
    this.image.files = [
      ...this.image.files.filter((file) => file.name !== name),
      {
        name,
        ...measured,
        custom: { hardwareIds: changes.imageHardwareIds ?? [hardwareId], mustMatch },
      },
    ];
    await this.publish();
  }

  /** What the Primary relays. */
  bundle(): MetadataBundle {
    return new Map([...this.director.served, ...this.image.served]);
  }

  /** Attests the time to a nonce. */
  async attest(nonce: string): Promise<Uint8Array> {
    return await attestTime(this.now, [nonce], [this.director.timeSigner]);
  }
}

/** Makes a world with nothing assigned. */
export async function makeVehicleWorld(): Promise<VehicleWorld> {
  const world = new VehicleWorld();
  await world.begin();
  return world;
}

/** Offers served bytes; `pulls` lists the offsets that were asked for. */
export function offerOf(
  { name, served }: Pick<BuiltImage, 'name' | 'served'>,
  options: { readonly pulls?: number[]; readonly partBytes?: number } = {},
): ImageOffer {
  const { pulls, partBytes = 65_536 } = options;
  return {
    name: parseTargetName(name),
    lengthBytes: served.length,
    open: async function* open(offsetBytes): AsyncGenerator<Uint8Array> {
      pulls?.push(offsetBytes);
      for (let offset = offsetBytes; offset < served.length; offset += partBytes) {
        await Promise.resolve();
        yield served.slice(offset, offset + partBytes);
      }
    },
  };
}

function encryptionOf(
  { name, plain, served, contentKey }: BuiltImage,
  recipient: RecipientPublicKey | undefined,
  { ecu, hardwareId }: { readonly ecu: string; readonly hardwareId: string },
): JsonObject {
  if (contentKey === undefined || recipient === undefined) return {};
  const { lengthBytes, hashes } = measure(served);
  const imageSha256 = createHash('sha256').update(plain).digest('hex');
  const context = { ecuIdentifier: ecu, hardwareIdentifier: hardwareId, imageSha256 };
  const wrapped = wrapContentKey(recipient, contentKey, context, entropy);
  const isHybrid = recipient.startsWith('hybrid:');
  return {
    encryption: {
      filename: `${name}.encrypted`,
      length: lengthBytes,
      hashes: Object.fromEntries(hashes),
      method: 'immota-image-1',
      keys: {
        [ecu]: {
          method: isHybrid ? 'hpke-xwing' : 'hpke-x25519',
          value: wrapped.toBase64(),
        },
      },
    },
  };
}
