/**
 * Makes once what every run begins with: a cloud with its images, releases and vehicles, in a database
 * that runs copy. Its offline keys are taken away afterwards, as in production.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Cloud,
  CLOUD_ROLES,
  type CloudOptions,
  type CloudSchema,
  createCampaignRoom,
  createKeystore,
  draftTargets,
  initialiseCloud,
  issueCredentials,
  MIGRATIONS,
  OFFLINE_ROLES,
  openCloud,
  type OpenedKeys,
} from '@immota/cloud';
import { encodeContentKey } from '@immota/image';
import { encodeCredentialFiles, type CredentialFiles, parseDeviceId } from '@immota/pki';
import { type Database, openDatabase, parseBlobHash, sql } from '@immota/store';
import { openTestDatabase, openTestServer, type TestDatabase } from '@immota/store/testing';
import { AKTUALIZR, signMetadata, TUF } from '@immota/uptane';
import { Chance } from './chance.ts';
import {
  describeImage,
  digestOf,
  ECU_KINDS,
  type Image,
  imageName,
  makeImages,
  VERSIONS,
} from './images.ts';
import { BEGINNING } from './simulated-time.ts';

/** The vehicles that the factory has built; a run takes some of them. */
export const VEHICLES = ['WVWZZZ1JZXW000001', 'WVWZZZ1JZXW000002'] as const;

/** A database of one run. */
export interface RunDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** What a vehicle leaves the factory with. */
export interface VehicleParts {
  readonly vehicleId: string;
  readonly credential: CredentialFiles;
}

/** See the head of the file. */
export interface Factory {
  /** Where runs may keep files. */
  readonly scratch: string;
  /** The data folder that every cloud of every run opens, and its keys. */
  readonly cloudFolder: string;
  readonly opened: OpenedKeys;
  readonly images: readonly Image[];
  readonly vehicles: readonly VehicleParts[];
  /** By version. */
  readonly releaseIds: ReadonlyMap<number, string>;
  readonly pinnedRoots: { readonly director: Uint8Array; readonly image: Uint8Array };
  openRunDatabase(): Promise<RunDatabase>;
  close(): Promise<void>;
}

