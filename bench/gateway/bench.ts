/**
 * Check-ins through the real gateway, over TLS with client certificates, against node:https that asks
 * for them and does nothing else: with a new connection each, on an open one, and resumed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { issueCredentials } from '@immota/cloud';
import { type CredentialFiles, encodeCredentialFiles, parseDeviceId } from '@immota/pki';
import { makeCloudFolder, openBenchCloud, removeCloudFolder } from '../cloud/bench-cloud.ts';
import { type BenchVehicle, insertVehicles, makeVehicles, nextManifest } from '../cloud/fleet.ts';
import type { BenchResult, Row } from '../row.ts';
import { benchNewConnections } from './new-connections.ts';
import { benchOpenConnections } from './open-connections.ts';
import { benchResumption } from './resumption.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/** A vehicle with its TLS credential. */
export interface Client {
  readonly vehicle: BenchVehicle;
  readonly credential: CredentialFiles;
}

/** What the benchmarks of the gateway share. */
export interface GatewayBench {
  readonly gateway: ServerProcess;
  /** Another process on the same data. */
  readonly second: ServerProcess;
  readonly bare: ServerProcess;
  /** With one ECU each. */
  readonly small: readonly Client[];
  /** With four. */
  readonly large: readonly Client[];
}

const SMALL_COUNT = 400;
const LARGE_COUNT = 64;
/** Longer than the gateway gathers last contacts before it writes them. */
const SETTLE_MS = 700;

/** See the head of the file. */
export async function benchGateway(): Promise<BenchResult> {
  const folder = await makeCloudFolder();
  const servers: ServerProcess[] = [];
  try {
    const clients = await prepare(folder);
    const start = async (
      program: string,
      parameters: readonly string[],
    ): Promise<ServerProcess> => {
      const server = await startServer(program, parameters);
      servers.push(server);
      return server;
    };
    const bench: GatewayBench = {
      ...clients,
      gateway: await start('gateway-server.ts', [folder]),
      second: await start('gateway-server.ts', [folder]),
      bare: await start('bare-server.ts', bareFiles(folder)),
    };
    const rows: Row[] = [
      ...(await benchNewConnections(bench)),
      ...(await benchOpenConnections(bench)),
      ...(await benchResumption(bench)),
    ];
    return { rows };
  } finally {
    for (const server of servers) await server.close();
    await removeCloudFolder(folder);
  }
}

/** Waits until what was gathered is written. */
export async function settle(): Promise<void> {
  await delay(SETTLE_MS);
}

/** The question of a vehicle that holds the first version of its metadata. */
export const NOTHING_NEW: Uint8Array = Buffer.from(
  'GET /director/timestamp.json HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: "1"\r\n\r\n',
);

/** A vehicle's next manifest as a request. */
export async function manifestRequest({ vehicle }: Client): Promise<Uint8Array> {
  const body = await nextManifest(vehicle);
  const head = `PUT /director/manifest HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Makes vehicles that are registered, have credentials, and have been here once. */
async function prepare(folder: string): Promise<Pick<GatewayBench, 'small' | 'large'>> {
  const { running, close } = await openBenchCloud(folder);
  const { context } = running.cloud;
  const make = async (count: number, ecus: number): Promise<readonly Client[]> => {
    const vehicles = makeVehicles(count, ecus);
    await insertVehicles(context, vehicles);
    return await Promise.all(
      vehicles.map(async (vehicle) => {
        const credentials = await issueCredentials(context, parseDeviceId(vehicle.id));
        await running.director.accept(vehicle.id, await nextManifest(vehicle));
        return { vehicle, credential: encodeCredentialFiles(credentials) };
      }),
    );
  };
  try {
    return { small: await make(SMALL_COUNT, 1), large: await make(LARGE_COUNT, 4) };
  } finally {
    await close();
  }
}

/** The same certificates as the gateway's, its chain without the root as there. */
function bareFiles(folder: string): readonly string[] {
  const chain = readFileSync(join(folder, 'pki/gateway.crt'), 'utf8').split(
    /(?<=-----END CERTIFICATE-----\n)/,
  );
  const shown = join(folder, 'bare.crt');
  writeFileSync(shown, chain.slice(0, 2).join(''));
  return [shown, join(folder, 'keys/gateway.key.pem'), join(folder, 'pki/root.crt')];
}
