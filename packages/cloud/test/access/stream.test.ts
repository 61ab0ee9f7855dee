import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX } from '@immota/api';
import { committed } from '../../src/context.ts';
import { createTenant } from '../../src/access/tenants.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { createToken, revokeToken, saveVehicle } from '../../src/index.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform();
  const { context } = world.platform.cloud;
  await createTenant(context, { tenantId: 'other', name: 'Other' });
  await saveVehicle(context, { vehicleId: 'car-x1', model: 'X1' });
  await saveVehicle(context, { vehicleId: 'car-x2', model: 'X2' });
  await saveVehicle(context, { vehicleId: 'car-other', model: 'X1' }, { tenant: 'other' });
});
after(() => world.close());

async function happen(streams: readonly string[]): Promise<void> {
  const { context } = world.platform.cloud;
  const at = context.clock.now();
  const kind = 'campaign.started';
  const events = streams.map((stream) => ({ stream, kind, at, body: { of: stream } }) as const);
  await committed(context.database, (tx) => eventLog.append(tx, events));
}

interface Live {
  /** Reads until so many events came, or the stream ended. */
  take(count: number): Promise<readonly { readonly id: string; readonly stream: string }[]>;
  close(): void;
  readonly status: number;
}

async function listen(
  token: string,
  { query = '', lastEventId }: { readonly query?: string; readonly lastEventId?: string } = {},
): Promise<Live> {
  const abort = new AbortController();
  const response = await fetch(`${world.platform.urls.operator}${OPERATOR_PREFIX}/stream${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: abort.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const found = (): readonly { readonly id: string; readonly stream: string }[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.includes('data:'))
      .map((block) => {
        // A browser tells named events to nobody who listens to all.
        assert.doesNotMatch(block, /^event:/m);
        const id = /^id: (.*)$/m.exec(block)?.[1] ?? '';
        const data = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as { stream: string };
        return { id, stream: data.stream };
      });
  return {
    status: response.status,
    close: () => {
      abort.abort();
    },
    async take(count) {
      while (found().length < count) {
        const part = await reader?.read();
        if (part === undefined || part.done) break;
        text += part.value;
      }
      const all = found();
      text = '';
      return all;
    },
  };
}

const ALL = ['fleet', 'fleet:other', 'car-x1', 'car-x2', 'car-other'];

describe('GET /stream', () => {
  it('tells what happens in the scope of whoever listens, and goes on where they were', async () => {
    const { context } = world.platform.cloud;
    const bounded = await createToken(context, {
      name: 'bounded',
      role: 'viewer',
      uploadsFor: [],
      ttlDays: 1,
      fleet: { tenant: 'main', query: 'vehicle.model == "X1"' },
    });
    const other = await createToken(context, {
      name: 'other viewer',
      role: 'viewer',
      uploadsFor: [],
      ttlDays: 1,
      fleet: { tenant: 'other' },
    });
    const query = '?kinds=campaign.';
    const tokens = [world.tokens.get('viewer') ?? '', bounded.token, other.token];
    const live = await Promise.all(tokens.map((token) => listen(token, { query })));
    await happen(ALL);
    const heard = await Promise.all(
      live.map(async (one, index) => {
        const events = await one.take(index === 0 ? 3 : 2);
        one.close();
        return events;
      }),
    );
    assert.deepEqual(
      heard.map((events) => events.map(({ stream }) => stream)),
      [
        ['fleet', 'car-x1', 'car-x2'],
        ['fleet', 'car-x1'],
        ['fleet:other', 'car-other'],
      ],
    );
    const again = await listen(tokens[0] ?? '', { query, lastEventId: heard[0]?.[0]?.id ?? '' });
    assert.deepEqual(
      (await again.take(2)).map(({ stream }) => stream),
      ['car-x1', 'car-x2'],
    );
    again.close();
  });

  it('ends when whoever listens is let in no more', async () => {
    const { context } = world.platform.cloud;
    const description = { name: 'short', role: 'viewer', uploadsFor: [], ttlDays: 1 } as const;
    const { token } = await createToken(context, description);
    const live = await listen(token, { query: '?kinds=campaign.' });
    await revokeToken(context, 'short');
    assert.deepEqual(await live.take(1), []);
  });

  it('refuses a place that is none, and more streams than one may have', async () => {
    const token = world.tokens.get('operator') ?? '';
    assert.equal((await listen(token, { lastEventId: 'x' })).status, 400);
    const live = await Promise.all(Array.from({ length: 10 }, () => listen(token)));
    const over = await listen(token);
    assert.deepEqual([live[9]?.status, over.status], [200, 429]);
    for (const one of live) one.close();
  });
});