/** Makes it. */
export async function openFactory(): Promise<Factory> {
  const scratch = await mkdtemp(join(scratchRoot(), 'immota-simulation-'));
  const cloudFolder = join(scratch, 'cloud');
  const template = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const images = await makeImages();
  const options = cloudOptions(cloudFolder, template.url);
  await initialiseCloud({
    ...options,
    organization: 'Simulated Motors',
    profile: 'classic',
    withOfflineKeys: true,
  });
  // The runs' time does not wait for other threads: what is signed there would come at another instant.
  const cloud = await openCloud({ ...options, signsHere: true });
  let made: Pick<Factory, 'vehicles' | 'releaseIds' | 'pinnedRoots' | 'opened'>;
  try {
    for (const image of images) await storeImage(cloud, image);
    await publishImages(cloud, images);
    made = {
      vehicles: await makeVehicles(cloud),
      releaseIds: await makeReleases(cloud),
      opened: onlineKeys(cloud),
      pinnedRoots: {
        director: cloud.store.director().root.bytes,
        image: cloud.store.image('aktualizr').root.bytes,
      },
    };
  } finally {
    await cloud.close();
  }
  // A database that is copied must have nobody in it.
  await template.database.close();
  const server = await openTestServer();
  const admin = await openDatabase<object>({ url: server.url(server.root), connectionsMax: 1 });
  return {
    scratch,
    cloudFolder,
    images,
    ...made,
    openRunDatabase: runDatabases(admin, template.url, (name) => server.url(name)),
    async close() {
      await admin.close();
      await template.drop();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** What each opening of the cloud has in common. */
export function cloudOptions(folder: string, databaseUrl: string): CloudOptions {
  const chance = new Chance('factory');
  return { folder, databaseUrl, clock: { now: () => BEGINNING }, entropy: chance };
}

/** Simulated power fails as the simulation says, so the files of a run may lie in memory. */
function scratchRoot(): string {
  const memory = '/dev/shm';
  return process.platform === 'linux' && existsSync(memory) ? memory : tmpdir();
}

async function storeImage({ context, blobs, sealer }: Cloud, image: Image): Promise<void> {
  const { name, kind, version, plain, sha256, sha512, encrypted } = image;
  const served = encrypted?.bytes ?? plain;
  const cipher256 = digestOf('sha256', served);
  await blobs.put(parseBlobHash(cipher256), single(served), served.length);
  await context.database.kysely
    .insertInto('image')
    .values({
      name,
      role: 'targets',
      length_bytes: plain.length,
      sha256,
      sha512,
      hardware_ids: [kind.hardware],
      version: String(version),
      release_counter: version,
      cipher_length_bytes: encrypted === undefined ? null : served.length,
      cipher_sha256: encrypted === undefined ? null : cipher256,
      cipher_sha512: encrypted === undefined ? null : digestOf('sha512', served),
      sealed_content_key:
        encrypted === undefined ? null : sealer.seal(name, encodeContentKey(encrypted.contentKey)),
      uploaded_by: 'simulation',
    })
    .execute();
}

async function publishImages(cloud: Cloud, images: readonly Image[]): Promise<void> {
  const { trust, keystore, store } = cloud;
  const offered = await Promise.all(
    [AKTUALIZR, TUF].map(async (dialect) => {
      const current = [...store.image(dialect.name).targets.values()][0]?.bytes;
      const payload = draftTargets(trust, dialect, { current, add: images.map(describeImage) });
      const bytes = await signMetadata(dialect, payload, keystore.signers('image-targets'));
      return { repository: 'image', dialect: dialect.name, role: 'targets', bytes } as const;
    }),
  );
  await cloud.publish(offered);
}

async function makeReleases(cloud: Cloud): Promise<ReadonlyMap<number, string>> {
  const { releases } = createCampaignRoom(cloud);
  const made = new Map<number, string>();
  for (const version of VERSIONS.slice(1)) {
    const document = {
      _type: 'Release',
      name: 'Simulated line',
      version: String(version),
      images: ECU_KINDS.map((kind) => ({
        hardwareId: kind.hardware,
        name: imageName(kind, version),
        installsOver: 'any',
      })),
      goal: Object.fromEntries(ECU_KINDS.map((kind) => [kind.hardware, imageName(kind, version)])),
    };
    const signers = cloud.keystore.signers('image-targets');
    const bytes = await signMetadata(AKTUALIZR, document, signers);
    const { releaseId } = await releases.create(bytes, 'simulation');
    made.set(version, releaseId);
  }
  return made;
}

async function makeVehicles({ context }: Cloud): Promise<readonly VehicleParts[]> {
  const made: VehicleParts[] = [];
  for (const vehicleId of VEHICLES) {
    const credentials = await issueCredentials(context, parseDeviceId(vehicleId));
    made.push({ vehicleId, credential: encodeCredentialFiles(credentials) });
  }
  return made;
}

/** {uptane C4}: what signs Root and Targets is not where the cloud runs. */
function onlineKeys({ keystore, authorities }: Cloud): OpenedKeys {
  const online = [...CLOUD_ROLES].filter((role) => !OFFLINE_ROLES.has(role));
  const signers = new Map(online.map((role) => [role, keystore.signers(role)]));
  return { keystore: createKeystore(signers), authorities };
}

function runDatabases(
  admin: Database<object>,
  templateUrl: string,
  urlOf: (name: string) => string,
): () => Promise<RunDatabase> {
  const template = nameOf(templateUrl);
  let count = 0;
  return async () => {
    count += 1;
    const name = `${template}_${count}`;
    await sql`create database ${sql.id(name)} template ${sql.id(template)}`.execute(admin.kysely);
    return {
      url: urlOf(name),
      drop: async () => {
        await sql`drop database ${sql.id(name)} with (force)`.execute(admin.kysely);
      },
    };
  };
}

function nameOf(url: TestDatabase<CloudSchema>['url']): string {
  return new URL(url.replace('@/', '@socket.invalid/')).pathname.slice(1);
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}
