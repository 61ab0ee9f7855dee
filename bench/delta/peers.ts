/** Other makers of deltas: what they make of a pair, and what it costs. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';
import type { FirmwarePair } from './pairs.ts';

/** What a program took. */
export interface Cost {
  readonly cpuMs: number;
  readonly peakMib: number;
}

/** What a peer made. */
export interface PeerDelta {
  readonly bytes: number;
  readonly make: Cost;
  /** Undefined where applying is not compared. */
  readonly apply: Cost | undefined;
}

/** A peer. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly package: string;
  run(pair: FirmwarePair, folder: string): Promise<PeerDelta>;
}

/** What peers need, by program. */
export const PEERS_NEED = {
  bsdiff: 'bsdiff',
  bspatch: 'bsdiff',
  xdelta3: 'xdelta3',
  zstd: 'zstd',
  casync: 'casync',
  time: 'time',
} as const;

/** See the head of the file. */
export const BSDIFF: Peer = {
  id: 'bsdiff',
  name: 'bsdiff',
  package: 'bsdiff',
  async run({ base, image }, folder) {
    const delta = join(folder, 'bsdiff');
    const output = join(folder, 'bspatched');
    const make = await measure(['bsdiff', base, image, delta], folder);
    const apply = await measure(['bspatch', base, output, delta], folder);
    return { bytes: statSync(delta).size, make, apply };
  },
};

/** See the head of the file. */
export const XDELTA: Peer = {
  id: 'xdelta3',
  name: 'xdelta3 -9 -S djw',
  package: 'xdelta3',
  async run({ base, image }, folder) {
    const delta = join(folder, 'xdelta');
    const output = join(folder, 'xdelta-applied');
    const window = String(Math.max(statSync(base).size, 524_288));
    const make = await measure(
      ['xdelta3', '-e', '-9', '-f', '-S', 'djw', '-B', window, '-s', base, image, delta],
      folder,
    );
    const apply = await measure(
      ['xdelta3', '-d', '-f', '-B', window, '-s', base, delta, output],
      folder,
    );
    return { bytes: statSync(delta).size, make, apply };
  },
};

/** See the head of the file. */
export const ZSTD: Peer = {
  id: 'zstd',
  name: 'zstd -12 --patch-from',
  package: 'zstd',
  async run({ base, image }, folder) {
    const delta = join(folder, 'zstd');
    const output = join(folder, 'zstd-applied');
    const patch = ['zstd', '-q', '-f', '--long=31', `--patch-from=${base}`];
    const make = await measure([...patch, '-12', image, '-o', delta], folder);
    const apply = await measure([...patch, '-d', delta, '-o', output], folder);
    return { bytes: statSync(delta).size, make, apply };
  },
};

/** See the head of the file. */
export const CASYNC: Peer = {
  id: 'casync',
  name: 'casync, chunks of 64 KiB, new ones and the index',
  package: 'casync',
  async run({ base, image }, folder) {
    const store = join(folder, 'store.castr');
    mkdirSync(store, { recursive: true });
    const index = (name: string): string => join(folder, `${name}.caibx`);
    const command = ['casync', 'make', `--store=${store}`, '--compression=zstd'];
    await measure([...command, index('base'), base], folder);
    const before = sizeOf(store);
    const make = await measure([...command, index('image'), image], folder);
    const bytes = sizeOf(store) - before + statSync(index('image')).size;
    rmSync(store, { recursive: true });
    return { bytes, make, apply: undefined };
  },
};

/** How RAUC's adaptive updates go: blocks of 4 KiB by their hash. Its own index is told, not its compression. */
export const RAUC_BLOCKS: Peer = {
  id: 'rauc',
  name: "blocks of 4 KiB as RAUC's block-hash-index has them, missing ones and the index",
  package: 'rauc',
  // oxlint-disable-next-line require-await -- the port is asynchronous, this is a model
  async run({ base, image }) {
    const known = new Set(blocksOf(base));
    const wanted = blocksOf(image);
    const missing = wanted.filter((block) => !known.has(block)).length;
    const nothing = { cpuMs: 0, peakMib: 0 };
    return { bytes: missing * 4096 + wanted.length * 32, make: nothing, apply: undefined };
  },
};

function blocksOf(path: string): readonly string[] {
  const bytes = readFileSync(path);
  const blocks: string[] = [];
  for (let at = 0; at < bytes.length; at += 4096) {
    blocks.push(bytes.subarray(at, at + 4096).toString('latin1'));
  }
  return blocks;
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Runs a program under `time`, and reads what it says of it. */
async function measure(command: readonly string[], folder: string): Promise<Cost> {
  const said = join(folder, 'time');
  await runProgram(['time', '-f', '%U %S %M', '-o', said, ...command]);
  const [user = 0, system = 0, kib = 0] = readFileSync(said, 'utf8').trim().split(' ').map(Number);
  return { cpuMs: (user + system) * 1000, peakMib: kib / 1024 };
}
