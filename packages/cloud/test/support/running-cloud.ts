/** A whole cloud on a real database, real sockets and real certificates. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeCertificatesPem, type DeviceCredentials, parseDeviceId } from '@immota/pki';
import { openTestDatabase } from '@immota/store/testing';
import { initialiseCloud } from '../../src/cloud.ts';
import type { CloudSchema, Observation } from '../../src/index.ts';
import { issueCredentials } from '../../src/inventory/credentials.ts';
import { type RunningCloud, type ServeOptions, startCloud } from '../../src/serve.ts';
import { deviceClient, TestClient } from './client.ts';
import { standingClock, type TestClock } from './ports.ts';
import { ScriptedPlanner, unexpected } from './world.ts';

/** See the head of the file. */
export interface TestCloud {
  /** The one that runs now. */
  readonly running: RunningCloud;
  readonly clock: TestClock;
  readonly planner: ScriptedPlanner;
  readonly observed: Observation[];
  readonly options: ServeOptions;
  /** A device with credentials of its own. */
  credentials(deviceId: string): Promise<DeviceCredentials>;
  /** Its client. */
  client(deviceId: string, keepAlive?: boolean): Promise<TestClient>;
  /** A client without a certificate. */
  stranger(): TestClient;
  /** The kinds of a stream's events. */
  eventsOf(stream: string): Promise<readonly string[]>;
  /** Stops it, and starts it again on the same folder and database. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one. */
export async function startTestCloud(overrides: Partial<ServeOptions> = {}): Promise<TestCloud> {
  const test = await openTestDatabase<CloudSchema>();
  const folder = await mkdtemp(join(tmpdir(), 'immota-cloud-'));
  // TLS clients judge certificates by the machine's clock, so the cloud's begins where that is.
  const clock = standingClock(Temporal.Now.instant().toString());
  const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
  const planner = new ScriptedPlanner();
  const observed: Observation[] = [];
  const options: ServeOptions = {
    folder: join(folder, 'data'),
    databaseUrl: test.url,
    clock,
    entropy,
    host: '127.0.0.1',
    failed: unexpected,
    rate: { burst: 100_000, perSecond: 1000 },
    campaigns: () => ({
      planner,
      observer: {
        observe: (_, observations) => {
          observed.push(...observations);
          return Promise.resolve();
        },
      },
    }),
    ...overrides,
  };
  await initialiseCloud({
    ...options,
    organization: 'Test Motors',
    profile: 'classic',
    withOfflineKeys: true,
  });
  let running = await startCloud(options);
  const clients: TestClient[] = [];
  const { authorities } = running.cloud;
  const credentials = (deviceId: string): Promise<DeviceCredentials> =>
    issueCredentials(running.cloud.context, parseDeviceId(deviceId));
  return {
    get running() {
      return running;
    },
    clock,
    planner,
    observed,
    options,
    credentials,
    async client(deviceId, keepAlive) {
      const client = deviceClient(running.urls.gateway, await credentials(deviceId), keepAlive);
      clients.push(client);
      return client;
    },
    stranger() {
      const client = new TestClient(running.urls.gateway, {
        ca: encodeCertificatesPem([authorities.root]),
      });
      clients.push(client);
      return client;
    },
    async eventsOf(stream) {
      const rows = await running.cloud.context.database.kysely
        .selectFrom('event')
        .select('kind')
        .where('stream', '=', stream)
        .orderBy('sequence')
        .execute();
      return rows.map(({ kind }) => kind);
    },
    async restart() {
      await running.close();
      running = await startCloud(options);
    },
    async close() {
      for (const client of clients) client.close();
      await running.close();
      await test.drop();
      await rm(folder, { recursive: true });
    },
  };
}
