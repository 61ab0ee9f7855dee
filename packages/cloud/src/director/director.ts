/**
 * The Director {uptane A4} {uptane E1}: takes manifests in, keeps each vehicle's metadata in force, and knows at
 * once whether a vehicle that asks for news has any.
 */
import { createBatcher, sql } from '@immota/store';
import type { Root } from '@immota/uptane';
import type { CloudContext } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { Catalogue } from '../image-repository/catalogue.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { loadVehicles, type VehicleRecord } from '../inventory/vehicle-record.ts';
import { BATCH_ITEMS, BATCH_PENDING_MAX } from '../limits.ts';
import type { Keystore } from '../trust/keystore.ts';
import type { Lifetimes } from '../trust/lifetimes.ts';
import { METADATA_CHANNEL } from '../trust/publish.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import { DIRECTOR_CHANNEL } from './director-channel.ts';
import { type FetchedFiles, markFetched } from './fetched.ts';
import { openManifestIntake } from './manifest-intake.ts';
import { type PlannedVehicle, VehiclePlanner } from './plan-vehicles.ts';
import { type Planner, PLANS_CHANNEL, type ReportObserver } from './ports.ts';
import { chooseSigners, type DirectorSigners } from './sign-plan.ts';
import { VersionCache } from './version-cache.ts';

/** What a Director is made of. */
export interface DirectorOptions {
  readonly planner: Planner;
  readonly observer: ReportObserver;
  readonly trust: TrustStore;
  readonly catalogue: Catalogue;
  readonly keystore: Keystore;
  readonly lifetimes: Lifetimes;
  readonly cdnBase: string | undefined;
  /** Told of what went wrong behind an answer that was given. */
  readonly failed: (error: unknown) => void;
}

/** The roles of which a vehicle has files of its own. */
export type DirectorFile = 'targets' | 'snapshot' | 'timestamp';

/** A file in force. */
export interface DirectorAnswer {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** See the head of the file. */
export interface Director {
  /**
   * Accepts a manifest; when this returns it is durable, and what it changes for the vehicle is signed.
   *
   * @throws as `ManifestIntake.accept`.
   */
  accept(vehicleId: string, body: Uint8Array): Promise<void>;
  /**
   * Tells whether a version is still the one in force, from memory alone.
   *
   * @returns false when it is not, or when that is not known.
   */
  isCurrent(vehicleId: string, version: number): boolean;
  /**
   * Loads a file in force; before it runs out, or when plans changed, it is made anew first.
   *
   * @throws CloudFault NOT_REGISTERED when the inventory has no such vehicle.
   */
  load(vehicleId: string, file: DirectorFile): Promise<DirectorAnswer>;
  /** Plans and signs for vehicles ahead of their next contact, in batches. @returns how many are ready. */
  prepare(vehicleIds: Iterable<string>): Promise<number>;
  close(): Promise<void>;
}

/** Opens the Director. */
export async function openDirector(
  context: CloudContext,
  options: DirectorOptions,
): Promise<Director> {
  const director = new OpenDirector(context, options);
  await director.listen();
  return director;
}

/** While the database takes one batch, the next one is signed. */
const BATCHES_AT_ONCE = 2;

class OpenDirector implements Director {
  readonly #context: CloudContext;
  readonly #options: DirectorOptions;
  readonly #cache = new EcuKeyCache();
  readonly #versions: VersionCache;
  readonly #planner: VehiclePlanner;
  readonly #intake;
  readonly #planning;
  readonly #refreshing;
  readonly #reading;
  readonly #fetching;
  readonly #subscriptions: { close(): Promise<void> }[] = [];

