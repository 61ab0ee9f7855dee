/**
 * Signed check-ins into the Director, in this process: read, verified, held against the inventory,
 * durable in PostgreSQL; against nothing but the verification of as many signatures.
 *
 * The ratio is of verifications a CPU second: those of the whole path, with the CPU time of Node and of
 * all processes of the database, to bare ones.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { generateSigner } from '@immota/pki';
import {
  type BenchCloud,
  makeCloudFolder,
  openBenchCloud,
  removeCloudFolder,
} from '../cloud/bench-cloud.ts';
import { type BenchVehicle, insertVehicles, makeVehicles, nextManifest } from '../cloud/fleet.ts';
import { type BenchResult, median } from '../row.ts';

const VEHICLES = 1000;
const ECUS = 4;
/** One of the manifest itself, and one of each ECU's report. */
const SIGNATURES: number = ECUS + 1;
const ROUNDS = 5;
const BARE_COUNT = 4000;
/** About as long as a report. */
const MESSAGE_BYTES = 600;

/** See the head of the file. */
export async function benchIntake(): Promise<BenchResult> {
  const folder = await makeCloudFolder();
  try {
    const cloud = await openBenchCloud(folder);
    try {
      return await compare(cloud);
    } finally {
      await cloud.close();
    }
  } finally {
    await removeCloudFolder(folder);
  }
}

async function compare(cloud: BenchCloud): Promise<BenchResult> {
  const vehicles = makeVehicles(VEHICLES, ECUS);
  await insertVehicles(cloud.running.cloud.context, vehicles);
  const bare = await prepareBare();
  // First contacts sign metadata for every vehicle, which later ones do not.
  await checkInAll(cloud, vehicles);
  const nodeUs: number[] = [];
  const postgresUs: number[] = [];
  const bareUs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bareUs.push(bare());
    const { nodeMs, postgresMs } = await checkInAll(cloud, vehicles);
    nodeUs.push((nodeMs * 1000) / VEHICLES);
    postgresUs.push((postgresMs * 1000) / VEHICLES);
  }
  const [node, postgres, bareUsEach] = [median(nodeUs), median(postgresUs), median(bareUs)];
  const ours = (SIGNATURES * 1e6) / (node + postgres);
  const peers = 1e6 / bareUsEach;
  return {
    rows: [
      {
        id: 'check-in-intake',
        what: `signatures of check-ins, verified and durable (${SIGNATURES} a check-in)`,
        ours,
        unit: 'verifications/CPU s',
        peer: 'bare Ed25519 verifications',
        peers,
        ratio: ours / peers,
        aim: { atLeast: 0.4 },
        note: `${(1e6 / (node + postgres)).toFixed(0)} check-ins/CPU s; each ${node.toFixed(0)} us in Node, ${postgres.toFixed(0)} us in PostgreSQL`,
      },
    ],
  };
}

async function checkInAll(
  { running, postgres }: BenchCloud,
  vehicles: readonly BenchVehicle[],
): Promise<{ readonly nodeMs: number; readonly postgresMs: number }> {
  const manifests = await Promise.all(
    vehicles.map(async (vehicle) => ({ id: vehicle.id, bytes: await nextManifest(vehicle) })),
  );
  const postgresBefore = postgres.readMs();
  const before = process.cpuUsage();
  await Promise.all(manifests.map(({ id, bytes }) => running.director.accept(id, bytes)));
  const { user, system } = process.cpuUsage(before);
  return { nodeMs: (user + system) / 1000, postgresMs: postgres.readMs() - postgresBefore };
}

/** @returns a measurement of the CPU microseconds of one verification. */
async function prepareBare(): Promise<() => number> {
  const signer = generateSigner('ed25519');
  const der = Buffer.from(signer.publicKeyDer);
  const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
  const message = randomBytes(MESSAGE_BYTES);
  const signature = await signer.sign(message);
  return () => {
    const before = process.cpuUsage();
    for (let count = 0; count < BARE_COUNT; count += 1) {
      if (!verify(undefined, message, key, signature)) throw new TypeError('it is genuine');
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / BARE_COUNT;
  };
}
