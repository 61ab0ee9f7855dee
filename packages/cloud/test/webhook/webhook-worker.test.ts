import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { sql } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { committed } from '../../src/context.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { type CloudSchema, MIGRATIONS } from '../../src/index.ts';
import { openDeploymentSecret } from '../../src/seal.ts';
import {
  openWebhookWorker,
  webhookParts,
  type WebhookWorker,
} from '../../src/webhook/webhook-worker.ts';
import { createWebhook, listDeliveries, type WebhookParts } from '../../src/webhook/webhooks.ts';
import { manualTimer, repeatingEntropy, standingClock } from '../support/ports.ts';
import { unexpected } from '../support/world.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const secret = openDeploymentSecret(new Uint8Array(32).fill(7));
const clock = standingClock();
let test: TestDatabase<CloudSchema>;
let receiver: { readonly server: Server; readonly url: string };
let received: Received[] = [];
let answer: (response: ServerResponse) => void;
let parts: WebhookParts;
let worker: WebhookWorker;

before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      answer(response);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  receiver = { server, url: `http://127.0.0.1:${address.port}/hook` };
  const { database } = test;
  const context = { database, events: eventLog, clock, entropy: repeatingEntropy('webhooks') };
  const options = { context, secret, webhookAllow: ['127.0.0.1'], failed: unexpected };
  parts = webhookParts(options);
  worker = openWebhookWorker({ ...options, timer: manualTimer() });
  await database.kysely
    .insertInto('tenant')
    .values({ tenant_id: 'other', name: 'Other' })
    .execute();
  await database.kysely
    .insertInto('vehicle')
    .values([{ vehicle_id: 'car-1' }, { vehicle_id: 'car-2', tenant: 'other' }])
    .execute();
  await run();
});
after(async () => {
  await worker.close();
  receiver.server.closeAllConnections();
  receiver.server.close();
  await test.drop();
});
beforeEach(async () => {
  received = [];
  answer = (response) => response.end();
  await test.database.kysely.deleteFrom('webhook').execute();
  await run();
});

/** Runs the worker once no transaction of this server, which other tests use too, holds events back. */
async function run(): Promise<number> {
  for (let count = 0; count < 6000; count += 1) {
    const { rows } = await sql`select from event
      where tx >= pg_snapshot_xmin(pg_current_snapshot()) limit 1`.execute(test.database.kysely);
    if (rows.length === 0) return await worker.run();
    // The server waits, so that whoever holds it back gets on.
    await sql`select pg_sleep(0.01)`.execute(test.database.kysely);
  }
  throw new RangeError('a transaction stays open');
}

async function happen(
  stream: string,
  kind: 'campaign.started' | 'vehicle.first-seen',
): Promise<void> {
  const event = { stream, kind, at: clock.now(), body: { campaignId: 'c-1' } } as const;
  await committed(test.database, (tx) => eventLog.append(tx, [event]));
}

async function hook(
  events: readonly string[],
  tenant = 'main',
): Promise<{ id: string; secret: string }> {
  const owner = { tenant, by: 'test' };
  const made = await createWebhook(parts, owner, { url: receiver.url, events });
  return { id: made.webhook.webhook_id, secret: made.secret };
}

async function deliveries(webhookId: string): Promise<readonly [string, number][]> {
  const page = { before: undefined, limit: 100 };
  const rows = await listDeliveries(parts, { tenant: 'main', webhookId }, page);
  return rows.map(({ state, attempts }) => [state, attempts]);
}

describe('webhooks', () => {
  it('are sent what they listen to, signed, and nothing of another tenant', async () => {
    const { id, secret: told } = await hook(['campaign.*', 'vehicle.first-seen']);
    await happen('fleet', 'campaign.started');
    await happen('fleet:other', 'campaign.started');
    await happen('car-1', 'vehicle.first-seen');
    await happen('car-2', 'vehicle.first-seen');
    assert.equal(await run(), 2);
    assert.deepEqual(
      received.map(({ body }) => (JSON.parse(body) as { readonly type: string }).type).toSorted(),
      ['campaign.started', 'vehicle.first-seen'],
    );
    for (const { headers, body } of received) {
      const message = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      const key = Buffer.from(told.replace('whsec_', ''), 'base64');
      const mac = createHmac('sha256', key).update(message).digest('base64');
      assert.equal(headers['webhook-signature'], `v1,${mac}`);
    }
    assert.deepEqual(await deliveries(id), [
      ['delivered', 1],
      ['delivered', 1],
    ]);
    assert.equal(await run(), 0);
    const row = await test.database.kysely
      .selectFrom('webhook')
      .select('sealed_secret')
      .executeTakeFirstOrThrow();
    const key = Buffer.from(told.replace('whsec_', ''), 'base64');
    assert.ok(!Buffer.from(row.sealed_secret).includes(key), 'secrets are sealed at rest');
  });

  it('are tried again later and later, with the same id, and given up with an event', async () => {
    answer = (response) => response.writeHead(500).end();
    const { id } = await hook(['campaign.started', 'webhook.given-up']);
    await happen('fleet', 'campaign.started');
    const waits: number[] = [];
    for (let tries = 1; tries <= 10; tries += 1) {
      assert.equal(await run(), 1);
      const row = await test.database.kysely
        .selectFrom('webhook_delivery')
        .selectAll()
        .where('webhook_id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.next_at === null) break;
      waits.push(row.next_at.since(clock.now()).total('seconds'));
      assert.equal(await run(), 0);
      clock.advance({ seconds: waits.at(-1) ?? 0 });
    }
    assert.deepEqual(waits, [5, 20, 80, 320, 1280, 5120, 20_480, 21_600, 21_600]);
    assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.deepEqual(await deliveries(id), [['given-up', 10]]);
    const given = await test.database.kysely
      .selectFrom('event')
      .select('body')
      .where('kind', '=', 'webhook.given-up')
      .execute();
    assert.equal(given.length, 1);
    // That it cannot be reached is not sent to it.
    assert.equal(await run(), 0);
  });

  it('follow no redirect, and take 410 for an end', async () => {
    answer = (response) => response.writeHead(302, { location: receiver.url }).end();
    const { id } = await hook(['campaign.started']);
    await happen('fleet', 'campaign.started');
    await run();
    assert.deepEqual([received.length, await deliveries(id)], [1, [['waiting', 1]]]);
    answer = (response) => response.writeHead(410).end();
    clock.advance({ seconds: 6 });
    await run();
    assert.deepEqual(await deliveries(id), [['given-up', 2]]);
    await happen('fleet', 'campaign.started');
    assert.equal(await run(), 0);
  });

  it('lose nothing when the process is killed while it sends', async () => {
    const { id } = await hook(['campaign.started']);
    await happen('fleet', 'campaign.started');
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    answer = () => {
      resolve();
    };
    const fixture = new URL('../fixture/webhook-worker.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [fixture, test.url, clock.now().toString()], {
      stdio: 'ignore',
    });
    const exited = Promise.withResolvers<void>();
    child.once('exit', () => {
      exited.resolve();
    });
    await arrived;
    child.kill('SIGKILL');
    await exited.promise;
    answer = (response) => response.end();
    assert.equal(await run(), 0);
    clock.advance({ minutes: 1, seconds: 1 });
    assert.equal(await run(), 1);
    assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.deepEqual(await deliveries(id), [['delivered', 2]]);
  });
});
