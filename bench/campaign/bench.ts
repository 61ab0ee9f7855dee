/** Plans a campaign for 100,000 vehicles of four ECUs, and signs their metadata. */
import { join } from 'node:path';
import { makeCloudFolder, removeCloudFolder } from '../cloud/bench-cloud.ts';
import type { BenchResult } from '../row.ts';
import { runProgram } from '../run-program.ts';

const VEHICLES = 100_000;
const LIMIT_SECONDS = 60;
/** Between a fifth of the fleet and all of it: garbage that was not collected yet, and no more. */
const GROWTH_LIMIT = 1.25;

/** See the head of the file. */
export async function benchCampaign(): Promise<BenchResult> {
  const folder = await makeCloudFolder();
  try {
    const program = join(import.meta.dirname, 'plan.ts');
    const printed = await runProgram([process.execPath, program, folder, String(VEHICLES)]);
    const [wall = 0, start = 0, node = 0, postgres = 0, early = 0, peak = 0] = printed
      .split(' ')
      .map(Number);
    return {
      rows: [
        {
          id: 'campaign-100000',
          what: 'plan and sign a campaign for 100,000 vehicles of 4 ECUs by way of a version between',
          // The limit is by the clock of two cores: signing and storing go on side by side.
          ours: wall,
          unit: 's',
          peer: 'limit on two cores',
          peers: LIMIT_SECONDS,
          ratio: wall / LIMIT_SECONDS,
          aim: { atMost: 1 },
          note: `${node.toFixed(0)} CPU s in Node, ${postgres.toFixed(0)} in PostgreSQL; ${start.toFixed(0)} s of the time to place every vehicle; whatever else runs on the machine counts`,
        },
        {
          id: 'campaign-memory',
          what: 'most memory of the process after the whole fleet, against after a fifth of it',
          ours: peak,
          unit: 'MiB',
          peer: 'after a fifth',
          peers: early,
          ratio: peak / early,
          aim: { atMost: GROWTH_LIMIT },
        },
      ],
    };
  } finally {
    await removeCloudFolder(folder);
  }
}
