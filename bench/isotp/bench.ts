/** ISO-TP against the limit of its bus, and what it costs. */
import { join } from 'node:path';
import { canBitRate } from '@immota/bus';
import { systemSurroundings } from '@immota/vehicle';
import { type BenchResult, median, type Row } from '../row.ts';
import { runProgram } from '../run-program.ts';
import { type Carriage, limitMs } from './limit.ts';
import { carry, IDENTIFIERS, SimulatedTimer } from './throughput.ts';

const ROUNDS = 3;
/** Blocks of TransferData as ECUs take them: what fits into 12 bits of length, and 16 KiB over CAN FD. */
const CLASSIC_BLOCK_BYTES = 4095;
const FD_BLOCK_BYTES = 16_384;
const SIMULATED_BLOCKS = 16;
/** About two seconds on either bus. */
const REAL_CLASSIC_BLOCKS = 14;
const REAL_FD_BLOCKS = 22;
/** The fastest bus of CAN FD, 1 and 8 Mbit/s, carries about this. */
const FASTEST_BUS_MB_PER_S = 0.6;
/** What one core should bear of them, both ends counted. */
const BUSES_PER_CORE = 10;

const CLASSIC = { rate: canBitRate(500_000), frameBytes: 8 };
const FD = { rate: canBitRate(500_000, 2_000_000), frameBytes: 64 };

const CASES: readonly (readonly [id: string, Carriage])[] = [
  ['isotp-classic', { ...CLASSIC, blockSize: 0, separationTimeUs: 0 }],
  ['isotp-classic-bs8', { ...CLASSIC, blockSize: 8, separationTimeUs: 0 }],
  ['isotp-classic-st1ms', { ...CLASSIC, blockSize: 0, separationTimeUs: 1000 }],
  ['isotp-fd', { ...FD, blockSize: 0, separationTimeUs: 0 }],
  ['isotp-fd-bs8', { ...FD, blockSize: 8, separationTimeUs: 0 }],
  ['isotp-fd-st100us', { ...FD, blockSize: 0, separationTimeUs: 100 }],
];

/** See the head of the file. */
export async function benchIsoTp(): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const [id, by] of CASES) {
    const messages = makeMessages(by, SIMULATED_BLOCKS);
    const timer = new SimulatedTimer();
    rows.push(throughputRow(id, by, messages, await timer.until(carry(messages, by, timer))));
  }
  for (const [id, by, blocks] of [
    ['isotp-real-classic', CASES[0]?.[1], REAL_CLASSIC_BLOCKS],
    ['isotp-real-fd', CASES[3]?.[1], REAL_FD_BLOCKS],
  ] as const) {
    if (by === undefined) continue;
    const messages = makeMessages(by, blocks);
    const { timer } = systemSurroundings();
    rows.push(throughputRow(id, by, messages, await carry(messages, by, timer)));
  }
  for (const kind of ['classic', 'fd']) rows.push(await costRow(kind));
  return { rows };
}

function throughputRow(
  id: string,
  by: Carriage,
  messages: readonly Uint8Array[],
  tookMs: number,
): Row {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  const leastMs = messages.reduce((sum, each) => sum + limitMs(each, IDENTIFIERS, by), 0);
  const { nominalBps, dataBps } = by.rate;
  const speed = dataBps === undefined ? nominalBps : `${nominalBps}/${dataBps}`;
  return {
    id,
    what: `messages of ${messages[0]?.length} bytes over a bus of ${speed} bit/s, BS ${by.blockSize}, STmin ${by.separationTimeUs} µs`,
    ours: bytes / tookMs,
    unit: 'kB/s',
    peer: 'limit by the bits of the frames and the pauses asked for',
    peers: bytes / leastMs,
    ratio: leastMs / tookMs,
    aim: { atLeast: 0.95 },
  };
}

async function costRow(kind: string): Promise<Row> {
  const program = join(import.meta.dirname, 'ours.ts');
  const speeds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    speeds.push(Number(await runProgram([process.execPath, program, kind])));
  }
  const ours = median(speeds);
  const peers = FASTEST_BUS_MB_PER_S * BUSES_PER_CORE;
  return {
    id: `isotp-cost-${kind}`,
    what: 'both ends of the protocol without a bus',
    ours,
    unit: 'MB/CPU s',
    peer: `${BUSES_PER_CORE} of the fastest buses at once`,
    peers,
    ratio: ours / peers,
    aim: { atLeast: 1 },
  };
}

/** Bytes as firmware has them: no long runs, no pattern of the stuffing's own. */
function makeMessages({ frameBytes }: Carriage, count: number): readonly Uint8Array[] {
  const lengthBytes = frameBytes > 8 ? FD_BLOCK_BYTES : CLASSIC_BLOCK_BYTES;
  let state = 1;
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: lengthBytes }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}
