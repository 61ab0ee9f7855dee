/** Puts the parts of a cloud together from its data folder: for the server, and for commands beside it. */
import type { Clock, Entropy } from '@immota/base';
import type { StatusLocations } from '@immota/pki';
import {
  type BlobStore,
  type Database,
  migrate,
  openDatabase,
  openFolderBlobStore,
  type StoreNotice,
} from '@immota/store';
import { mkdir } from 'node:fs/promises';
import { type Authorities, createAuthorities, loadAuthorities } from './authorities.ts';
import { type DataFolder, dataFolder, loadFile, saveNewFile } from './data-folder.ts';
import { eventLog } from './event-log/event-log.ts';
import { type Catalogue, createCatalogue } from './image-repository/catalogue.ts';
import { createImageUploads, type ImageUploads } from './image-repository/upload.ts';
import type { IssuingContext } from './inventory/credentials.ts';
import { MIGRATIONS } from './schema/migrations.ts';
import type { CloudSchema } from './schema/tables.ts';
import {
  createSealer,
  type DeploymentSecret,
  openDeploymentSecret,
  SECRET_LENGTH_BYTES,
  type Sealer,
} from './seal.ts';
import { initialiseRepositories } from './trust/initialise.ts';
import {
  createKeystore,
  generateKeys,
  type Keystore,
  loadKeystore,
  saveKeystore,
  type SigningProfile,
} from './trust/keystore.ts';
import { LIFETIMES, type Lifetimes } from './trust/lifetimes.ts';
import { publishMetadata, type OfferedFile, type TrustContext } from './trust/publish.ts';
import { openTrustStore, type TrustStore } from './trust/trust-store.ts';

