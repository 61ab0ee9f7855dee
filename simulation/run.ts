/** One run: a seed, a cloud, some vehicles, two campaigns, bad weather, and the end of it. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Chance } from './chance.ts';
import type { Factory } from './factory.ts';
import { type AnyFault, Faults } from './faults.ts';
import { Forger } from './forger.ts';
import { VERSIONS } from './images.ts';
import { Ledger } from './ledger.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import { describe, SimulatedCloud } from './simulated-cloud.ts';
import { SimulatedTime } from './simulated-time.ts';
import { type Failure, Story } from './story.ts';
import { Vehicle } from './vehicle.ts';

/** How to run. */
export interface RunOptions {
  readonly seed: number;
  /** The faults that strike, and often; the seed chooses when left out, and none is a calm run. */
  readonly only?: readonly AnyFault[] | undefined;
  /** Hears the story. */
  readonly hear?: ((line: string) => void) | undefined;
}

/** What a run came to. */
export interface RunResult {
  readonly seed: number;
  readonly failures: readonly Failure[];
  readonly counts: ReadonlyMap<string, number>;
  readonly manifests: number;
  /** Of the whole story: the same seed gives the same. */
  readonly digest: string;
  readonly simulatedMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS: number = 60 * MINUTE_MS;
/** From here on nothing fails any more. */
const WEATHER_MIN_MS: number = 30 * MINUTE_MS;
const WEATHER_MAX_MS: number = 100 * MINUTE_MS;
/** How long after it all may take: waits of the vehicle add up, and a campaign may have to be repeated. */
const PATIENCE_MS: number = 12 * HOUR_MS;

let runs = 0;

/** Runs a seed. */
export async function runSeed(factory: Factory, options: RunOptions): Promise<RunResult> {
  const { seed, only, hear } = options;
  runs += 1;
  const folder = join(factory.scratch, `run-${runs}`);
  mkdirSync(folder);
  const chance = new Chance(`run ${seed}`);
  const time = new SimulatedTime();
  const story = new Story(time, hear);
  const faults = new Faults(chance, only);
  const forger = new Forger(chance.fork('forger'));
  const ledger = new Ledger(time);
  const database = await factory.openRunDatabase();
  const shared = { factory, time, faults, story, forger, ledger, folder };
  const cloud: SimulatedCloud = new SimulatedCloud({
    ...shared,
    chance: chance.fork('cloud'),
    databaseUrl: database.url,
    onStarted: () => checkLedger(cloud, ledger, story),
  });
  const network = new Network({ ...shared, cloud, chance: chance.fork('network') });
  const count = chance.happens(0.5) ? 1 : factory.vehicles.length;
  const vehicles = factory.vehicles.slice(0, count).map((parts) => {
    return new Vehicle({ ...shared, network, chance: chance.fork(parts.vehicleId) }, parts);
  });
  const operator = new Operator({ factory, time, story, cloud });
  try {
    await cloud.start();
    for (const vehicle of vehicles) await vehicle.begin();
    await play({ time, cloud, vehicles, operator, faults, story, chance: chance.fork('weather') });
    await checkLedger(cloud, ledger, story);
  } catch (error) {
    story.fail('broken', describe(error));
  } finally {
    for (const vehicle of vehicles) await vehicle.end();
    await cloud.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  }
  const { failures, counts } = story;
  const manifests = ledger.count;
  return { seed, failures, counts, manifests, digest: story.digest(), simulatedMs: time.nowMs };
}

interface Cast {
  readonly time: SimulatedTime;
  readonly cloud: SimulatedCloud;
  readonly vehicles: readonly Vehicle[];
  readonly operator: Operator;
  readonly faults: Faults;
  readonly story: Story;
  readonly chance: Chance;
}

async function play(cast: Cast): Promise<void> {
  const { time, cloud, vehicles, operator, faults, story, chance } = cast;
  const weatherMs = chance.between(WEATHER_MIN_MS, WEATHER_MAX_MS);
  for (const version of VERSIONS.slice(1)) {
    operator.plan(version, chance.between(0, weatherMs * 0.6));
  }
  planKills(cast, weatherMs);
  await time.runUntil(() => false, weatherMs);
  faults.isOn = false;
  for (const vehicle of vehicles) vehicle.spare();
  story.tell('weather-clears');
  const last = VERSIONS.at(-1) ?? 0;
  let nextLookMs = weatherMs;
  const limitMs = weatherMs + PATIENCE_MS;
  while (time.nowMs < limitMs) {
    nextLookMs += 5 * MINUTE_MS;
    await time.runUntil(() => false, Math.min(nextLookMs, limitMs));
    if (!cloud.isUp || vehicles.some(({ ecus }) => ecus.some((ecu) => !ecu.isOn))) continue;
    const isDone = vehicles.every((vehicle) => vehicle.checkSoftware() === last);
    if ((await operator.look(vehicles.map(({ vehicleId }) => vehicleId))) && isDone) return;
  }
  for (const vehicle of vehicles) {
    const versions = vehicle.ecus.map((ecu) => `${ecu.kind.suffix} ${ecu.checkSoftware() ?? '?'}`);
    story.fail(
      'unconverged',
      `${vehicle.vehicleId}: ${versions.join(', ')}; ${await operator.explain(vehicle.vehicleId)}`,
    );
  }
}

/** Kills at any instant, besides those that count steps and statements. */
function planKills({ time, cloud, vehicles, faults, chance }: Cast, weatherMs: number): void {
  if (faults.has('cloud-killed')) {
    const kills = 1 + chance.below(3);
    for (let index = 0; index < kills; index += 1) {
      time.schedule(chance.between(0, weatherMs), () => cloud.kill('at any instant'));
    }
  }
  for (const vehicle of vehicles) {
    for (const ecu of vehicle.ecus) {
      const fault = ecu.kind.role === 'primary' ? 'primary-power' : 'secondary-power';
      if (!faults.has(fault) || chance.happens(0.5)) continue;
      time.schedule(chance.between(0, weatherMs), () => vehicle.cut(ecu));
    }
  }
  if (!faults.has('ecu-replaced')) return;
  for (const vehicle of vehicles) {
    const ecu = chance.pick(vehicle.ecus.filter(({ kind }) => kind.role !== 'primary'));
    time.schedule(chance.between(0, weatherMs), () => vehicle.replace(ecu));
  }
}

async function checkLedger(cloud: SimulatedCloud, ledger: Ledger, story: Story): Promise<void> {
  const lost = await cloud.operate(async (_, running) =>
    ledger.findLost(running.cloud.context.database),
  );
  for (const line of lost ?? []) story.fail('lost', line);
}
