/**
 * Every request that was recorded from a real aktualizr is accepted by the gateway, over mutual TLS, and
 * every signature in it verifies. The recordings lie beside the project and are not part of it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { AKTUALIZR, encodeCanonical } from '@immota/uptane';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import type { TestClient } from '../support/client.ts';

const FOLDER = join(import.meta.dirname, '../../../../../shared/uptane/wire-logs');

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly cn: string;
  readonly headers: JsonObject;
  readonly status: number;
  readonly body: JsonObject[string];
}

function readLog(file: string): readonly Recorded[] {
  const lines = readFileSync(join(FOLDER, file), 'utf8').trim().split('\n');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- recordings of one known shape
  return lines.map((line) => parseJson(Buffer.from(line), 1_000_000) as unknown as Recorded);
}

/** What the recording server served belongs to its own repositories: here only that we answer counts. */
const FROM_REPOSITORY = /^\/(?:repo|cdn)\//;

/** Sends a recorded request again; signed bodies in the canonical form that their client sends. */
async function replay(client: TestClient, recorded: Recorded): Promise<void> {
  const { method, path, body } = recorded;
  const type = recorded.headers['Content-Type'];
  const range = recorded.headers['Range'];
  const answer = await client.ask(method, path, {
    headers: {
      accept: '*/*',
      ...(typeof type === 'string' ? { 'content-type': type } : {}),
      ...(typeof range === 'string' ? { range } : {}),
    },
    ...(body === null ? {} : { body: encodeBody(body) }),
  });
  const where = `${method} ${path}`;
  if (method === 'GET') {
    // Roots that we do not have, and images of another repository, are absent here.
    const isAbsent = /\/[2-9]\.root\.json$/.test(path) || FROM_REPOSITORY.test(path);
    assert.ok(answer.status === 200 || (isAbsent && answer.status === 404), where);
    if (path.includes('/targets/')) assert.equal(answer.body.length, 0, where);
    return;
  }
  assert.ok(answer.status >= 200 && answer.status < 300, `${where} gave ${answer.status}`);
}

function encodeBody(body: JsonObject[string]): Uint8Array | string {
  return typeof body === 'string' ? body : encodeCanonical(body, AKTUALIZR.canonicalForm);
}

/** Names and serials repeat from one recording to the next: each plays with vehicles of its own. */
function nameIn(file: string, cn: string): string {
  return `${cn === 'bootstrap' ? 'bootstrap:' : cn}-${file.replace('.jsonl', '')}`;
}

describe(
  'recorded requests',
  { skip: existsSync(FOLDER) ? false : 'no recordings are here' },
  () => {
    const files = existsSync(FOLDER)
      ? readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'))
      : [];
    let cloud: TestCloud;
    before(async () => {
      cloud = await startTestCloud();
    });
    after(() => cloud.close());

    for (const file of files) {
      it(`accepts every request of ${file}`, async () => {
        const clients = new Map<string, TestClient>();
        const log = readLog(file);
        for (const recorded of log) {
          const name = nameIn(file, recorded.cn);
          // With shared credentials the gateway makes the vehicle's; a test has its own way to them.
          const client = clients.get(name) ?? (await cloud.client(name));
          clients.set(name, client);
          await replay(client, recorded);
        }
        await checkReports(cloud, file, log);
        await cloud.running.cloud.context.database.kysely.deleteFrom('vehicle').execute();
      });
    }
  },
);

/** Every report verified: what the last manifest says stands in the inventory, and nothing was refused. */
async function checkReports(
  cloud: TestCloud,
  file: string,
  log: readonly Recorded[],
): Promise<void> {
  const manifests = log.filter(({ path }) => path === '/director/manifest');
  const last = manifests.at(-1);
  const { kysely } = cloud.running.cloud.context.database;
  const refused = await kysely
    .selectFrom('event')
    .select(['kind', 'body'])
    .where('kind', 'in', [
      'report.refused',
      'report.replayed',
      'manifest.refused',
      'request.refused',
    ])
    .execute();
  assert.deepEqual(refused, []);
  if (last === undefined || !isJsonObject(last.body)) return;
  const { signed } = last.body;
  assert.ok(isJsonObject(signed));
  const reports = signed['ecu_version_manifests'];
  assert.ok(isJsonObject(reports));
  const rows = await kysely
    .selectFrom('ecu')
    .select(['ecu_id', 'installed_name'])
    .where('vehicle_id', '=', nameIn(file, last.cn))
    .execute();
  const installed = new Map(rows.map((row) => [row.ecu_id, row.installed_name]));
  for (const [ecu, document] of Object.entries(reports)) {
    assert.ok(isJsonObject(document) && isJsonObject(document['signed']));
    const image = document['signed']['installed_image'];
    assert.ok(isJsonObject(image));
    assert.equal(installed.get(ecu), image['filepath'], ecu);
  }
}
