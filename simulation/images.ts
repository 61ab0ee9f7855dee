/** The software of the simulated vehicle line: which images there are, genuine and not. */
import { createHash } from 'node:crypto';
import { encryptImage, generateContentKey, type ContentKey } from '@immota/image';
import type { TargetDescription } from '@immota/uptane';
import { Chance } from './chance.ts';

/** An ECU of the vehicle line. */
export interface EcuKind {
  readonly suffix: string;
  readonly hardware: string;
  /** The T-BOX is the Primary. */
  readonly role: 'primary' | 'full' | 'partial';
  readonly lengthBytes: number;
  /** Of its large version. */
  readonly largeBytes?: number;
  readonly isEncrypted: boolean;
}

/** The vehicle line: a T-BOX, a brake ECU that verifies all, and a door ECU that verifies what it can. */
export const ECU_KINDS: readonly EcuKind[] = [
  {
    suffix: 'tbox',
    hardware: 'tbox-hw',
    role: 'primary',
    lengthBytes: 90_000,
    largeBytes: 1_200_000,
    isEncrypted: true,
  },
  {
    suffix: 'brake',
    hardware: 'brake-hw',
    role: 'full',
    lengthBytes: 60_000,
    largeBytes: 150_000,
    isEncrypted: true,
  },
  { suffix: 'door', hardware: 'door-hw', role: 'partial', lengthBytes: 30_000, isEncrypted: false },
];

/** The factory flashes the first; campaigns bring the others. */
export const VERSIONS = [1, 2, 3] as const;
const LARGE_VERSION = 2;

/** A genuine image. */
export interface Image {
  readonly name: string;
  readonly kind: EcuKind;
  readonly version: number;
  readonly plain: Uint8Array;
  readonly sha256: string;
  readonly sha512: string;
  readonly encrypted: { readonly bytes: Uint8Array; readonly contentKey: ContentKey } | undefined;
}

/** Makes every image; the same in each process but for the keys. */
export async function makeImages(): Promise<readonly Image[]> {
  const chance = new Chance('images');
  const images: Image[] = [];
  for (const kind of ECU_KINDS) {
    for (const version of VERSIONS) {
      const name = imageName(kind, version);
      const plain = chance.fork(name).bytes(lengthOf(kind, version));
      images.push({
        name,
        kind,
        version,
        plain,
        sha256: digestOf('sha256', plain),
        sha512: digestOf('sha512', plain),
        encrypted: kind.isEncrypted ? await encrypt(chance.fork(`${name} key`), plain) : undefined,
      });
    }
  }
  return images;
}

/** How long an image is: a large one is downloaded in parts, the others come at once. */
export function lengthOf({ lengthBytes, largeBytes }: EcuKind, version: number): number {
  return (version === LARGE_VERSION ? (largeBytes ?? lengthBytes) : lengthBytes) + 100 * version;
}

/** Names an image. */
export function imageName({ suffix }: EcuKind, version: number): string {
  return `${suffix}/firmware-${version}.bin`;
}

/** Describes an image as Targets list it. */
export function describeImage({
  name,
  kind,
  version,
  plain,
  sha256,
  sha512,
}: Image): TargetDescription {
  return {
    name,
    lengthBytes: plain.length,
    hashes: new Map([
      ['sha256', sha256],
      ['sha512', sha512],
    ]),
    custom: {
      hardwareIds: [kind.hardware],
      version: String(version),
      targetFormat: 'BINARY',
      mustMatch: { releaseCounter: version, hardwareIds: [kind.hardware] },
    },
  };
}

/** A digest in hex. */
export function digestOf(algorithm: 'sha256' | 'sha512', bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

async function encrypt(
  chance: Chance,
  plain: Uint8Array,
): Promise<NonNullable<Image['encrypted']>> {
  const contentKey = generateContentKey(chance);
  const parts: Uint8Array[] = [];
  const source = (async function* one(): AsyncGenerator<Uint8Array, void, undefined> {
    await Promise.resolve();
    yield plain;
  })();
  const options = { key: contentKey, entropy: chance, lengthMaxBytes: 2 ** 40, chunkSizeLog2: 14 };
  for await (const part of encryptImage(source, options)) parts.push(Uint8Array.from(part));
  return { bytes: new Uint8Array(Buffer.concat(parts)), contentKey };
}
