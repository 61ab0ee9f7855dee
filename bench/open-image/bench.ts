/** An encrypted image of 512 MiB into a slot: decrypted, hashed, written and durable. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrograms, type Needed } from '../debian.ts';
import { type BenchResult, median, type NotRun, type Row } from '../row.ts';
import { packageVersion, runProgram } from '../run-program.ts';
import { type BenchImage, makeImage } from './image.ts';
import { prepareRauc, RAUC_NEEDS } from './rauc.ts';
import { type Install, prepareSwupdate, SWUPDATE_NEEDS } from './swupdate.ts';

/** Enough for each to have been in each place twice; the first, which warms the memory up, is left out. */
const ROUNDS = 7;
const MEBIBYTE = 1_048_576;
/** Above the idle process: what an ECU of the smaller sort has to spare. */
const MEMORY_LIMIT_MIB = 64;

interface Peer {
  readonly id: string;
  readonly name: string;
  readonly package: string;
  readonly needs: Needed;
  readonly atLeast: number;
  prepare(folder: string, image: BenchImage): Promise<Install>;
}

const PEERS: readonly Peer[] = [
  {
    id: 'open-image-swupdate',
    name: 'SWUpdate, encrypted',
    package: 'swupdate',
    needs: SWUPDATE_NEEDS,
    atLeast: 1.5,
    prepare: prepareSwupdate,
  },
  {
    id: 'open-image-rauc',
    name: 'RAUC, not encrypted',
    package: 'rauc',
    needs: RAUC_NEEDS,
    atLeast: 0.8,
    prepare: prepareRauc,
  },
];

interface Contender {
  readonly peer: Peer;
  readonly install: Install;
  readonly cpuMs: number[];
}

/** See the head of the file. */
export async function benchOpenImage(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'immota-bench-'));
  try {
    return await compare(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compare(folder: string): Promise<BenchResult> {
  const image = await makeImage(folder);
  const notRun: NotRun[] = [];
  const contenders: Contender[] = [];
  for (const peer of PEERS) {
    const why = await ensurePrograms(peer.needs);
    if (why !== undefined) notRun.push({ id: peer.id, why });
    else contenders.push({ peer, install: await peer.prepare(folder, image), cpuMs: [] });
  }
  const ours: { readonly cpuMs: number; readonly aboveIdleMib: number }[] = [];
  const turns = [
    async (round: number): Promise<void> => {
      ours.push(await installOurs(join(folder, `ours-${round}`), image));
    },
    ...contenders.map(({ install, cpuMs }) => async (): Promise<void> => {
      cpuMs.push(await install());
    }),
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Whoever comes first pays for memory that the machine has to find: so each does in turn.
    for (let turn = 0; turn < turns.length; turn += 1) {
      await turns[(round + turn) % turns.length]?.(round);
    }
    if (round === 0)
      for (const figures of [ours, ...contenders.map(({ cpuMs }) => cpuMs)]) figures.pop();
  }
  const speed = (cpuMs: readonly number[]): number =>
    image.lengthBytes / MEBIBYTE / (median(cpuMs) / 1000);
  const ourSpeed = speed(ours.map(({ cpuMs }) => cpuMs));
  const rows = await Promise.all(
    contenders.map(async ({ peer, cpuMs }): Promise<Row> => {
      const peers = speed(cpuMs);
      return {
        id: peer.id,
        what: 'open an encrypted image of 512 MiB: decrypt, hash, write, fsync',
        ours: ourSpeed,
        unit: 'MiB/CPU s',
        peer: `${peer.name} (${peer.package} ${await packageVersion(peer.package)})`,
        peers,
        ratio: ourSpeed / peers,
        aim: { atLeast: peer.atLeast },
      };
    }),
  );
  const memory = median(ours.map(({ aboveIdleMib }) => aboveIdleMib));
  const memoryRow: Row = {
    id: 'open-image-memory',
    what: 'most memory above the idle process while it is opened',
    ours: memory,
    unit: 'MiB',
    peer: 'limit',
    peers: MEMORY_LIMIT_MIB,
    ratio: memory / MEMORY_LIMIT_MIB,
    aim: { atMost: 1 },
  };
  return { rows: [...rows, memoryRow], notRun };
}

/** Each time into an empty slot: an image that is there already would not be written. */
async function installOurs(
  folder: string,
  image: BenchImage,
): Promise<{ readonly cpuMs: number; readonly aboveIdleMib: number }> {
  mkdirSync(folder);
  const program = join(import.meta.dirname, 'ours.ts');
  const { encrypted, keyHex, sha256, lengthBytes } = image;
  const parameters = [encrypted, folder, keyHex, sha256, String(lengthBytes)];
  const printed = await runProgram([process.execPath, program, ...parameters]);
  rmSync(folder, { recursive: true });
  const [cpuMs = Number.NaN, aboveIdleMib = Number.NaN] = printed.split(' ').map(Number);
  return { cpuMs, aboveIdleMib };
}
