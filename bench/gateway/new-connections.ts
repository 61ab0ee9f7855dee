/** A signed check-in over a new connection with a full handshake, against a bare handshake. */
import { median, type Row } from '../row.ts';
import { type Client, type GatewayBench, manifestRequest, NOTHING_NEW } from './bench.ts';
import { openConnection } from './connection.ts';
import type { ServerProcess } from './server-process.ts';

const ROUNDS = 7;
const CONNECTIONS = 64;
const AT_ONCE = 8;

interface Load {
  readonly server: ServerProcess;
  readonly clients: readonly Client[];
  request(client: Client): Promise<Uint8Array>;
}

/** See the head of the file. */
export async function benchNewConnections(bench: GatewayBench): Promise<readonly Row[]> {
  const { gateway, bare, small, large } = bench;
  const nothing = (): Promise<Uint8Array> => Promise.resolve(NOTHING_NEW);
  const loads = {
    bare: { server: bare, clients: small, request: nothing },
    nothing: { server: gateway, clients: small, request: nothing },
    small: { server: gateway, clients: small, request: manifestRequest },
    large: { server: gateway, clients: large, request: manifestRequest },
  };
  const took: Record<keyof typeof loads, number[]> = {
    bare: [],
    nothing: [],
    small: [],
    large: [],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of ['bare', 'nothing', 'small', 'large'] as const) {
      took[name].push(await measure(loads[name]));
    }
  }
  const bareUs = median(took.bare);
  const row = (id: string, what: string, us: number): Row => ({
    id,
    what,
    ours: 1e6 / us,
    unit: 'connections/CPU s',
    peer: 'bare node:https mTLS',
    peers: 1e6 / bareUs,
    ratio: bareUs / us,
    aim: { atLeast: 0.75 },
    note: `${us.toFixed(0)} us against ${bareUs.toFixed(0)}, with PostgreSQL's`,
  });
  const what = 'signed check-in over a new mTLS connection, durable';
  return [
    row('check-in-mtls', `${what}; one ECU, 2 signatures`, median(took.small)),
    row('check-in-mtls-4-ecus', `${what}; 4 ECUs, 5 signatures`, median(took.large)),
    row(
      'check-in-mtls-nothing-new',
      'nothing new, over a new mTLS connection',
      median(took.nothing),
    ),
  ];
}

/** @returns CPU microseconds of the server for a connection, with its database's. */
async function measure({ server, clients, request }: Load): Promise<number> {
  const chosen = clients.slice(0, CONNECTIONS);
  const requests = await Promise.all(chosen.map(request));
  const before = await server.readTime();
  const work = chosen.map((client, index) => ({ client, bytes: requests[index] ?? NOTHING_NEW }));
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const { credential } = next.client;
      // oxlint-disable-next-line no-await-in-loop -- each worker has one connection at a time
      const connection = await openConnection({ port: server.port, credential });
      // oxlint-disable-next-line no-await-in-loop -- see above
      const status = await connection.ask(next.bytes);
      if (status !== 200 && status !== 304) throw new TypeError(`a check-in got ${status}`);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await connection.close();
    }
  });
  await Promise.all(workers);
  const after = await server.readTime();
  const cpuMs = after.nodeMs - before.nodeMs + after.postgresMs - before.postgresMs;
  return (cpuMs * 1000) / chosen.length;
}
