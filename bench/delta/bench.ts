/** Deltas of real firmware: their size, and what making and applying them costs, beside other makers. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrograms } from '../debian.ts';
import type { BenchResult, NotRun, Row } from '../row.ts';
import { packageVersion, runProgram } from '../run-program.ts';
import { type FirmwarePair, findPairs } from './pairs.ts';
import {
  BSDIFF,
  CASYNC,
  type Cost,
  type Peer,
  type PeerDelta,
  PEERS_NEED,
  RAUC_BLOCKS,
  XDELTA,
  ZSTD,
} from './peers.ts';

/** What an ECU of the smaller Linux sort has to spare above Node itself. */
const APPLY_LIMIT_MIB = 16;
/** A bank in place needs an order of its pages, which may cost a little. */
const PAGE_BYTES = 4096;
/**
 * HDiffPatch is packaged nowhere we could run it from. On Debian's arm64 kernels 6.1.190 and 6.1.187 to 6.1.192 its
 * version 4.12 (-m -SD-256k, zstd-21) made 2 222 484 and 2 821 410 bytes where bsdiff made 2 665 731 and 3 407 790.
 */
const HDIFFPATCH_OF_BSDIFF = 0.83;

/** What is compared with whom, and how much smaller we mean to be. */
interface Comparison {
  readonly peer: Peer;
  readonly pairs: ReadonlyMap<string, number>;
}

const COMPARISONS: readonly Comparison[] = [
  {
    peer: BSDIFF,
    pairs: new Map([
      ['primehub', 1],
      ['bootloader', 1],
      ['kernel', 1],
    ]),
  },
  {
    peer: XDELTA,
    pairs: new Map([
      ['primehub', 1],
      ['bootloader', 1],
      ['kernel', 0.8],
    ]),
  },
  {
    peer: ZSTD,
    pairs: new Map([
      ['bootloader', 1],
      ['kernel', 0.7],
      ['rootfs', 0.7],
    ]),
  },
  {
    peer: CASYNC,
    pairs: new Map([
      ['kernel', 0.25],
      ['rootfs', 0.25],
    ]),
  },
  { peer: RAUC_BLOCKS, pairs: new Map([['kernel', 0.25]]) },
];

interface OurDelta {
  readonly bytes: number;
  readonly make: Cost;
  readonly apply: Cost;
}

