import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { request as sendRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AKTUALIZR, signMetadata, TUF } from '@immota/uptane';
import { publishTree } from '../../src/image-repository/publish-tree.ts';
import { describeUploaded, type Uploader } from '../../src/image-repository/upload.ts';
import { parseRange } from '../../src/image-repository/serve-file.ts';
import { draftTargets } from '../../src/trust/initialise.ts';
import { signersOf } from '../../src/trust/keystore.ts';
import type { Answer, Ask, TestClient } from '../support/client.ts';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';

const engineer: Uploader = { name: 'engineer', role: 'release-engineer', uploadsFor: [] };
const plain = randomBytes(2_500_000);
const secret = randomBytes(50_000);
const NAME = 'tbox/fw 1+é.bin';
const ENCODED = 'tbox/fw%201%2B%C3%A9.bin';

let cloud: TestCloud;
let client: TestClient;
before(async () => {
  cloud = await startTestCloud({ repository: { host: '127.0.0.1', port: 0 } });
  client = await cloud.client('veh-1');
  await upload(NAME, plain, false);
  await upload('tbox/secret.bin', secret, true);
  const { trust, store, keystore, context } = cloud.running.cloud;
  const add = await describeUploaded(context, 'targets');
  await cloud.running.cloud.publish(
    await Promise.all(
      [AKTUALIZR, TUF].map(async (dialect) => {
        const current = store.image(dialect.name).targets.values().next().value?.bytes;
        const payload = draftTargets(trust, dialect, { current, add });
        const bytes = await signMetadata(dialect, payload, signersOf(keystore, 'image-targets'));
        return { repository: 'image', dialect: dialect.name, role: 'targets', bytes } as const;
      }),
    ),
  );
});
after(() => cloud.close());

async function upload(name: string, bytes: Uint8Array, isEncrypted: boolean): Promise<void> {
  const { uploads } = cloud.running.cloud;
  const { uploadId } = await uploads.begin(engineer, {
    name,
    role: 'targets',
    lengthBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    hardwareIds: ['tbox-hw'],
    version: '1',
    releaseCounter: 1,
    isEncrypted,
  });
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }
  await uploads.append(engineer, uploadId, { offsetBytes: 0, bytes: whole() });
  await uploads.finish(engineer, uploadId);
}

/** What any server of the repository must do: ours, nginx, a CDN. */
function describeServer(
  asking: () => (method: string, path: string, ask?: Ask) => Promise<Answer>,
): void {
  const sha256 = createHash('sha256').update(plain).digest('hex');
  for (const path of [
    `/repo/targets/${ENCODED}`,
    `/tuf/targets/tbox/${sha256}.fw%201%2B%C3%A9.bin`,
  ]) {
    it(`sends the whole image as ${path.slice(0, 14)}…`, async () => {
      const answer = await asking()('GET', path);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, plain);
      assert.equal(answer.headers['content-encoding'], undefined);
      assert.match(String(answer.headers['cache-control']), /immutable/);
    });
  }

  const ranges: Readonly<Record<string, readonly [number, Uint8Array]>> = {
    'bytes=1000000-': [206, plain.subarray(1_000_000)],
    'bytes=5-9': [206, plain.subarray(5, 10)],
    'bytes=-7': [206, plain.subarray(-7)],
    'bytes=2499990-9999999': [206, plain.subarray(2_499_990)],
    'bytes=2500000-': [416, new Uint8Array()],
    'lines=1-2': [200, plain],
  };
  for (const [range, [status, bytes]] of Object.entries(ranges)) {
    it(`answers ${status} to ${range}`, async () => {
      const answer = await asking()('GET', `/repo/targets/${ENCODED}`, { headers: { range } });
      assert.equal(answer.status, status);
      assert.deepEqual(answer.body, Buffer.from(bytes));
    });
  }

  it('tells the length without the bytes', async () => {
    const answer = await asking()('HEAD', `/repo/targets/${ENCODED}`);
    assert.equal(answer.headers['content-length'], String(plain.length));
    assert.equal(answer.body.length, 0);
  });

  it('has nothing to read in an error: it would become part of an image', async () => {
    for (const path of ['nothing.bin', 'tbox/', '..%2Fsecret', 'tbox/secret.bin']) {
      const answer = await asking()('GET', `/repo/targets/${path}`);
      assert.ok(answer.status >= 400, path);
      assert.equal(answer.body.length, 0, path);
    }
  });

  it('serves what was encrypted in its encrypted form alone {uptane B11}', async () => {
    const answer = await asking()('GET', '/repo/targets/tbox/secret.bin.enc');
    assert.equal(answer.status, 200);
    assert.ok(!answer.body.includes(secret.subarray(0, 64)));
  });

  it('serves metadata under plain and versioned names {uptane B16}', async () => {
    for (const [path, status] of Object.entries({
      '/repo/1.root.json': 200,
      '/repo/2.root.json': 404,
      '/repo/timestamp.json': 200,
      '/repo/1.timestamp.json': 404,
      '/repo/snapshot.json': 200,
      '/repo/1.snapshot.json': 200,
      '/repo/2.snapshot.json': 200,
      '/repo/targets.json': 200,
      '/repo/1.targets.json': 200,
      '/repo/delegations/nobody.json': 404,
      '/tuf/1.root.json': 200,
      '/tuf/timestamp.json': 200,
      '/tuf/2.snapshot.json': 200,
      '/tuf/2.targets.json': 200,
      '/tuf/nobody.json': 404,
    })) {
      assert.equal((await asking()('GET', path)).status, status, path);
    }
  });
}

