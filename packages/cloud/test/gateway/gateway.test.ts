import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import {
  encodeCertificatesPem,
  encodeCredentialFiles,
  encodePem,
  exportPrivateKey,
  generateSigner,
} from '@immota/pki';
import { dataFolder, replaceFile } from '../../src/data-folder.ts';
import { revokeVehicle, setQuarantine, startCloud } from '../../src/index.ts';
import { shownBy, type TestClient } from '../support/client.ts';
import { manualTimer } from '../support/ports.ts';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import { TestVehicle } from '../support/vehicle.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud.close());

let count = 0;
/** A vehicle that has registered and reported, and its client. */
async function registered(
  keepAlive = false,
): Promise<{ vehicle: TestVehicle; client: TestClient }> {
  count += 1;
  const vehicle = new TestVehicle(`veh-${count}`, [[`TBOX-${count}`, 'tbox-hw']]);
  const client = await cloud.client(vehicle.id, keepAlive);
  const body = JSON.stringify(vehicle.registration());
  assert.equal((await client.ask('POST', '/director/ecus', { body })).status, 201);
  const manifest = await vehicle.manifest();
  assert.equal((await client.ask('PUT', '/director/manifest', { body: manifest })).status, 200);
  return { vehicle, client };
}

describe('a vehicle', () => {
  it('registers twice alike, reports and fetches its metadata {uptane E1}', async () => {
    const { vehicle, client } = await registered();
    const body = JSON.stringify(vehicle.registration());
    assert.equal((await client.ask('POST', '/director/ecus', { body })).status, 200);
    assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
    const absent = await client.ask('GET', '/director/2.root.json');
    assert.deepEqual([absent.status, absent.body.length], [404, 0]);
    for (const file of ['targets', 'snapshot', 'timestamp']) {
      const answer = await client.ask('GET', `/director/${file}.json`, {
        headers: { 'accept-encoding': 'gzip' },
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-encoding'], undefined);
      assert.ok(answer.body.length < 65_536);
    }
    assert.equal((await client.ask('GET', '/director/1.targets.json')).status, 200);
    assert.equal((await client.ask('GET', '/director/9.targets.json')).status, 404);
  });

  it('is told shortly that nothing is new, and what is new', async () => {
    const { vehicle, client } = await registered(true);
    const first = await client.ask('GET', '/director/timestamp.json');
    const headers = { 'if-none-match': first.headers.etag ?? '' };
    for (let times = 0; times < 2; times += 1) {
      const again = await client.ask('GET', '/director/timestamp.json', { headers });
      assert.equal(again.status, 304);
      assert.deepEqual(Object.keys(again.headers), []);
    }
    cloud.clock.advance({ hours: 37 });
    const fresh = await client.ask('GET', '/director/timestamp.json', { headers });
    assert.equal(fresh.status, 200);
    assert.notEqual(fresh.headers.etag, first.headers.etag);
    assert.equal((await vehicle.manifest()).length > 0, true);
  });

  it('is never told 304 unless it asks like our own do', async () => {
    const { client } = await registered();
    await client.ask('GET', '/director/targets.json');
    assert.equal((await client.ask('GET', '/director/targets.json')).status, 200);
  });
});

describe('the gateway refuses', () => {
  it('a connection without a certificate, at once', async () => {
    const answer = await cloud.stranger().ask('PUT', '/director/manifest', { body: '{}' });
    assert.equal(answer.status, 403);
    assert.equal(answer.json()['code'], 'CERTIFICATE_MISSING');
  });

  it('a certificate of another root', async () => {
    const other = await startTestCloud();
    const { cert, key } = await other.credentials('veh-x').then((credentials) => {
      const { clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
      return { cert: clientPem, key: privateKeyPem };
    });
    await other.close();
    const { TestClient: Client } = await import('../support/client.ts');
    const ca = encodeCertificatesPem([cloud.running.cloud.authorities.root]);
    const client = new Client(cloud.running.urls.gateway, { ca, cert, key });
    const answer = await client.ask('GET', '/director/targets.json');
    assert.equal(answer.status, 403);
    assert.match(String(answer.json()['code']), /^CHAIN_/);
    client.close();
  });

  it('a revoked certificate on a connection that is open', async () => {
    const { vehicle, client } = await registered(true);
    assert.equal((await client.ask('GET', '/director/targets.json')).status, 200);
    const { context } = cloud.running.cloud;
    await revokeVehicle(context, vehicle.id, { reason: 'keyCompromise', by: 'test' });
    const answer = await client.ask('GET', '/director/targets.json');
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'REVOKED']);
    assert.ok((await cloud.eventsOf(vehicle.id)).includes('certificate.revoked'));
  });

  it('a quarantined vehicle until the bar is lifted', async () => {
    const { vehicle, client } = await registered(true);
    const { context } = cloud.running.cloud;
    await setQuarantine(context, vehicle.id, true);
    const answer = await client.ask('GET', '/director/timestamp.json', {
      headers: { 'if-none-match': '"1"' },
    });
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'QUARANTINED']);
    await setQuarantine(context, vehicle.id, false);
    assert.equal((await client.ask('GET', '/director/timestamp.json')).status, 200);
  });

  it('what is no manifest, what is too long, and what is nowhere', async () => {
    const { vehicle, client } = await registered();
    const malformed = await client.ask('PUT', '/director/manifest', { body: '{}' });
    assert.equal(malformed.status, 400);
    const long = await client.ask('POST', '/director/ecus', {
      body: Buffer.alloc(1_048_577, 0x20),
    });
    assert.deepEqual([long.status, long.json()['code']], [413, 'REQUEST_TOO_LONG']);
    const nowhere = await client.ask('GET', '/api/v1/anything');
    assert.deepEqual([nowhere.status, nowhere.json()['code']], [404, 'NOT_FOUND']);
    const method = await client.ask('DELETE', '/director/manifest');
    assert.equal(method.status, 404);
    const shape = await client.ask('POST', '/director/ecus', { body: '{"ecus":[]}' });
    assert.deepEqual([shape.status, shape.json()['code']], [400, 'REQUEST_MALFORMED']);
    // Closing writes what the gateway had gathered.
    await cloud.restart();
    assert.ok((await cloud.eventsOf(vehicle.id)).includes('request.refused'));
  });
});

