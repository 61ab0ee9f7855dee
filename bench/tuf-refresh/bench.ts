/** A full refresh with verification and one lookup, against tuf-js, each in a fresh process. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BenchResult, median, type Row } from '../row.ts';
import { type ServedRepository, serveRepository } from './repository.ts';

const run = promisify(execFile);
const SIZES = [
  { targets: 1, rounds: 7, atLeast: 3 },
  { targets: 100, rounds: 7, atLeast: 3 },
  { targets: 10_000, rounds: 1, atLeast: 300 },
] as const;

/** See the head of the file. */
export async function benchTufRefresh(): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const { targets, rounds, atLeast } of SIZES) {
    const repository = await serveRepository(targets);
    const ours: number[] = [];
    const peers: number[] = [];
    try {
      for (let round = 0; round < rounds; round += 1) {
        // Ours is cheap: three of it to one of the peer steady the median of the large case.
        for (let turn = 0; turn < 3; turn += 1) ours.push(await measure('ours.ts', repository));
        peers.push(await measure('tuf-js.ts', repository));
      }
    } finally {
      repository.server.close();
      repository.server.closeAllConnections();
    }
    rows.push({
      id: `tuf-refresh-${targets}`,
      what: `refresh, verify and look up among ${targets} targets`,
      ours: median(ours),
      unit: 'CPU ms',
      peer: 'tuf-js',
      peers: median(peers),
      ratio: median(peers) / median(ours),
      aim: { atLeast },
    });
  }
  return { rows };
}

async function measure(script: string, repository: ServedRepository): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'immota-bench-'));
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'root.json'), repository.root);
    const program = join(import.meta.dirname, script);
    const { stdout } = await run(
      process.execPath,
      // Helpers of the collector burn time while they wait for work: both do without.
      ['--single-threaded-gc', program, repository.url, folder, repository.targetName],
      { timeout: 300_000 },
    );
    return Number(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
