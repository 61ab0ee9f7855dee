/** Clients that come back: to another process of the server, with the ticket of the first. */
import { median, type Row } from '../row.ts';
import { type GatewayBench, NOTHING_NEW } from './clients.ts';
import { openConnection } from './connection.ts';

const CLIENTS = 100;
const WIRE_LIMIT_BYTES = 1500;

/** See the head of the file. */
export async function benchResumption(bench: GatewayBench): Promise<readonly Row[]> {
  const classic = await comeBack(bench, 'X25519');
  const hybrid = await comeBack(bench, undefined);
  return [
    {
      id: 'resumed-bytes',
      what: 'nothing new, over a resumed connection: bytes of TLS records, handshake included',
      ours: classic.wireBytes,
      unit: 'bytes',
      peer: 'limit',
      peers: WIRE_LIMIT_BYTES,
      ratio: classic.wireBytes / WIRE_LIMIT_BYTES,
      aim: { atMost: 1 },
      note: `by X25519; ${hybrid.wireBytes.toFixed(0)} where keys are agreed on by X25519MLKEM768`,
    },
    {
      id: 'resumed-share',
      what: 'returning clients that resume at another process of the server',
      ours: classic.share * 100,
      unit: '%',
      peer: 'all',
      peers: 100,
      ratio: classic.share,
      aim: { atLeast: 0.95 },
    },
  ];
}

async function comeBack(
  { gateway, second, small }: GatewayBench,
  group: 'X25519' | undefined,
): Promise<{ readonly wireBytes: number; readonly share: number }> {
  const wireBytes: number[] = [];
  const clients = small.slice(0, CLIENTS);
  for (const { credential } of clients) {
    const first = await openConnection({ port: gateway.port, credential, group });
    await first.ask(NOTHING_NEW);
    const session = await first.session();
    await first.close();
    const again = await openConnection({ port: second.port, credential, session, group });
    await again.ask(NOTHING_NEW);
    if (again.isResumed) wireBytes.push(again.wireBytes());
    await again.close();
  }
  return { wireBytes: median(wireBytes), share: wireBytes.length / clients.length };
}
