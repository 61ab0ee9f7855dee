import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { Aedes } from 'aedes';
import { wakeTopic } from '@immota/api';
import { encodeCertificatesPem } from '@immota/pki';
import { listenForWakeUps } from '../../src/primary/wake-up.ts';
import { makeAuthorities, makeServer } from '../support/authorities.ts';
import { makeWorld, VEHICLE, type World } from '../support/world.ts';

interface Broker {
  readonly aedes: Aedes;
  readonly url: string;
  /** Fulfils when a client has subscribed. */
  readonly subscribed: Promise<readonly string[]>;
}

/** A real broker over TLS that asks for client certificates. */
async function startBroker(
  test: TestContext,
  { authorities }: Pick<World, 'authorities'>,
  credential = makeServer(authorities),
): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const ca = encodeCertificatesPem([authorities.root.certificate]);
  const options = { ...(await credential), ca, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, aedes.handle);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  test.after(() => {
    aedes.close();
    server.close();
  });
  const { promise: subscribed, resolve: see } = Promise.withResolvers<readonly string[]>();
  aedes.on('subscribe', (subscriptions) => see(subscriptions.map(({ topic }) => topic)));
  return { aedes, url: `mqtts://localhost:${(server.address() as AddressInfo).port}`, subscribed };
}

function publish({ aedes }: Broker, topic: string, payload: string): void {
  const packet = { cmd: 'publish', qos: 1, dup: false, retain: false, topic, payload } as const;
  aedes.publish(packet, () => undefined);
}

describe('wake-ups over MQTT', () => {
  it('lead to a check-in, whatever they say', async (test) => {
    const world = await makeWorld(test);
    const broker = await startBroker(test, world);
    await world.provision({ wake: broker.url });
    const primary = await world.run();
    await primary.checkIn();
    assert.deepEqual(await broker.subscribed, [wakeTopic(VEHICLE)]);
    const { promise: asked, resolve } = Promise.withResolvers<string>();
    world.gateway.intercept = ({ path }) => {
      resolve(path);
      return false;
    };
    publish(broker, wakeTopic(VEHICLE), '{"install":"evil.bin"}');
    assert.equal(await asked, '/director/timestamp.json');
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
  });
  it('are not heard from a broker that the factory does not vouch for', async (test) => {
    const world = await makeWorld(test);
    const stranger = await startBroker(test, { authorities: await makeAuthorities('Other Root') });
    const { promise: refused, resolve } = Promise.withResolvers<void>();
    stranger.aedes.on('connectionError', () => resolve());
    stranger.aedes.on('clientError', () => resolve());
    const { rootsPem, credential } = world.bundle;
    let woken = 0;
    const stop = listenForWakeUps({
      url: stranger.url,
      vehicleIdentifier: VEHICLE,
      rootsPem,
      credential,
      onWake: () => {
        woken += 1;
      },
      onRefused: resolve,
    });
    await refused;
    publish(stranger, wakeTopic(VEHICLE), 'wake');
    await stop();
    assert.equal(woken, 0);
    assert.equal(stranger.aedes.connectedClients, 0);
  });
});