  constructor(context: CloudContext, options: DirectorOptions) {
    const { observer, keystore, trust, catalogue, cdnBase, lifetimes, planner } = options;
    this.#context = context;
    this.#options = options;
    this.#versions = new VersionCache(context.clock, lifetimes.directorHours);
    let chosen: { readonly root: Root; readonly signers: DirectorSigners } | undefined;
    const signers = (): DirectorSigners => {
      const root = trust.director().root.body;
      if (chosen?.root !== root) chosen = { root, signers: chooseSigners(keystore, root) };
      return chosen.signers;
    };
    // Better no start than metadata that every vehicle refuses.
    signers();
    this.#planner = new VehiclePlanner({
      context,
      planner,
      observer,
      signing: { signers, catalogue, entropy: context.entropy, cdnBase },
      directorHours: lifetimes.directorHours,
      rootSince: () => trust.director().rootSince,
    });
    this.#intake = openManifestIntake(context, { cache: this.#cache, observer });
    const bounds = { maxItems: BATCH_ITEMS, maxDelayMs: 0, maxPending: BATCH_PENDING_MAX };
    this.#planning = createBatcher<VehicleRecord, PlannedVehicle | undefined>({
      ...bounds,
      flush: (records) => this.#plan(records),
    });
    this.#refreshing = createBatcher<string, PlannedVehicle | undefined>({
      ...bounds,
      flush: (ids) => this.#refresh(ids),
    });
    this.#reading = createBatcher<string, StoredFiles | undefined>({
      ...bounds,
      maxFlushes: 2,
      flush: (ids) => this.#read(ids),
    });
    this.#fetching = createBatcher<FetchedFiles, undefined>({
      ...bounds,
      flush: (fetched) => markFetched(context, observer, fetched),
    });
  }

  async listen(): Promise<void> {
    const { database } = this.#context;
    const forgetAll = (): void => {
      this.#versions.forgetAll();
    };
    const listen = async (channel: string, heard: (payload: string) => void): Promise<void> => {
      const subscription = await database.listen(channel, (payload) => {
        if (payload === undefined || payload === '') forgetAll();
        else heard(payload);
      });
      this.#subscriptions.push(subscription);
    };
    const forget = (payload: string): void => {
      for (const id of payload.split(' ')) this.#versions.forget(id);
    };
    await listen(DIRECTOR_CHANNEL, forget);
    await listen(PLANS_CHANNEL, forget);
    await listen(METADATA_CHANNEL, forgetAll);
  }

  async accept(vehicleId: string, body: Uint8Array): Promise<void> {
    const { record, assessment } = await this.#intake.accept(vehicleId, body);
    const next = assessment?.next ?? record.inventory;
    try {
      await this.#versions.resolve(vehicleId, () =>
        this.#planning.add({ ...record, inventory: next }),
      );
    } catch (error) {
      // The manifest is durable, and that is what the vehicle is told. Its next request plans again.
      this.#options.failed(error);
    }
  }

  isCurrent(vehicleId: string, version: number): boolean {
    return this.#versions.find(vehicleId)?.version === version;
  }

  async load(vehicleId: string, file: DirectorFile): Promise<DirectorAnswer> {
    if (this.#versions.find(vehicleId) === undefined) {
      await this.#versions.resolve(vehicleId, () => this.#refreshing.add(vehicleId));
    }
    const stored = await this.#reading.add(vehicleId);
    if (stored === undefined) {
      throw new CloudFault('NOT_REGISTERED', `Cannot load metadata: ${vehicleId} is not known`);
    }
    const { version } = stored;
    if (file === 'targets' && stored.correlation_id !== null && stored.fetched_at === null) {
      // Durable before it is answered: the next manifest is held against it.
      await this.#fetching.add({ vehicleId, version });
    }
    return { version, bytes: stored[file] };
  }

  async prepare(vehicleIds: Iterable<string>): Promise<number> {
    let count = 0;
    let batch: string[] = [];
    const underWay: Promise<number>[] = [];
    const settle = async (): Promise<void> => {
      count += (await underWay.shift()) ?? 0;
    };
    const begin = async (): Promise<void> => {
      if (underWay.length === BATCHES_AT_ONCE) await settle();
      const work = this.#refreshAll(batch);
      // Whoever awaits it hears of a failure; until then it must not count as unhandled.
      work.catch(() => undefined);
      underWay.push(work);
      batch = [];
    };
    for (const vehicleId of vehicleIds) {
      batch.push(vehicleId);
      if (batch.length === BATCH_ITEMS) await begin();
    }
    if (batch.length > 0) await begin();
    while (underWay.length > 0) await settle();
    return count;
  }

  async #refreshAll(vehicleIds: readonly string[]): Promise<number> {
    const planned = await this.#refresh(vehicleIds);
    return planned.filter((one) => one !== undefined).length;
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription.close();
    await this.#intake.close();
    for (const batcher of [this.#planning, this.#refreshing, this.#reading, this.#fetching]) {
      await batcher.close();
    }
  }

  /** Plans for records that may name one vehicle twice: the last says how it is now. */
  async #plan(records: readonly VehicleRecord[]): Promise<readonly (PlannedVehicle | undefined)[]> {
    const newest = new Map(records.map((record) => [record.inventory.vehicleId, record]));
    const distinct = [...newest.values()];
    const planned = await this.#planner.plan(distinct);
    const byId = new Map(
      distinct.map(({ inventory }, index) => [inventory.vehicleId, planned[index]]),
    );
    return records.map(({ inventory }) => byId.get(inventory.vehicleId));
  }

  async #refresh(ids: readonly string[]): Promise<readonly (PlannedVehicle | undefined)[]> {
    const records = await loadVehicles(
      this.#context.database.kysely,
      [...new Set(ids)],
      this.#cache,
    );
    const known = [...records.values()];
    const planned = await this.#planner.plan(known);
    const byId = new Map(
      known.map(({ inventory }, index) => [inventory.vehicleId as string, planned[index]]),
    );
    return ids.map((id) => byId.get(id));
  }

  async #read(ids: readonly string[]): Promise<readonly (StoredFiles | undefined)[]> {
    const { rows } = await sql<StoredFiles>`
      select vehicle_id, version, targets, snapshot, timestamp, correlation_id, fetched_at
      from vehicle_director where vehicle_id = any(${[...new Set(ids)]})`.execute(
      this.#context.database.kysely,
    );
    const byId = new Map(rows.map((row) => [row.vehicle_id, row]));
    return ids.map((id) => byId.get(id));
  }
}

interface StoredFiles {
  readonly vehicle_id: string;
  readonly version: number;
  readonly targets: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly timestamp: Uint8Array;
  readonly correlation_id: string | null;
  readonly fetched_at: Temporal.Instant | null;
}