/** See the head of the file. */
export async function benchDelta(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'immota-bench-'));
  try {
    const missing = await ensurePrograms(PEERS_NEED);
    const rows: Row[] = [];
    const notRun: NotRun[] = [];
    for (const pair of await findPairs(join(folder, 'pairs'))) {
      const id = `delta-${pair.id}`;
      if ('why' in pair) notRun.push({ id, why: pair.why });
      else if (missing !== undefined) notRun.push({ id, why: missing });
      else rows.push(...(await comparePair(pair, folder)));
    }
    return { rows, notRun };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function comparePair(pair: FirmwarePair, parent: string): Promise<readonly Row[]> {
  const folder = join(parent, pair.id);
  mkdirSync(folder);
  const ours = await runOurs(pair, folder);
  const rows: Row[] = [];
  for (const { peer, pairs } of COMPARISONS) {
    const atMost = pairs.get(pair.id);
    if (atMost === undefined) continue;
    const theirs = await peer.run(pair, folder);
    rows.push(await sizeRow(pair, { ours, theirs, peer, atMost }));
    if (peer === BSDIFF) rows.push(...bsdiffRows(pair, ours, theirs));
  }
  rows.push(memoryRow(pair, ours));
  if (pair.id === 'primehub') rows.push(await inPlaceRow(pair, folder, ours));
  rmSync(folder, { recursive: true });
  return rows;
}

async function sizeRow(
  pair: FirmwarePair,
  compared: {
    readonly ours: OurDelta;
    readonly theirs: PeerDelta;
    readonly peer: Peer;
    readonly atMost: number;
  },
): Promise<Row> {
  const { ours, theirs, peer, atMost } = compared;
  const full = statSync(pair.image).size;
  const part = ((100 * ours.bytes) / full).toFixed(1);
  return {
    id: `delta-${pair.id}-${peer.id}`,
    what: `size of a delta: ${pair.what}`,
    ours: ours.bytes / 1024,
    unit: 'KiB',
    peer: `${peer.name} (${await packageVersion(peer.package)})`,
    peers: theirs.bytes / 1024,
    ratio: ours.bytes / theirs.bytes,
    aim: { atMost },
    note: `${part} % of the image; make ${costOf(ours.make)} and ${costOf(theirs.make)}, apply ${costOf(ours.apply)}${theirs.apply === undefined ? '' : ` and ${costOf(theirs.apply)}`}`,
  };
}

/** Of short images the start of a process costs more than the work. */
function bsdiffRows(pair: FirmwarePair, ours: OurDelta, theirs: PeerDelta): readonly Row[] {
  if (pair.id !== 'kernel') return [];
  const hdiffpatch = HDIFFPATCH_OF_BSDIFF * theirs.bytes;
  const size: Row = {
    id: `delta-${pair.id}-hdiffpatch`,
    what: `size of a delta: ${pair.what}`,
    ours: ours.bytes / 1024,
    unit: 'KiB',
    peer: 'HDiffPatch 4.12 -m, not run here: 0.83 of bsdiff, as it was on two pairs of such kernels',
    peers: hdiffpatch / 1024,
    ratio: ours.bytes / hdiffpatch,
    aim: { atMost: 1.1 },
  };
  const costs = (['make', 'apply'] as const).map((step): Row => {
    const peers = theirs[step]?.cpuMs ?? Number.NaN;
    return {
      id: `delta-${pair.id}-${step}-cpu`,
      what: `CPU time to ${step} a delta: ${pair.what}`,
      ours: ours[step].cpuMs / 1000,
      unit: 'CPU s',
      peer: step === 'make' ? 'bsdiff' : 'bspatch',
      peers: peers / 1000,
      ratio: ours[step].cpuMs / peers,
      aim: { atMost: 1 },
    };
  });
  return [size, ...costs];
}

function memoryRow(pair: FirmwarePair, { apply }: OurDelta): Row {
  return {
    id: `delta-${pair.id}-apply-memory`,
    what: `most memory above the idle process while a delta is applied: ${pair.what}`,
    ours: apply.peakMib,
    unit: 'MiB',
    peer: 'limit',
    peers: APPLY_LIMIT_MIB,
    ratio: apply.peakMib / APPLY_LIMIT_MIB,
    aim: { atMost: 1 },
  };
}

async function inPlaceRow(pair: FirmwarePair, folder: string, ours: OurDelta): Promise<Row> {
  const { bytes } = await run([
    'make',
    pair.base,
    pair.image,
    join(folder, 'paged'),
    String(PAGE_BYTES),
  ]);
  return {
    id: `delta-${pair.id}-in-place`,
    what: `size of a delta for one bank with pages of 4 KiB: ${pair.what}`,
    ours: bytes / 1024,
    unit: 'KiB',
    peer: 'our own delta for another slot',
    peers: ours.bytes / 1024,
    ratio: bytes / ours.bytes,
    aim: { atMost: 1.1 },
  };
}

async function runOurs(pair: FirmwarePair, folder: string): Promise<OurDelta> {
  const delta = join(folder, 'ours');
  const output = join(folder, 'ours-applied');
  const { bytes, ...make } = await run(['make', pair.base, pair.image, delta]);
  const { cpuMs, peakMib } = await run(['apply', pair.base, delta, output]);
  await runProgram(['cmp', pair.image, output]);
  return { bytes, make, apply: { cpuMs, peakMib } };
}

async function run(parameters: readonly string[]): Promise<Cost & { readonly bytes: number }> {
  const program = join(import.meta.dirname, 'ours.ts');
  const printed = await runProgram([process.execPath, program, ...parameters]);
  const [cpuMs = Number.NaN, peakMib = Number.NaN, bytes = Number.NaN] = printed
    .split(' ')
    .map(Number);
  return { cpuMs, peakMib, bytes };
}

function costOf({ cpuMs, peakMib }: Cost): string {
  return `${(cpuMs / 1000).toFixed(2)} CPU s, ${peakMib.toFixed(0)} MiB`;
}
