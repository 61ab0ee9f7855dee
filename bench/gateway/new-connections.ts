/** A signed check-in over a new connection with a full handshake, against a bare handshake. */
import { median, type Row } from '../row.ts';
import {
  askForNews,
  type Client,
  type GatewayBench,
  manifestRequest,
  NOTHING_NEW,
} from './clients.ts';
import { openConnection } from './connection.ts';
import type { ServerProcess, ServerTime } from './server-process.ts';

const ROUNDS = 5;
const CONNECTIONS = 200;
/** A fleet does not queue up: what comes together is written together. */
const AT_ONCE = 100;
const LOADS = ['bare', 'nothing', 'small', 'large'] as const;

interface Load {
  readonly server: ServerProcess;
  readonly clients: readonly Client[];
  readonly request: (client: Client) => Promise<Uint8Array>;
}

/** See the head of the file. */
export async function benchNewConnections(bench: GatewayBench): Promise<readonly Row[]> {
  const { gateway, bare, small, large } = bench;
  const loads: Readonly<Record<(typeof LOADS)[number], Load>> = {
    bare: { server: bare, clients: small, request: askForNews },
    nothing: { server: gateway, clients: small, request: askForNews },
    small: { server: gateway, clients: small, request: manifestRequest },
    large: { server: gateway, clients: large, request: manifestRequest },
  };
  const took: Readonly<Record<(typeof LOADS)[number], ServerTime[]>> = {
    bare: [],
    nothing: [],
    small: [],
    large: [],
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of LOADS) {
      const measured = await measure(loads[name]);
      // The first round is the engine's, to compile in.
      if (round > 0) took[name].push(measured);
    }
  }
  const bareUs = median(took.bare.map(({ nodeMs }) => nodeMs)) * 1000;
  const row = (id: string, what: string, times: readonly ServerTime[]): Row => {
    const node = median(times.map(({ nodeMs }) => nodeMs)) * 1000;
    const postgres = median(times.map(({ postgresMs }) => postgresMs)) * 1000;
    const us = node + postgres;
    return {
      id,
      what,
      ours: 1e6 / us,
      unit: 'connections/CPU s',
      peer: 'bare node:https mTLS',
      peers: 1e6 / bareUs,
      ratio: bareUs / us,
      aim: { atLeast: 0.75 },
      note: `${node.toFixed(0)} us in Node and ${postgres.toFixed(0)} in PostgreSQL, against ${bareUs.toFixed(0)}`,
    };
  };
  const what = 'signed check-in over a new mTLS connection, durable';
  return [
    row('check-in-mtls', `${what}; one ECU, 2 signatures`, took.small),
    row('check-in-mtls-4-ecus', `${what}; 4 ECUs, 5 signatures`, took.large),
    row('check-in-mtls-nothing-new', 'nothing new, over a new mTLS connection', took.nothing),
  ];
}

/** @returns the CPU time of the server, and of its database, for one connection. */
async function measure({ server, clients, request }: Load): Promise<ServerTime> {
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
  return {
    nodeMs: (after.nodeMs - before.nodeMs) / chosen.length,
    postgresMs: (after.postgresMs - before.postgresMs) / chosen.length,
  };
}
