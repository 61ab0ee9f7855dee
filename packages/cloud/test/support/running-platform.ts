/** The whole cloud as one process on a real database, with a token for each role. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_ROLES, type ApiRole } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { type DeviceCredentials, parseDeviceId } from '@immota/pki';
import { openTestDatabase } from '@immota/store/testing';
import { initialiseCloud } from '../../src/cloud.ts';
import {
  type CloudSchema,
  createToken,
  type Platform,
  type PlatformOptions,
  startPlatform,
} from '../../src/index.ts';
import { issueCredentials } from '../../src/inventory/credentials.ts';
import { standingClock, type TestClock } from './ports.ts';
import { unexpected } from './world.ts';

/** An answer of the operator API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: JsonObject;
}

/** What a request differs in from a bare one. */
export interface ApiAsk {
  /** A role's own token, or the header as it stands; none when left out. */
  readonly as?: ApiRole;
  readonly authorization?: string;
  readonly json?: unknown;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** See the head of the file. */
export interface TestPlatform {
  readonly platform: Platform;
  readonly clock: TestClock;
  readonly tokens: ReadonlyMap<ApiRole, string>;
  ask(method: string, path: string, ask?: ApiAsk): Promise<ApiAnswer>;
  credentials(deviceId: string): Promise<DeviceCredentials>;
  close(): Promise<void>;
}

/** Starts one. */
export async function startTestPlatform({
  startsAt,
  ...overrides
}: Partial<PlatformOptions> & {
  /** For whoever judges by the machine's clock. */
  readonly startsAt?: string;
} = {}): Promise<TestPlatform> {
  const test = await openTestDatabase<CloudSchema>();
  const folder = await mkdtemp(join(tmpdir(), 'immota-platform-'));
  const clock = standingClock(startsAt);
  const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
  const options = {
    folder: join(folder, 'data'),
    databaseUrl: test.url,
    clock,
    entropy,
    host: '127.0.0.1',
    failed: unexpected,
    ...overrides,
  };
  await initialiseCloud({
    ...options,
    organization: 'Test Motors',
    profile: 'classic',
    withOfflineKeys: true,
  });
  const platform = await startPlatform(options);
  const { context } = platform.cloud;
  const tokens = new Map<ApiRole, string>();
  for (const role of API_ROLES) {
    const description = { name: `the ${role}`, role, uploadsFor: ['targets'], ttlDays: 30 };
    tokens.set(role, (await createToken(context, description)).token);
  }
  return {
    platform,
    clock,
    tokens,
    async ask(method, path, { as, authorization, json, body, headers = {} } = {}) {
      const own = as === undefined ? authorization : `Bearer ${tokens.get(as) ?? ''}`;
      const init: RequestInit = {
        method,
        headers: {
          ...(own === undefined ? {} : { authorization: own }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? (body ?? null) : JSON.stringify(json),
      };
      const response = await fetchTwice(platform.urls.operator + path, init);
      const text = await response.text();
      const parsed = (text === '' ? {} : JSON.parse(text)) as JsonObject;
      return { status: response.status, headers: response.headers, json: parsed };
    },
    credentials: (deviceId) => issueCredentials(context, parseDeviceId(deviceId)),
    async close() {
      await platform.close();
      await test.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** The server closes a connection on which it refused a body half-way; the next request may find it so. */
async function fetchTwice(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const isClosed = cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_SOCKET';
    if (!isClosed) throw error;
    return await fetch(url, init);
  }
}
