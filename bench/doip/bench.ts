/** DoIP: what a core carries over the loopback, and how much of a vehicle's Ethernet is left for data. */
import { join } from 'node:path';
import { type BenchResult, median, type Row } from '../row.ts';
import { runProgram } from '../run-program.ts';
import { LINK_LIMIT_MB_PER_S, measureLink } from './link.ts';

const ROUNDS = 3;
const ROUND_BYTES = 250_000_000;
const LIMIT_MB_PER_CPU_S = 200;
/** Blocks as bootloaders take them: of Ethernet ECUs, and the longest that our entity takes. */
const BLOCKS: readonly (readonly [string, number])[] = [
  ['64k', 65_536],
  ['1m', 1_048_576],
];
const LINK_BLOCKS = 40;

/** See the head of the file. */
export async function benchDoip(): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const [name, blockBytes] of BLOCKS) {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await measure('doip', blockBytes));
      bare.push(await measure('tcp', blockBytes));
    }
    rows.push(...loopbackRows(name, median(ours), median(bare)), linkRow(name, blockBytes));
  }
  return { rows };
}

function loopbackRows(name: string, ours: number, bare: number): readonly Row[] {
  const what = `transfer data in blocks of ${name}, each acknowledged and answered; both ends together`;
  const unit = 'MB/CPU s';
  return [
    {
      id: `doip-core-${name}`,
      what,
      ours,
      unit,
      peer: 'limit',
      peers: LIMIT_MB_PER_CPU_S,
      ratio: ours / LIMIT_MB_PER_CPU_S,
      aim: { atLeast: 1 },
    },
    {
      id: `doip-tcp-${name}`,
      what,
      ours,
      unit,
      peer: 'bare node:net, blocks joined',
      peers: bare,
      ratio: ours / bare,
      aim: { atLeast: 0.75 },
    },
  ];
}

function linkRow(name: string, blockBytes: number): Row {
  const ours = measureLink(blockBytes, LINK_BLOCKS);
  return {
    id: `doip-link-${name}`,
    what: `transfer data in blocks of ${name} on a simulated 100BASE-T1, answered at once`,
    ours,
    unit: 'MB/s',
    peer: 'TCP in full frames',
    peers: LINK_LIMIT_MB_PER_S,
    ratio: ours / LINK_LIMIT_MB_PER_S,
    aim: { atLeast: 0.95 },
  };
}

/** In a process of its own: MB for each second of its CPU. */
async function measure(carrier: 'doip' | 'tcp', blockBytes: number): Promise<number> {
  const count = Math.ceil(ROUND_BYTES / blockBytes);
  const program = join(import.meta.dirname, 'ours.ts');
  const printed = await runProgram([
    process.execPath,
    program,
    carrier,
    String(blockBytes),
    String(count),
  ]);
  return (blockBytes * count) / 1e6 / (Number(printed) / 1000);
}
