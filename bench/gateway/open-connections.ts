/** A check-in when nothing is new, on a connection that is open: its bytes, and its CPU time. */
import { median, type Row } from '../row.ts';
import { type GatewayBench, NOTHING_NEW, settle } from './clients.ts';
import { type Connection, openConnection } from './connection.ts';
import type { ServerProcess } from './server-process.ts';

const ROUNDS = 9;
/** Enough for the engine to compile the path that is measured. */
const WARM_UP_ROUNDS = 20;
const WIRE_LIMIT_BYTES = 200;

/** See the head of the file. */
export async function benchOpenConnections(bench: GatewayBench): Promise<readonly Row[]> {
  const { gateway, bare, small } = bench;
  const open = ({ port }: ServerProcess): Promise<readonly Connection[]> =>
    Promise.all(small.map(({ credential }) => openConnection({ port, credential })));
  const ours = await open(gateway);
  const peers = await open(bare);
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    await askAll(ours);
    await askAll(peers);
  }
  const wireBytes = await countBytes(ours);
  await settle();
  const node: number[] = [];
  let postgres = 0;
  const bareUs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bareUs.push((await measure(bare, peers)).node);
    const measured = await measure(gateway, ours);
    node.push(measured.node);
    // A round takes PostgreSQL less than the tick it is counted in: only their sum says something.
    postgres += measured.postgres / ROUNDS;
  }
  await Promise.all([...ours, ...peers].map((connection) => connection.close()));
  const limit = median(bareUs);
  const row = (id: string, what: string, us: number): Omit<Row, 'aim'> => ({
    id,
    what,
    ours: us,
    unit: 'CPU us',
    peer: 'bare node:https 304',
    peers: limit,
    ratio: us / limit,
  });
  const what = 'nothing new, on an open connection';
  return [
    {
      id: 'nothing-new-bytes',
      what: `${what}: bytes of TLS records in both directions`,
      ours: wireBytes,
      unit: 'bytes',
      peer: 'limit',
      peers: WIRE_LIMIT_BYTES,
      ratio: wireBytes / WIRE_LIMIT_BYTES,
      aim: { atMost: 1 },
    },
    {
      ...row('nothing-new-cpu', `${what}: the gateway's process alone`, median(node)),
      aim: { atMost: 2 },
    },
    {
      ...row(
        'nothing-new-stored',
        `${what}: last contact stored, with PostgreSQL`,
        median(node) + postgres,
      ),
      aim: { atMost: 5 },
    },
  ];
}

async function askAll(connections: readonly Connection[]): Promise<void> {
  const statuses = await Promise.all(connections.map((connection) => connection.ask(NOTHING_NEW)));
  const odd = statuses.find((status) => status !== 304);
  if (odd !== undefined) throw new TypeError(`nothing is new, and the answer is ${odd}`);
}

async function countBytes(connections: readonly Connection[]): Promise<number> {
  const each = connections.map(async (connection) => {
    const before = connection.wireBytes();
    await connection.ask(NOTHING_NEW);
    return connection.wireBytes() - before;
  });
  return median(await Promise.all(each));
}

/** One question of each vehicle, as a fleet asks: so each last contact is a row of its own. */
async function measure(
  server: ServerProcess,
  connections: readonly Connection[],
): Promise<{ readonly node: number; readonly postgres: number }> {
  const before = await server.readTime();
  await askAll(connections);
  // Last contacts are written a moment later.
  await settle();
  const after = await server.readTime();
  const each = (ms: number): number => (ms * 1000) / connections.length;
  return {
    node: each(after.nodeMs - before.nodeMs),
    postgres: each(after.postgresMs - before.postgresMs),
  };
}
