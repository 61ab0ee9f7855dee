import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { OPERATOR_PREFIX, wakeTopic } from '@immota/api';
import { type DeviceCredentials, encodeCertificatesPem, encodeCredentialFiles } from '@immota/pki';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { createToken, revokeVehicle, setQuarantine } from '../../src/index.ts';
import { shownBy } from '../support/client.ts';
import { manualTimer } from '../support/ports.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

let world: TestPlatform;
const clients: MqttClient[] = [];
before(async () => {
  world = await startTestPlatform();
});
after(() => world.close());
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});

let count = 0;
async function credentials(): Promise<DeviceCredentials & { readonly id: string }> {
  count += 1;
  const id = `wake-${count}`;
  const own = await world.credentials(id);
  const { kysely } = world.platform.cloud.context.database;
  await kysely
    .insertInto('vehicle')
    .values({ vehicle_id: id })
    .onConflict((on) => on.doNothing())
    .execute();
  return { ...own, id };
}

function options(own: DeviceCredentials & { readonly id: string }): IClientOptions {
  const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(own);
  return {
    ca: rootPem,
    cert: clientPem,
    key: privateKeyPem,
    clientId: own.id,
    clean: true,
    reconnectPeriod: 0,
  };
}

function open(given: IClientOptions): MqttClient {
  const client = connect(world.platform.urls.wake, given);
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function heard(client: MqttClient, event: 'connect' | 'close'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once(event, () => {
    resolve();
  });
  await promise;
}

/** A vehicle that is connected and listens to its own topic. */
async function listening(): Promise<{
  readonly id: string;
  readonly client: MqttClient;
}> {
  const own = await credentials();
  const client = open(options(own));
  await heard(client, 'connect');
  await client.subscribeAsync(wakeTopic(own.id), { qos: 1 });
  return { id: own.id, client };
}

describe('the wake broker', () => {
  it('wakes a vehicle that listens, by its own topic and with nothing in the message', async () => {
    const { id, client } = await listening();
    const woken = Promise.withResolvers<readonly [string, number]>();
    client.once('message', (topic, payload) => {
      woken.resolve([topic, payload.length]);
    });
    const path = `${OPERATOR_PREFIX}/vehicles/${id}/wake-up`;
    const answer = await world.ask('POST', path, { as: 'operator' });
    assert.deepEqual(answer.json, { isSent: true });
    assert.deepEqual(await woken.promise, [wakeTopic(id), 0]);
  });

  it('says when a vehicle is not there to be woken', async () => {
    const { id } = await credentials();
    const path = `${OPERATOR_PREFIX}/vehicles/${id}/wake-up`;
    const answer = await world.ask('POST', path, { as: 'operator' });
    assert.deepEqual(answer.json, { isSent: false });
  });

  it('lets no vehicle listen to another, or to all', async () => {
    const { client } = await listening();
    for (const topic of [wakeTopic('wake-other'), '#', 'vehicles/+/wake', '$SYS/#']) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      client.subscribe(topic, { qos: 1 }, (_error, _granted, packet) => {
        resolve(packet?.granted);
      });
      assert.deepEqual(await promise, [0x80]);
    }
  });

  it('takes no message of a vehicle, not to its own topic either', async () => {
    const { id, client } = await listening();
    const closed = heard(client, 'close');
    client.publish(wakeTopic(id), 'wake', { qos: 1 });
    await closed;
  });

  it('turns away who bears another vehicle’s name, and that vehicle stays', async () => {
    const { id, client } = await listening();
    const thief = open({ ...options(await credentials()), clientId: id });
    await heard(thief, 'close');
    assert.equal(client.connected, true);
  });

  it('turns away who would leave a session or a will behind', async () => {
    for (const change of [
      { clean: false },
      { will: { topic: 'vehicles/x/wake', payload: Buffer.from(''), qos: 0, retain: false } },
    ] as const) {
      const client = open({ ...options(await credentials()), ...change });
      let isConnected = false;
      client.on('connect', () => {
        isConnected = true;
      });
      await heard(client, 'close');
      assert.equal(isConnected, false);
    }
  });

  it('turns away who shows no certificate, a stranger’s, or one that was revoked', async () => {
    const { authorities, context } = world.platform.cloud;
    const ca = encodeCertificatesPem([authorities.root]);
    const revoked = await credentials();
    await revokeVehicle(context, revoked.id, { reason: 'keyCompromise', by: 'test' });
    await world.platform.access.reload();
    const bare = { ca, clientId: 'x', clean: true, reconnectPeriod: 0 };
    for (const given of [bare, options(revoked)]) {
      const client = open(given);
      let isConnected = false;
      client.on('connect', () => {
        isConnected = true;
      });
      await heard(client, 'close');
      assert.equal(isConnected, false);
    }
  });

  it('cuts a vehicle off at once when its certificate is revoked', async () => {
    const { id, client } = await listening();
    const closed = heard(client, 'close');
    const request = { reason: 'keyCompromise', by: 'test' } as const;
    await revokeVehicle(world.platform.cloud.context, id, request);
    await closed;
  });

  it('cuts a vehicle off at once when it is barred, and no other', async () => {
    const barred = await listening();
    const other = await listening();
    const closed = heard(barred.client, 'close');
    await setQuarantine(world.platform.cloud.context, barred.id, true);
    await closed;
    assert.equal(other.client.connected, true);
  });

  it('wakes no vehicle whose certificate ran out, and cuts it off', async () => {
    const { id, client } = await listening();
    const closed = heard(client, 'close');
    world.clock.advance({ hours: 24 * 826 });
    const description = { name: 'later', role: 'admin', uploadsFor: [], ttlDays: 1 } as const;
    const { token } = await createToken(world.platform.cloud.context, description);
    const path = `${OPERATOR_PREFIX}/vehicles/${id}/wake-up`;
    const answer = await world.ask('POST', path, { authorization: `Bearer ${token}` });
    assert.deepEqual(answer.json, { isSent: false });
    await closed;
  });

  it('drops what is no TLS', async () => {
    const { port } = new URL(world.platform.urls.wake);
    const socket = connectTcp({ host: '127.0.0.1', port: Number(port) });
    socket.on('error', () => undefined);
    socket.write('CONNECT'.repeat(100));
    socket.resume();
    await once(socket, 'close');
  });
});

describe('the certificate of the wake broker', () => {
  it('is the gateway’s, also when that is renewed while both run', async () => {
    const timer = manualTimer();
    const own = await startTestPlatform({ timer });
    try {
      const { tls, urls } = own.platform;
      const first = await shownBy(urls.wake);
      assert.equal(await shownBy(urls.gateway), first);
      own.clock.advance({ hours: 24 * 344 });
      const { promise, resolve } = Promise.withResolvers<void>();
      tls.onChange(() => resolve());
      timer.fire();
      await promise;
      const second = await shownBy(urls.wake);
      assert.notEqual(second, first);
      assert.equal(await shownBy(urls.gateway), second);
    } finally {
      await own.close();
    }
  });
});
