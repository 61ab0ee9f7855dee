/** A Director on a real database, with published images, a planner the test decides for, and a memory. */
import assert from 'node:assert/strict';
import { generateSigner } from '@immota/pki';
import { transaction } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { parseEcuIdentifier, parseInstallableName } from '@immota/uptane';
import type { CloudContext } from '../../src/context.ts';
import { type Director, openDirector } from '../../src/director/director.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { createCatalogue } from '../../src/image-repository/catalogue.ts';
import {
  type CloudSchema,
  MIGRATIONS,
  type Observation,
  type Planner,
  type ReportObserver,
  type UpdatePlan,
} from '../../src/index.ts';
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

/** A planner that offers what a test says. */
export class ScriptedPlanner implements Planner {
  readonly plans = new Map<string, UpdatePlan>();
  calls = 0;

  plan: Planner['plan'] = (vehicles) => {
    this.calls += 1;
    return Promise.resolve(vehicles.map(({ vehicleId }) => this.plans.get(vehicleId)));
  };

  /** Offers images to ECUs of a vehicle. */
  offer(vehicleId: string, correlationId: string, images: Readonly<Record<string, string>>): void {
    this.plans.set(vehicleId, {
      correlationId,
      images: new Map(
        Object.entries(images).map(([ecu, image]) => [
          parseEcuIdentifier(ecu),
          parseInstallableName(image),
        ]),
      ),
    });
  }
}

/** See the head of the file. */
export interface DirectorWorld {
  readonly test: TestDatabase<CloudSchema>;
  readonly trust: TestTrust;
  readonly store: TrustStore;
  readonly context: CloudContext & { readonly clock: TestClock };
  readonly planner: ScriptedPlanner;
  readonly observed: Observation[];
  readonly director: Director;
  /** Publishes images in the Image repository. */
  publish(images: readonly TestImage[]): Promise<void>;
  /** The kinds of a stream's events, in order. */
  eventsOf(stream: string): Promise<readonly string[]>;
  /** Another Director on the same database, as another process would be. */
  openSecond(): Promise<Director>;
  close(): Promise<void>;
}

/** Fails the test when something goes wrong behind an answer. */
export function unexpected(error: unknown): void {
  assert.ifError(error);
}

/** Opens a world with empty repositories. */
export async function openDirectorWorld(): Promise<DirectorWorld> {
  const test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const { database } = test;
  const trust = testTrust(database);
  await initialiseRepositories(trust);
  const store = await openTrustStore(trust, unexpected);
  const entropy = repeatingEntropy('director');
  const context = { database, events: eventLog, clock: trust.clock, entropy };
  const secret = openDeploymentSecret(entropy.bytes(32));
  const catalogue = createCatalogue(database, store, createSealer(secret, 'content keys', entropy));
  const planner = new ScriptedPlanner();
  const observed: Observation[] = [];
  const observer: ReportObserver = {
    observe: (_, observations) => {
      observed.push(...observations);
      return Promise.resolve();
    },
  };
  const { keystore, lifetimes } = trust;
  const open = (): Promise<Director> =>
    openDirector(context, {
      planner,
      observer,
      trust: store,
      catalogue,
      keystore,
      lifetimes,
      cdnBase: undefined,
      failed: unexpected,
    });
  const director = await open();
  const others: Director[] = [];
  return {
    test,
    trust,
    store,
    context,
    planner,
    observed,
    director,
    async publish(images) {
      for (const image of images) await insertImage(database, image);
      await publishMetadata(
        trust,
        await signTargets(trust, 'targets', { add: images.map(describeImage) }),
      );
      await store.reload();
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
    async openSecond() {
      const second = await open();
      others.push(second);
      return second;
    },
    async close() {
      for (const one of [...others, director]) await one.close();
      await store.close();
      await test.drop();
    },
  };
}

/** Empties what a test file's tests share. */
export async function emptyVehicles({ test, planner, observed }: DirectorWorld): Promise<void> {
  await transaction(test.database, (tx) => tx.deleteFrom('vehicle').execute());
  await test.database.kysely.deleteFrom('event').execute();
  planner.plans.clear();
  observed.length = 0;
}

/** A key that nobody knows. */
export const stranger = generateSigner('ed25519');
