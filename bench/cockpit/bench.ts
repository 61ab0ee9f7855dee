/**
 * Asks what the console asks of a fleet of a million vehicles, through the operator API, and rehearses a
 * campaign over all of it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '@immota/base';
import { draftTargets, type Platform } from '@immota/cloud';
import { openDatabase, sql } from '@immota/store';
import { AKTUALIZR, parseTargetName, signMetadata, TUF } from '@immota/uptane';
import { type Ask, askerOf } from '../cloud/ask-operator.ts';
import { makeCloudFolder, openBenchPlatform, removeCloudFolder } from '../cloud/bench-cloud.ts';
import type { BenchResult, Row } from '../row.ts';
import { FLEET_HARDWARE, insertMillion } from './fleet.ts';

const VEHICLES = 1_000_000;
const ASKED = 20;
/** What a screen may take to answer. */
const LIMIT_MS = 200;
const REHEARSAL_LIMIT_SECONDS = 60;
const MEMORY_LIMIT_MIB = 512;
const VERSION = 4;
const IMAGE_BYTES = 1_000_000;
const POLL_MS = 200;

/** What the console asks; each is one route of the operator API. */
const QUESTIONS: Readonly<Record<string, string | { readonly query: string }>> = {
  overview: 'fleet/cockpit',
  facets: 'fleet/facets',
  versions: 'fleet/versions?hardwareId=brake-1&days=90',
  'list-by-id': 'fleet/vehicles',
  'list-by-model': 'fleet/vehicles?sort=model',
  'list-longest-silent': 'fleet/vehicles?sort=lastSeenAt',
  'list-seen-last': 'fleet/vehicles?sort=-lastSeenAt',
  'list-search': 'fleet/vehicles?search=v04211',
  'list-by-query': `fleet/vehicles?query=${encodeURIComponent('vehicle.market == "DE" && vehicle.ecus.exists(e, e.image == "brake-1/2" && e.hardware == "brake-1")')}`,
  'count-by-model': { query: 'vehicle.model == "M1" && vehicle.market == "DE"' },
  'count-by-image': {
    query: 'vehicle.ecus.exists(e, e.hardware == "brake-1" && e.image == "brake-1/2")',
  },
  'count-by-tag': { query: 'vehicle.tags.batch == 77' },
  'count-silent': { query: 'vehicle.lastSeen < now - duration("720h")' },
};

/** See the head of the file. */
export async function benchCockpit(): Promise<BenchResult> {
  const folder = await makeCloudFolder();
  try {
    await loadFleet(folder);
    const platform = await openBenchPlatform(folder);
    try {
      const ask = await askerOf(platform);
      const rows = await measure(platform, ask);
      return { rows: [...rows, ...(await measureRehearsal(platform, ask))] };
    } finally {
      await platform.close();
    }
  } finally {
    await removeCloudFolder(folder);
  }
}

async function loadFleet(folder: string): Promise<void> {
  const dataFolder = join(folder, 'database');
  const database = await openDatabase({ dataFolder, statementTimeoutMs: 3_600_000 });
  await insertMillion(database.kysely, VEHICLES);
  await database.close();
}

async function measure(platform: Platform, ask: Ask): Promise<readonly Row[]> {
  const { kysely } = platform.cloud.context.database;
  const naive = await percentileOf(3, async () => {
    await sql`select v.model, v.market, e.hardware_id, e.installed_name, count(*)
      from vehicle v join ecu e using (vehicle_id) group by 1, 2, 3, 4`.execute(kysely);
  });
  const rows: Row[] = [];
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const isList = typeof question === 'string';
    let isExact = true;
    const ours = await percentileOf(ASKED, async () => {
      const answer = isList
        ? await ask(question)
        : await ask('fleet/count', { ...question, sample: 20 });
      isExact = answer['isExact'] !== false;
    });
    rows.push({
      id: `cockpit-${name}`,
      what: `95 % of ${ASKED} answers to "${name}" at ${VEHICLES} vehicles with 7 ECUs each`,
      ours,
      unit: 'ms',
      peer: 'limit',
      peers: LIMIT_MS,
      ratio: ours / LIMIT_MS,
      aim: { atMost: 1 },
      ...(isExact ? {} : { note: 'from a sample, and the answer says so' }),
    });
  }
  const facets = rows.find(({ id }) => id === 'cockpit-facets')?.ours ?? Number.NaN;
  rows.push({
    id: 'cockpit-naive',
    what: 'counting models, markets and versions anew, against reading what is counted',
    ours: facets,
    unit: 'ms',
    peer: 'count(*) by PostgreSQL',
    peers: naive,
    ratio: naive / facets,
    aim: { atLeast: 5 },
  });
  return rows;
}