/** Where a cloud keeps what it keeps, and where time and chance come from. */
export interface CloudOptions {
  /** Keys, certificates, images, and the embedded database unless `databaseUrl` names a server. */
  readonly folder: string;
  readonly databaseUrl?: string | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** The house's lifetimes when left out. */
  readonly lifetimes?: Lifetimes | undefined;
  /** How long devices' certificates are good; 825 days when left out. */
  readonly deviceDays?: number | undefined;
  /** Whether vehicles with bootstrap credentials must be on the list; `open` when left out. */
  readonly provisioning?: IssuingContext['provisioning'] | undefined;
  /**
   * Keys that are open already, for whoever opens one cloud after another: files are sealed so that opening
   * them takes its time. The files of the folder are read when left out.
   */
  readonly opened?: OpenedKeys | undefined;
  /** Sign on this thread alone, as `KeystoreFiles` says. */
  readonly signsHere?: boolean | undefined;
  /** Where revocations are published: goes into new certificates. */
  readonly status?: StatusLocations | undefined;
  /** Hears what an operator should hear of the database. */
  readonly notice?: ((notice: StoreNotice) => void) | undefined;
  /** Hears what failed behind an answer that was given. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

/** The keys that a cloud works with. */
export interface OpenedKeys {
  readonly keystore: Keystore;
  readonly authorities: Authorities;
}

/** An open cloud: everything but its servers. */
export interface Cloud {
  readonly folder: DataFolder;
  /** Also what issuing, registering and every other write needs. */
  readonly context: IssuingContext;
  /** What publishing needs. */
  readonly trust: TrustContext;
  readonly store: TrustStore;
  readonly keystore: Keystore;
  readonly authorities: Authorities;
  readonly catalogue: Catalogue;
  readonly blobs: BlobStore;
  readonly uploads: ImageUploads;
  readonly secret: DeploymentSecret;
  /** Of content keys. */
  readonly sealer: Sealer;
  /** Publishes, and sees it at once. @throws as `publishMetadata`. */
  publish(files: readonly OfferedFile[]): Promise<void>;
  close(): Promise<void>;
}

/** How a new cloud begins. */
export interface InitialiseOptions extends CloudOptions {
  readonly organization: string;
  readonly profile: SigningProfile;
  /**
   * Whether the repositories begin at once, with root and targets keys that are made here. A key ceremony
   * says no, and publishes its first Roots and Targets by `publish`.
   */
  readonly withOfflineKeys: boolean;
}

const DEVICE_DAYS = 825;
const CEREMONY_ROLES = ['director-root', 'image-root', 'image-targets'] as const;

/**
 * Makes a new cloud in an empty folder: secret, keys, authorities, database, and first metadata.
 *
 * @throws CloudFault DATA_FOLDER when there is one already.
 */
export async function initialiseCloud(options: InitialiseOptions): Promise<void> {
  const { organization, profile, withOfflineKeys, clock, entropy } = options;
  const folder = dataFolder(options.folder);
  await mkdir(folder.root, { recursive: true, mode: 0o755 });
  await saveNewFile(folder.secret, entropy.bytes(SECRET_LENGTH_BYTES));
  const secret = await loadSecret(folder);
  const passphrase = keyPassphrase(secret);
  const keys = new Map(generateKeys(profile));
  if (!withOfflineKeys) for (const role of CEREMONY_ROLES) keys.delete(role);
  saveKeystore({ folder: folder.keys, passphrase }, keys, entropy);
  await createAuthorities(folder, { organization, passphrase, clock, entropy });
  const database = await openMigrated(options, folder);
  try {
    if (withOfflineKeys) {
      const { lifetimes = LIFETIMES } = options;
      const keystore = createKeystore(keys);
      await initialiseRepositories({ database, keystore, lifetimes, clock, events: eventLog });
    }
  } finally {
    await database.close();
  }
}

/**
 * Opens a cloud.
 *
 * @throws CloudFault DATA_FOLDER when it was not initialised; StoreFault; PkiFault; UptaneFault when what is
 * published does not verify.
 */
export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { clock, entropy, lifetimes = LIFETIMES, failed = () => undefined } = options;
  const folder = dataFolder(options.folder);
  const secret = await loadSecret(folder);
  const { keystore, authorities } =
    options.opened ?? (await openKeys(folder, secret, options.signsHere));
  const blobs = await openFolderBlobStore({ folder: folder.blobs });
  const database = await openMigrated(options, folder);
  const trust: TrustContext = { database, keystore, lifetimes, clock, events: eventLog };
  let store: TrustStore;
  try {
    store = await openTrustStore(trust, failed);
  } catch (error) {
    await database.close();
    throw error;
  }
  const sealer = createSealer(secret, 'content keys', entropy);
  const context: IssuingContext = {
    database,
    events: eventLog,
    clock,
    entropy,
    devices: authorities.devices,
    serverRoots: [authorities.root],
    status: options.status,
    validityDays: options.deviceDays ?? DEVICE_DAYS,
    provisioning: options.provisioning ?? 'open',
  };
  const catalogue = createCatalogue(database, store, sealer);
  return {
    folder,
    context,
    trust,
    store,
    keystore,
    authorities,
    catalogue,
    blobs,
    uploads: createImageUploads({ context, store, blobs, sealer }),
    secret,
    sealer,
    async publish(files) {
      await publishMetadata(trust, files);
      await store.reload();
    },
    async close() {
      await store.close();
      await database.close();
    },
  };
}

async function loadSecret(folder: DataFolder): Promise<DeploymentSecret> {
  return openDeploymentSecret(await loadFile(folder.secret));
}

async function openKeys(
  folder: DataFolder,
  secret: DeploymentSecret,
  signsHere: boolean | undefined,
): Promise<OpenedKeys> {
  const passphrase = keyPassphrase(secret);
  const keystore = loadKeystore({ folder: folder.keys, passphrase, signsHere });
  return { keystore, authorities: await loadAuthorities(folder, passphrase) };
}

/** Key files of the cloud's own are sealed with what only the deployment's secret gives. */
function keyPassphrase(secret: DeploymentSecret): string {
  return Buffer.from(secret.derive('key files', 32)).toString('base64url');
}

async function openMigrated(
  { databaseUrl, notice }: CloudOptions,
  folder: DataFolder,
): Promise<Database<CloudSchema>> {
  const database = await openDatabase<CloudSchema>({
    url: databaseUrl,
    dataFolder: databaseUrl === undefined ? folder.database : undefined,
    applicationName: 'immota-cloud',
    notice,
  });
  try {
    await migrate(database, MIGRATIONS);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}