describe('the gateway as a server of images {uptane D1}', () => {
  describeServer(() => (method, path, ask) => client.ask(method, path, ask));
});

/** Asks a server without TLS. */
async function askPlainly(
  port: number,
  method: string,
  path: string,
  ask: Ask = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { host: '127.0.0.1', port, path, method, headers: { ...ask.headers } };
  const outgoing = sendRequest(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, body: Buffer.concat(chunks), json: () => ({}) });
    });
  });
  outgoing.on('error', reject);
  outgoing.end();
  return await promise;
}

describe('the repository by itself, for anybody', () => {
  describeServer(() => (method, path, ask) => {
    const { repository = '' } = cloud.running.urls;
    return askPlainly(Number(new URL(repository).port), method, path, ask);
  });
});

const hasNginx = spawnSync('nginx', ['-v']).status === 0;

describe(
  'nginx on the published tree',
  { skip: hasNginx ? false : 'nginx is not installed' },
  () => {
    let folder: string;
    let port: number;
    let nginx: ChildProcess;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'immota-tree-'));
      await chmod(folder, 0o755);
      const { cloud: open } = cloud.running;
      const tree = join(folder, 'tree');
      await publishTree(open, tree);
      // Again: what is there already stays, and the link turns.
      const { images } = await publishTree(open, tree);
      assert.equal(images, 2);
      port = await freePort();
      const example = await readFile(
        join(import.meta.dirname, '../../../../deploy/nginx.conf'),
        'utf8',
      );
      const server = example
        .replace('listen 8080;', `listen 127.0.0.1:${port};`)
        .replace('/srv/immota/current', join(tree, 'current'));
      await writeFile(join(folder, 'server.conf'), server);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${join(folder, name)};`)
        .join(' ');
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      await writeFile(
        join(folder, 'nginx.conf'),
        `${user} daemon off; error_log stderr; pid ${join(folder, 'pid')};
       events { } http { access_log off; ${temporary} include ${join(folder, 'server.conf')}; }`,
      );
      nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
      await listening();
    });
    after(async () => {
      const ended = Promise.withResolvers<void>();
      nginx.once('exit', () => {
        ended.resolve();
      });
      nginx.kill('SIGQUIT');
      await ended.promise;
      await rm(folder, { recursive: true });
    });

    async function listening(): Promise<void> {
      for (let tries = 0; tries < 200; tries += 1) {
        try {
          await askPlainly(port, 'GET', '/repo/timestamp.json');
          return;
        } catch {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      assert.fail('nginx does not listen');
    }

    describeServer(() => (method, path, ask) => askPlainly(port, method, path, ask));
  },
);

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const closed = Promise.withResolvers<void>();
  server.close(() => {
    closed.resolve();
  });
  await closed.promise;
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('parseRange()', () => {
  it('knows no part of nothing', () => {
    assert.deepEqual(parseRange('bytes=0-', 0), { kind: 'outside' });
    assert.deepEqual(parseRange('bytes=-5', 0), { kind: 'outside' });
    assert.deepEqual(parseRange('bytes=-', 10), { kind: 'whole' });
    assert.deepEqual(parseRange('bytes=0-1,4-5', 10), { kind: 'whole' });
    assert.deepEqual(parseRange(undefined, 10), { kind: 'whole' });
    assert.deepEqual(parseRange('bytes=9-5', 10), { kind: 'whole' });
  });
});
