/**
 * Starts a campaign and signs every vehicle's metadata, in a process of its own. Prints what it took:
 * seconds by the clock, CPU seconds of Node and of PostgreSQL, MiB at a fifth of the fleet and at its end.
 */
import { readFileSync } from 'node:fs';
import { createCampaignRoom, type RunningCloud } from '@immota/cloud';
import { openBenchCloud } from '../cloud/bench-cloud.ts';
import { insertFleet, MODEL, publishImages, signRelease } from './line.ts';

const [folder = '', vehicleCount = ''] = process.argv.slice(2);
let room: ReturnType<typeof createCampaignRoom> | undefined;
const bench = await openBenchCloud(folder, {
  campaigns: (opened) => {
    room = createCampaignRoom({ ...opened, approvals: 'self' });
    return { planner: room.planner, observer: room.observer };
  },
});
const { running, postgres } = bench;
if (room === undefined) throw new TypeError('the cloud makes its campaigns');
const { cloud } = running;
await publishImages(cloud);
const ids = await insertFleet(cloud, Number(vehicleCount));
const { releaseId } = await room.releases.create(await signRelease(cloud), 'bench');
const query = `vehicle.model == "${MODEL}"`;
const campaignId = await room.campaigns.create({
  name: 'bench',
  releaseId,
  query,
  createdBy: 'bench',
});
const postgresBefore = postgres.readMs();
const before = process.cpuUsage();
const start = performance.now();
const { counts } = await room.campaigns.start(campaignId, 'bench');
const started = performance.now();
const { count: ready, afterFifthMib } = await prepare(running, ids);
const end = performance.now();
const { user, system } = process.cpuUsage(before);
if (counts['targeted'] !== ids.length || ready !== ids.length) {
  throw new TypeError(`not every vehicle is ready: ${ready} of ${ids.length}`);
}
const seconds = [end - start, started - start, (user + system) / 1000].map((ms) => ms / 1000);
const postgresSeconds = (postgres.readMs() - postgresBefore) / 1000;
process.stdout.write([...seconds, postgresSeconds, afterFifthMib, peakMib()].join(' '));
await bench.close();

async function prepare(
  { director }: RunningCloud,
  vehicleIds: readonly string[],
): Promise<{ readonly count: number; readonly afterFifthMib: number }> {
  const fifth = Math.floor(vehicleIds.length / 5);
  const first = await director.prepare(vehicleIds.slice(0, fifth));
  const early = peakMib();
  const others = await director.prepare(vehicleIds.slice(fifth));
  return { count: first + others, afterFifthMib: early };
}

/** The most memory that this process ever had. */
function peakMib(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