async function percentileOf(count: number, work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  // The first one warms what stays warm while people work.
  await work();
  for (let index = 0; index < count; index += 1) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return times.toSorted((a, b) => a - b)[Math.ceil(count * 0.95) - 1] ?? Number.NaN;
}

async function measureRehearsal(platform: Platform, ask: Ask): Promise<readonly Row[]> {
  const campaignId = await prepareCampaign(platform);
  const begin = performance.now();
  await ask(`campaigns/${campaignId}/rehearsal`, {});
  let state: JsonValue | undefined = 'running';
  let rehearsal: JsonObject = {};
  while (state === 'running') {
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
    rehearsal = await ask(`campaigns/${campaignId}/rehearsal`);
    state = rehearsal['state'];
  }
  const seconds = (performance.now() - begin) / 1000;
  if (state !== 'done') throw new TypeError(`the rehearsal failed: ${JSON.stringify(rehearsal)}`);
  const memory = peakMib();
  return [
    {
      id: 'rehearsal-1000000',
      what: 'rehearse a campaign over 1,000,000 vehicles of 7 ECUs, all of them concerned',
      ours: seconds,
      unit: 's',
      peer: 'limit',
      peers: REHEARSAL_LIMIT_SECONDS,
      ratio: seconds / REHEARSAL_LIMIT_SECONDS,
      aim: { atMost: 1 },
      note: `${JSON.stringify(rehearsal['seen'])} vehicles; whatever else runs on the machine counts`,
    },
    {
      id: 'rehearsal-memory',
      what: 'most memory of the whole cloud after it',
      ours: memory,
      unit: 'MiB',
      peer: 'limit',
      peers: MEMORY_LIMIT_MIB,
      ratio: memory / MEMORY_LIMIT_MIB,
      aim: { atMost: 1 },
    },
  ];
}

/** A release of version 4 by way of the ones before it, for every hardware of the fleet. */
async function prepareCampaign({ cloud, campaigns: room }: Platform): Promise<string> {
  const { kysely } = cloud.context.database;
  const images = FLEET_HARDWARE.flatMap((hardwareId) =>
    Array.from({ length: VERSION }, (_, index) => {
      const name = `${hardwareId}/${index + 1}`;
      const hash = (algorithm: string): string => createHash(algorithm).update(name).digest('hex');
      return {
        hardwareId,
        name,
        version: index + 1,
        sha256: hash('sha256'),
        sha512: hash('sha512'),
      };
    }),
  );
  for (const { hardwareId, name, version, sha256, sha512 } of images) {
    await sql`insert into image (name, role, length_bytes, sha256, sha512, hardware_ids, version,
        release_counter, uploaded_by)
      values (${name}, 'targets', ${IMAGE_BYTES}, ${sha256}, ${sha512}, ${[hardwareId]},
        ${String(version)}, ${version}, 'bench')`.execute(kysely);
  }
  const add = images.map(({ hardwareId, name, version, sha256, sha512 }) => ({
    name: parseTargetName(name),
    lengthBytes: IMAGE_BYTES,
    hashes: new Map([
      ['sha256', sha256],
      ['sha512', sha512],
    ] as const),
    custom: {
      hardwareIds: [hardwareId],
      version: String(version),
      targetFormat: 'BINARY',
      mustMatch: { releaseCounter: version, hardwareIds: [hardwareId] },
    },
  }));
  const offered = [AKTUALIZR, TUF].map(async (dialect) => {
    const current = [...cloud.store.image(dialect.name).targets.values()][0]?.bytes;
    const payload = draftTargets(cloud.trust, dialect, { current, add });
    const bytes = await signMetadata(dialect, payload, cloud.keystore.signers('image-targets'));
    return { repository: 'image', dialect: dialect.name, role: 'targets', bytes } as const;
  });
  await cloud.publish(await Promise.all(offered));
  const release = {
    _type: 'Release',
    name: 'Bench line',
    version: String(VERSION),
    images: images.map(({ hardwareId, name, version }) => ({
      hardwareId,
      name,
      installsOver: version === 1 ? [] : [`${hardwareId}/${version - 1}`],
    })),
    goal: Object.fromEntries(FLEET_HARDWARE.map((id) => [id, `${id}/${VERSION}`])),
  };
  const document = await signMetadata(AKTUALIZR, release, cloud.keystore.signers('image-targets'));
  const { releaseId } = await room.releases.create(document, 'bench');
  return await room.campaigns.create({
    name: 'bench',
    releaseId,
    query: 'vehicle.registered',
    waves: [
      { name: 'first', upToPermille: 10, outcomesMin: 100, soakMinutes: 60 },
      { name: 'all', upToPermille: 1000 },
    ],
    createdBy: 'bench',
  });
}

/** The most memory that this process ever had. */
function peakMib(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
