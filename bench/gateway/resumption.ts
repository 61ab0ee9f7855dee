/** Clients that come back: to another process of the server, with the ticket of the first. */
import { median, type Row } from '../row.ts';
import { type GatewayBench, NOTHING_NEW } from './bench.ts';
import { openConnection } from './connection.ts';

const CLIENTS = 100;
const WIRE_LIMIT_BYTES = 1500;

/** See the head of the file. */
export async function benchResumption(bench: GatewayBench): Promise<readonly Row[]> {
  const { gateway, second, small } = bench;
  const wireBytes: number[] = [];
  let resumed = 0;
  const clients = small.slice(0, CLIENTS);
  for (const { credential } of clients) {
    const first = await openConnection({ port: gateway.port, credential });
    await first.ask(NOTHING_NEW);
    const session = await first.session();
    await first.close();
    const again = await openConnection({ port: second.port, credential, session });
    await again.ask(NOTHING_NEW);
    if (again.isResumed) {
      resumed += 1;
      wireBytes.push(again.wireBytes());
    }
    await again.close();
  }
  const bytes = median(wireBytes);
  const share = resumed / clients.length;
  return [
    {
      id: 'resumed-bytes',
      what: 'nothing new, over a resumed connection: bytes of TLS records, handshake included',
      ours: bytes,
      unit: 'bytes',
      peer: 'limit',
      peers: WIRE_LIMIT_BYTES,
      ratio: bytes / WIRE_LIMIT_BYTES,
      aim: { atMost: 1 },
    },
    {
      id: 'resumed-share',
      what: 'returning clients that resume at another process of the server',
      ours: share * 100,
      unit: '%',
      peer: 'all',
      peers: 100,
      ratio: share,
      aim: { atLeast: 0.95 },
    },
  ];
}