/** Opens a connection as a vehicle. */
async function dial(
  { running }: TestCloud,
  credentials: Awaited<ReturnType<TestCloud['credentials']>>,
): Promise<TLSSocket> {
  const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
  const socket = connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port: Number(new URL(running.urls.gateway).port),
    ca: rootPem,
    cert: clientPem,
    key: privateKeyPem,
  });
  await once(socket, 'secureConnect');
  return socket;
}

async function readAll(socket: TLSSocket): Promise<string> {
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

/** Sends raw text as a vehicle, and reads what comes until the end. */
async function send(text: string): Promise<string> {
  const socket = await dial(cloud, await cloud.credentials('veh-odd'));
  socket.write(text);
  return await readAll(socket);
}

describe('a connection that goes wrong', () => {
  it('gets a short refusal for what is no HTTP', async () => {
    assert.match(await send('not a request\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await send(`GET / HTTP/1.1\r\nx: ${'y'.repeat(10_000)}\r\n\r\n`), /^HTTP\/1\.1 4/);
  });

  it('harms nobody, and is nobody’s failure, when it breaks in the middle of a body', async () => {
    const head = 'PUT /director/manifest HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n';
    const socket = await dial(cloud, await cloud.credentials('veh-lost'));
    socket.write(`${head}expect: 100-continue\r\n\r\n`);
    // The gateway reads the body now, and waits for what never comes.
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 100 /);
    socket.write('{');
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    await cloud.restart();
    assert.equal((await cloud.eventsOf('veh-lost')).includes('request.refused'), false);
    const { client } = await registered();
    assert.equal((await client.ask('GET', '/director/targets.json')).status, 200);
  });
});

describe('TLS sessions', () => {
  async function open(session: Buffer | undefined, origin: string): Promise<TLSSocket> {
    const credentials = await sessionCredentials;
    const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
    const { hostname, port } = new URL(origin);
    const socket = connect({
      host: '127.0.0.1',
      servername: hostname,
      port: Number(port),
      ca: rootPem,
      cert: clientPem,
      key: privateKeyPem,
      ...(session === undefined ? {} : { session }),
    });
    await once(socket, 'secureConnect');
    return socket;
  }
  let sessionCredentials: ReturnType<TestCloud['credentials']>;

  /** Asks once on a fresh connection; gives the last session and whether it was resumed. */
  async function ask(
    session: Buffer | undefined,
    origin: string,
  ): Promise<{ session: Buffer; isReused: boolean; status: string }> {
    const socket = await open(session, origin);
    const isReused = socket.isSessionReused();
    let last: Buffer | undefined;
    socket.on('session', (fresh: Buffer) => {
      last = fresh;
    });
    socket.write('GET /director/1.root.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return {
      session: last ?? session ?? Buffer.alloc(0),
      isReused,
      status: text.slice(9, 12),
    };
  }

  it('resume in another process and after a restart, with the client’s certificate', async () => {
    sessionCredentials = cloud.credentials('veh-resumed');
    const first = await ask(undefined, cloud.running.urls.gateway);
    assert.deepEqual([first.isReused, first.status], [false, '200']);
    const second = await startCloud(cloud.options);
    try {
      const resumed = await ask(first.session, second.urls.gateway);
      assert.deepEqual([resumed.isReused, resumed.status], [true, '200']);
    } finally {
      await second.close();
    }
  });

  it('end with the period of their ticket keys', async () => {
    sessionCredentials = cloud.credentials('veh-weekly');
    const first = await ask(undefined, cloud.running.urls.gateway);
    cloud.clock.advance({ hours: 169 });
    const second = await startCloud(cloud.options);
    try {
      const full = await ask(first.session, second.urls.gateway);
      assert.deepEqual([full.isReused, full.status], [false, '200']);
    } finally {
      await second.close();
    }
  });
});

describe('the certificate of the gateway', () => {
  it('is renewed before it ends, while the gateway runs and its connections stay', async () => {
    const timer = manualTimer();
    const own = await startTestCloud({ timer });
    const look = async (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = own.running.tls.onChange(() => resolve());
      timer.fire();
      await promise;
      stop();
    };
    try {
      const client = await own.client('veh-1', true);
      assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
      const first = await shownBy(own.running.urls.gateway);
      own.clock.advance({ hours: 24 * 330 });
      await look();
      assert.equal(await shownBy(own.running.urls.gateway), first);
      own.clock.advance({ hours: 24 * 14 });
      await look();
      const second = await shownBy(own.running.urls.gateway);
      assert.notEqual(second, first);
      assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
      // Another process on the folder finds the new one.
      await own.restart();
      assert.equal(await shownBy(own.running.urls.gateway), second);
    } finally {
      await own.close();
    }
  });

  it('is made anew when it and its key are no pair: who replaced them died in between', async () => {
    const own = await startTestCloud();
    try {
      const first = await shownBy(own.running.urls.gateway);
      const key = exportPrivateKey(generateSigner('ecdsa-p256'));
      const { gatewayKey } = dataFolder(own.options.folder);
      await replaceFile(gatewayKey, encodePem('PRIVATE KEY', key));
      await own.restart();
      assert.notEqual(await shownBy(own.running.urls.gateway), first);
      const client = await own.client('veh-1');
      assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
    } finally {
      await own.close();
    }
  });
});

describe('limits', () => {
  it('refuse a request that does not arrive in its time, head or body', async () => {
    const arrival = { headMs: 40, wholeMs: 80, checkMs: 10 };
    const strict = await startTestCloud({ arrival });
    try {
      const credentials = await strict.credentials('veh-slow');
      const head = 'PUT /director/manifest HTTP/1.1\r\nhost: x\r\n';
      for (const text of [head, `${head}content-length: 100\r\n\r\n{`]) {
        const socket = await dial(strict, credentials);
        socket.write(text);
        assert.match(await readAll(socket), /^HTTP\/1\.1 408 /);
      }
      // Closing writes what the gateway had gathered.
      await strict.restart();
      const events = await strict.running.cloud.context.database.kysely
        .selectFrom('event')
        .select('body')
        .where('kind', '=', 'request.refused')
        .where('stream', '=', 'veh-slow')
        .execute();
      assert.deepEqual([...new Set(events.map(({ body }) => body['code']))], ['REQUEST_TOO_SLOW']);
    } finally {
      await strict.close();
    }
  });

  it('refuse a vehicle that asks too often, and let it in again later', async () => {
    const strict = await startTestCloud({ rate: { burst: 3, perSecond: 1 } });
    try {
      const client = await strict.client('veh-busy', true);
      for (let times = 0; times < 3; times += 1) {
        assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
      }
      const answer = await client.ask('GET', '/director/1.root.json');
      assert.deepEqual([answer.status, answer.json()['code']], [429, 'RATE_LIMIT']);
      strict.clock.advance({ seconds: 1 });
      assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
    } finally {
      await strict.close();
    }
  });
});

describe('the status server', () => {
  it('tells health and numbers', async () => {
    const { status } = cloud.running.urls;
    const health = await fetch(`${status}/health`);
    assert.equal(health.status, 200);
    const metrics = await (await fetch(`${status}/metrics`)).text();
    assert.match(metrics, /immota_gateway_requests_total/);
    assert.match(metrics, /immota_gateway_connections/);
    assert.equal((await fetch(`${status}/else`)).status, 404);
  });
});
