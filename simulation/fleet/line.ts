/** The vehicle line of light fleets: three ECUs, four versions, and releases over them. */
import { createHash } from 'node:crypto';
import { type Cloud, draftTargets } from '@immota/cloud';
import type { JsonObject } from '@immota/base';
import { parseBlobHash } from '@immota/store';
import { AKTUALIZR, signMetadata, type TargetDescription, TUF } from '@immota/uptane';
import type { FactoryImage } from './light-fleet.ts';

/** The T-BOX first. */
export const LINE_HARDWARE: readonly string[] = ['tbox-hw', 'brake-hw', 'ivi-hw'];
/** The factory flashes the first or the second; campaigns bring the others. */
const LINE_VERSIONS = [1, 2, 3, 4] as const;

interface LineImage {
  readonly name: string;
  readonly hardwareId: string;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Names an image. */
function lineImageName(hardwareId: string, version: number): string {
  return `${hardwareId}/firmware-${version}.bin`;
}

/** What an ECU reports that runs a version. */
export function lineImage(hardwareId: string, version: number): FactoryImage {
  const bytes = bytesOf(lineImageName(hardwareId, version));
  return {
    name: lineImageName(hardwareId, version),
    sha256: digestOf('sha256', bytes),
    lengthBytes: bytes.length,
  };
}

/** Stores every image of the line and signs them into the Image repository. */
export async function publishLine(cloud: Cloud): Promise<void> {
  const images = LINE_HARDWARE.flatMap((hardwareId) =>
    LINE_VERSIONS.map((version): LineImage => {
      const name = lineImageName(hardwareId, version);
      return { name, hardwareId, version, bytes: bytesOf(name) };
    }),
  );
  for (const image of images) await storeImage(cloud, image);
  const offered = [AKTUALIZR, TUF].map(async (dialect) => {
    const current = [...cloud.store.image(dialect.name).targets.values()][0]?.bytes;
    const add = images.map(describe);
    const payload = draftTargets(cloud.trust, dialect, { current, add });
    const bytes = await signMetadata(dialect, payload, cloud.keystore.signers('image-targets'));
    return { repository: 'image', dialect: dialect.name, role: 'targets', bytes } as const;
  });
  await cloud.publish(await Promise.all(offered));
}

/** Writes and signs a release that brings every ECU to a version, by way of those between. */
export async function signLineRelease(
  cloud: Cloud,
  version: number,
  more: JsonObject = {},
): Promise<Uint8Array> {
  const images = LINE_HARDWARE.flatMap((hardwareId) =>
    LINE_VERSIONS.filter((one) => one <= version).map((one) => ({
      hardwareId,
      name: lineImageName(hardwareId, one),
      // The factory's two versions lead to the same next one.
      installsOver:
        one < 3
          ? []
          : LINE_VERSIONS.filter((old) => old < one && (old >= one - 1 || one === 3)).map((old) =>
              lineImageName(hardwareId, old),
            ),
    })),
  );
  const release = {
    _type: 'Release',
    name: 'Family line',
    version: String(version),
    images,
    goal: Object.fromEntries(
      LINE_HARDWARE.map((hardwareId) => [hardwareId, lineImageName(hardwareId, version)]),
    ),
    description: {
      en: 'Shorter braking distance on wet roads, and a quieter fan.',
      de: 'Kürzerer Bremsweg bei Nässe und ein leiserer Lüfter.',
      zh: '缩短湿滑路面的制动距离，风扇更安静。',
    },
    unusableSeconds: 900,
    unavailable: ['Driving', 'Charging'],
    security: false,
    ...more,
  };
  return await signMetadata(AKTUALIZR, release, cloud.keystore.signers('image-targets'));
}

async function storeImage({ context, blobs }: Cloud, image: LineImage): Promise<void> {
  const { name, hardwareId, version, bytes } = image;
  const sha256 = digestOf('sha256', bytes);
  await blobs.put(parseBlobHash(sha256), once(bytes), bytes.length);
  await context.database.kysely
    .insertInto('image')
    .values({
      name,
      role: 'targets',
      length_bytes: bytes.length,
      sha256,
      sha512: digestOf('sha512', bytes),
      hardware_ids: [hardwareId],
      version: String(version),
      release_counter: version,
      cipher_length_bytes: null,
      cipher_sha256: null,
      cipher_sha512: null,
      sealed_content_key: null,
      uploaded_by: 'simulation',
    })
    .execute();
}

function describe({ name, hardwareId, version, bytes }: LineImage): TargetDescription {
  return {
    name,
    lengthBytes: bytes.length,
    hashes: new Map([
      ['sha256', digestOf('sha256', bytes)],
      ['sha512', digestOf('sha512', bytes)],
    ]),
    custom: {
      hardwareIds: [hardwareId],
      version: String(version),
      targetFormat: 'BINARY',
      mustMatch: { releaseCounter: version, hardwareIds: [hardwareId] },
    },
  };
}

/** 40 kB that follow from the name. */
function bytesOf(name: string): Uint8Array {
  return createHash('shake256', { outputLength: 40_000 }).update(name).digest();
}

function digestOf(algorithm: 'sha256' | 'sha512', bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}
