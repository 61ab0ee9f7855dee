/**
 * Runs a whole platform with a fleet of light vehicles, for people to look at and to try things on.
 *
 * Usage: npm run -s simulate -- fleet [--vehicles N] [--failing PERCENT] [--every SECONDS] [--folder DIR]
 *
 * Its data are in a folder of their own, which is removed at the end unless `--folder` names one. Of the
 * vehicles that fail, each falls back to what it ran; one in a hundred boots with a trouble code.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { inviteFirst } from '@immota/cloud';
import { buildConsole } from '@immota/console';
import { checkInAll } from './light-fleet.ts';
import { signLineRelease } from './line.ts';
import { openWorld } from './world.ts';

const VEHICLES_MAX = 100_000;
const USAGE =
  'Usage: npm run -s simulate -- fleet [--vehicles N] [--failing PERCENT] [--every SECONDS] [--folder DIR]';

/** @returns the exit status. */
export async function runFleet(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      vehicles: { type: 'string', default: '1000' },
      failing: { type: 'string', default: '1' },
      every: { type: 'string', default: '30' },
      folder: { type: 'string' },
    },
  });
  const vehicles = Number(values.vehicles);
  const failing = Number(values.failing);
  const every = Number(values.every);
  const isGood =
    isWithin(vehicles, 1, VEHICLES_MAX) && isWithin(failing, 0, 100) && isWithin(every, 1, 86_400);
  if (values.help || !isGood) {
    console.error(USAGE);
    return values.help ? 0 : 2;
  }
  const scratch =
    values.folder === undefined ? mkdtempSync(join(tmpdir(), 'immota-fleet-')) : undefined;
  try {
    await show({
      folder: values.folder ?? join(scratch ?? '', 'data'),
      vehicles,
      failing,
      every,
    });
    return 0;
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

interface ShowOptions {
  readonly folder: string;
  readonly vehicles: number;
  readonly failing: number;
  readonly every: number;
}

async function show({ folder, vehicles, failing, every }: ShowOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  console.log('Building the console …');
  const cacheFolder = join(import.meta.dirname, '../../node_modules/.cache/immota-console');
  const consoleFiles = { folder: await buildConsole({ cacheFolder }) };
  console.log(`Making ${vehicles} vehicles …`);
  const world = await openWorld({
    folder,
    vehicles,
    consoleFiles,
    failed: (error) => console.error(error),
    behaviour: () => {
      const [draw = 0] = randomBytes(1);
      if ((draw / 256) * 100 < failing) return { failsWith: 'INSTALL_FAILED' };
      return draw % 100 === 99 ? { troubleCodes: ['c10100'] } : {};
    },
  });
  try {
    const { cloud, campaigns, urls } = world.platform;
    for (const version of [3, 4]) {
      await campaigns.releases.create(await signLineRelease(cloud, version), 'release engineer');
    }
    const code = await inviteFirst(cloud.context);
    console.log(`Console: ${urls.operator}/auth/invitation?code=${code ?? ''}`);
    console.log('Plan a campaign for the releases that are there. Stop with Ctrl+C.');
    for (let round = 1; !stop.signal.aborted; round += 1) {
      const { contacts, installed, problems } = await checkInAll(world.vehicles, stop.signal);
      console.log(`round ${round}: ${contacts} contacts, ${installed} images installed`);
      for (const [problem, count] of problems) console.log(`  ${count} times: ${problem}`);
      await delay(every * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    await world.close();
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
