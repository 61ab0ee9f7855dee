/** Director, campaigns and repositories together on a real database, with vehicles that report. */
import type { JsonObject, Signer } from '@immota/base';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { AKTUALIZR, parseVehicleIdentifier, signMetadata } from '@immota/uptane';
import { type CampaignRoomParts, createCampaignRoom } from '../../src/campaign/campaign-room.ts';
import { findCampaign } from '../../src/campaign/correlation.ts';
import { committed, type CloudContext } from '../../src/context.ts';
import { type Director, openDirector } from '../../src/director/director.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { createCatalogue } from '../../src/image-repository/catalogue.ts';
import { type CloudSchema, MIGRATIONS, type Observation } from '../../src/index.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { createSealer, openDeploymentSecret } from '../../src/seal.ts';
import { initialiseRepositories } from '../../src/trust/initialise.ts';
import { publishMetadata } from '../../src/trust/publish.ts';
import { openTrustStore, type TrustStore } from '../../src/trust/trust-store.ts';
import { repeatingEntropy, type TestClock } from './ports.ts';
import {
  describeImage,
  insertImage,
  signTargets,
  type TestImage,
  type TestTrust,
  testTrust,
} from './repositories.ts';
import { TestVehicle } from './vehicle.ts';
import { unexpected } from './world.ts';

/** Where a vehicle stands, as the database has it. */
export interface StoredPlace {
  readonly state: string;
  readonly reason: string | null;
  readonly measured: JsonObject;
  readonly attempts: number;
}

/** See the head of the file. */
export interface FleetWorld {
  readonly test: TestDatabase<CloudSchema>;
  readonly trust: TestTrust;
  readonly store: TrustStore;
  readonly context: CloudContext & { readonly clock: TestClock };
  readonly room: CampaignRoomParts;
  readonly director: Director;
  /** Publishes images in the Image repository. */
  publish(images: readonly TestImage[]): Promise<void>;
  /** Signs a release with the Image repository's Targets keys, or others. */
  sign(release: JsonObject, signers?: readonly Signer[]): Promise<Uint8Array>;
  /** Signs and stores a release. */
  release(release: JsonObject): Promise<string>;
  /** Registers a vehicle. */
  register(id: string, ecus: readonly (readonly [string, string])[]): Promise<TestVehicle>;
  /** Has a vehicle report to the Director. */
  report(vehicle: TestVehicle, options?: Parameters<TestVehicle['manifest']>[0]): Promise<void>;
  /** Tells the campaigns what became known. */
  observe(observations: readonly Observation[]): Promise<void>;
  place(vehicleId: string, campaignId: string): Promise<StoredPlace | undefined>;
  /** What is offered to a vehicle: its campaign, and images by ECU. */
  offer(vehicleId: string): Promise<Offered | undefined>;
  /** The kinds of a stream's events, in order. */
  eventsOf(stream: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What a vehicle is offered. */
export interface Offered {
  readonly campaignId: string | undefined;
  readonly images: Readonly<Record<string, string>>;
}

/** An image of one hardware; its bytes are its name. */
export function image(name: string, ...hardwareIds: readonly string[]): TestImage {
  return { name, bytes: Buffer.from(`bytes of ${name}`), hardwareIds };
}

/** A release of images, each with what it installs over. */
export function releaseOf(
  goal: Readonly<Record<string, string>>,
  images: readonly JsonObject[],
): JsonObject {
  return { _type: 'Release', name: 'line', version: '1', goal, images };
}

/** Opens a world with empty repositories. */
export async function openFleetWorld(): Promise<FleetWorld> {
  const test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const { database } = test;
  const trust = testTrust(database);
  await initialiseRepositories(trust);
  const store = await openTrustStore(trust, unexpected);
  const entropy = repeatingEntropy('fleet');
  const context = { database, events: eventLog, clock: trust.clock, entropy };
  const secret = openDeploymentSecret(entropy.bytes(32));
  const catalogue = createCatalogue(database, store, createSealer(secret, 'content keys', entropy));
  const room = createCampaignRoom({ context, store, approvals: 'self' });
  const { keystore, lifetimes } = trust;
  const director = await openDirector(context, {
    planner: room.planner,
    observer: room.observer,
    trust: store,
    catalogue,
    keystore,
    lifetimes,
    cdnBase: undefined,
    failed: unexpected,
  });
  const sign: FleetWorld['sign'] = async (release, signers) =>
    await signMetadata(AKTUALIZR, release, signers ?? trust.keys.get('image-targets') ?? []);
  return {
    test,
    trust,
    store,
    context,
    room,
    director,
    sign,
    async publish(images) {
      for (const one of images) await insertImage(database, one);
      const change = { add: images.map(describeImage) };
      await publishMetadata(trust, await signTargets(trust, 'targets', change));
      await store.reload();
    },
    async release(release) {
      return (await room.releases.create(await sign(release), 'engineer')).releaseId;
    },
    async register(id, ecus) {
      const vehicle = new TestVehicle(id, ecus);
      const registration = vehicle.registration();
      await registerEcus(context, id, { registration, policy: 'approve' });
      return vehicle;
    },
    async report(vehicle, options) {
      await director.accept(vehicle.id, await vehicle.manifest(options));
    },
    async observe(observations) {
      await committed(database, (tx) => room.observer.observe(tx, observations));
    },
    async place(vehicleId, campaignId) {
      return await database.kysely
        .selectFrom('campaign_vehicle')
        .select(['state', 'reason', 'measured', 'attempts'])
        .where('vehicle_id', '=', parseVehicleIdentifier(vehicleId))
        .where('campaign_id', '=', campaignId)
        .executeTakeFirst();
    },
    async offer(vehicleId) {
      const row = await database.kysely
        .selectFrom('vehicle_director')
        .select(['correlation_id', 'plan'])
        .where('vehicle_id', '=', vehicleId)
        .executeTakeFirst();
      if (row === undefined || row.correlation_id === null) return undefined;
      const images = row.plan['images'] as Readonly<Record<string, { readonly name: string }>>;
      return {
        campaignId: findCampaign(row.correlation_id),
        images: Object.fromEntries(Object.entries(images).map(([ecu, { name }]) => [ecu, name])),
      };
    },
    async eventsOf(stream) {
      const rows = await database.kysely
        .selectFrom('event')
        .select('kind')
        .where('stream', '=', stream)
        .orderBy('sequence')
        .execute();
      return rows.map(({ kind }) => kind);
    },
    async close() {
      await director.close();
      await store.close();
      await test.drop();
    },
  };
}
