/**
 * Check-ins through the real gateway, over TLS with client certificates, against node:https that asks
 * for them and does nothing else: with a new connection each, on an open one, and resumed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCredentials } from '@immota/cloud';
import { encodeCredentialFiles, parseDeviceId } from '@immota/pki';
import { makeCloudFolder, openBenchCloud, removeCloudFolder } from '../cloud/bench-cloud.ts';
import { insertVehicles, makeVehicles, nextManifest } from '../cloud/fleet.ts';
import type { BenchResult, Row } from '../row.ts';
import type { Client, GatewayBench } from './clients.ts';
import { benchNewConnections } from './new-connections.ts';
import { benchOpenConnections } from './open-connections.ts';
import { benchResumption } from './resumption.ts';
import { type ServerProcess, startServer } from './server-process.ts';

const SMALL_COUNT = 400;
const LARGE_COUNT = 200;
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

/** Makes vehicles that are registered, have credentials, and have been here once. */
async function prepare(folder: string): Promise<Pick<GatewayBench, 'small' | 'large'>> {
  const cloud = await openBenchCloud(folder);
  const { running } = cloud;
  const { context } = running.cloud;
  const make = async (count: number, ecus: number): Promise<readonly Client[]> => {
    const vehicles = makeVehicles(count, ecus);
    await insertVehicles(context, vehicles);
    await Promise.all(
      vehicles.map(async (vehicle) => {
        await running.director.accept(vehicle.id, await nextManifest(vehicle));
      }),
    );
    const clients: Client[] = [];
    for (const vehicle of vehicles) {
      const credentials = await issueCredentials(context, parseDeviceId(vehicle.id));
      clients.push({ vehicle, credential: encodeCredentialFiles(credentials) });
    }
    return clients;
  };
  try {
    return { small: await make(SMALL_COUNT, 1), large: await make(LARGE_COUNT, 4) };
  } finally {
    await cloud.close();
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
