/** A vehicle line of four ECUs with three versions each, and its fleet as the inventory holds it. */
import { createHash } from 'node:crypto';
import { type Cloud, draftTargets } from '@immota/cloud';
import { sql } from '@immota/store';
import { AKTUALIZR, signMetadata, type TargetDescription, TUF } from '@immota/uptane';

/** What the query of the campaign names. */
export const MODEL = 'bench';

const ECUS = 4;
const VERSIONS = [1, 2, 3] as const;
const LENGTH_BYTES = 1_000_000;
/** SubjectPublicKeyInfo of an Ed25519 key, without its 32 bytes. */
const KEY_HEAD = '302a300506032b6570032100';

interface LineImage extends TargetDescription {
  readonly hardwareId: string;
  readonly version: number;
  readonly sha256: string;
  readonly sha512: string;
}

/** Stores the images and signs them into the Image repository. */
export async function publishImages(cloud: Cloud): Promise<void> {
  const images = lineImages();
  for (const image of images) {
    await sql`insert into image (name, role, length_bytes, sha256, sha512, hardware_ids, version,
        release_counter, uploaded_by)
      values (${image.name}, 'targets', ${LENGTH_BYTES}, ${image.sha256}, ${image.sha512},
        ${[image.hardwareId]}, ${String(image.version)}, ${image.version}, 'bench')`.execute(
      cloud.context.database.kysely,
    );
  }
  const offered = [AKTUALIZR, TUF].map(async (dialect) => {
    const current = [...cloud.store.image(dialect.name).targets.values()][0]?.bytes;
    const payload = draftTargets(cloud.trust, dialect, { current, add: images });
    const bytes = await signMetadata(dialect, payload, cloud.keystore.signers('image-targets'));
    return { repository: 'image', dialect: dialect.name, role: 'targets', bytes } as const;
  });
  await cloud.publish(await Promise.all(offered));
}

/** Signs the release: version 3 for every ECU, by way of version 2. */
export async function signRelease(cloud: Cloud): Promise<Uint8Array> {
  const images = lineImages().map(({ hardwareId, name, version }) => ({
    hardwareId,
    name,
    installsOver: version === 1 ? [] : [nameOf(hardwareId, version - 1)],
  }));
  const hardware = Array.from({ length: ECUS }, (_, place) => hardwareOf(place));
  const release = {
    _type: 'Release',
    name: 'Bench line',
    version: '3',
    images,
    goal: Object.fromEntries(hardware.map((id) => [id, nameOf(id, 3)])),
    description: { en: 'Better brakes and a quieter fan', de: 'Bessere Bremsen' },
  };
  return await signMetadata(AKTUALIZR, release, cloud.keystore.signers('image-targets'));
}

/** Puts a fleet there that registered and reported version 1 of everything. */
export async function insertFleet({ context }: Cloud, count: number): Promise<readonly string[]> {
  const { kysely } = context.database;
  await sql`insert into vehicle (vehicle_id, model, primary_ecu_id, registered_at, last_seen_at,
      last_manifest_at)
    select 'v' || lpad(n::text, 7, '0'), ${MODEL}, 'v' || lpad(n::text, 7, '0') || '-0', now(), now(),
      now()
    from generate_series(1, ${count}::integer) as n`.execute(kysely);
  const first = lineImages().filter(({ version }) => version === 1);
  await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
      report_counter, installed_name, installed_sha256, installed_length_bytes, installed_at,
      reported_at)
    select vehicle_id, vehicle_id || '-' || place, place = 0, hardware, 'ed25519',
      decode(${KEY_HEAD}, 'hex') || sha256((vehicle_id || place)::bytea), 1, name, sha256,
      ${LENGTH_BYTES}, now(), now()
    from vehicle, unnest(
      ${first.map((_, place) => place)}::integer[],
      ${first.map(({ hardwareId }) => hardwareId)}::text[],
      ${first.map(({ name }) => name)}::text[],
      ${first.map(({ sha256 }) => sha256)}::text[]
    ) as line (place, hardware, name, sha256)`.execute(kysely);
  // What a server's own housekeeping would have done meanwhile.
  await sql`analyze vehicle, ecu`.execute(kysely);
  return Array.from({ length: count }, (_, index) => `v${String(index + 1).padStart(7, '0')}`);
}

/** What an ECU of the fleet reports before the campaign: version 1. */
export function firstImage(hardwareId: string): {
  readonly name: string;
  readonly sha256: string;
  readonly lengthBytes: number;
} {
  const name = nameOf(hardwareId, 1);
  const sha256 = createHash('sha256').update(name).digest('hex');
  return { name, sha256, lengthBytes: LENGTH_BYTES };
}

function lineImages(): readonly LineImage[] {
  return Array.from({ length: ECUS }, (_, place) => hardwareOf(place)).flatMap((hardwareId) =>
    VERSIONS.map((version): LineImage => {
      const name = nameOf(hardwareId, version);
      const sha256 = createHash('sha256').update(name).digest('hex');
      const sha512 = createHash('sha512').update(name).digest('hex');
      const hashes = new Map([
        ['sha256', sha256],
        ['sha512', sha512],
      ] as const);
      const custom = {
        hardwareIds: [hardwareId],
        version: String(version),
        targetFormat: 'BINARY',
        mustMatch: { releaseCounter: version, hardwareIds: [hardwareId] },
      };
      return {
        name,
        lengthBytes: LENGTH_BYTES,
        hashes,
        custom,
        hardwareId,
        version,
        sha256,
        sha512,
      };
    }),
  );
}

function hardwareOf(place: number): string {
  return `hw-${place}`;
}

function nameOf(hardwareId: string, version: number): string {
  return `${hardwareId}/firmware-${version}.bin`;
}
