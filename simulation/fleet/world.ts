/** A whole platform with a vehicle line and a fleet of light vehicles: what the console is shown on. */
import { randomBytes } from 'node:crypto';
import { initialiseCloud, type Platform, type PlatformOptions, startPlatform } from '@immota/cloud';
import { LINE_HARDWARE, lineImage, publishLine } from './line.ts';
import { makeLightFleet } from './light-fleet.ts';
import type { Behaviour, LightVehicle } from './light-vehicle.ts';

/** Models and markets of the fleet. */
const MODELS: readonly string[] = ['Family', 'Family Plus', 'Van'];
const MARKETS: readonly string[] = ['DE', 'FR', 'CN', 'US'];

/** How a world is made. */
export interface WorldOptions extends Partial<PlatformOptions> {
  /** For its data; empty or not there yet. */
  readonly folder: string;
  readonly vehicles: number;
  readonly behaviour?: (index: number) => Behaviour;
  readonly onMade?: (count: number) => void;
}

/** A world that runs. */
export interface World {
  readonly platform: Platform;
  readonly vehicles: readonly LightVehicle[];
  close(): Promise<void>;
}

/**
 * Makes a world. The fleet is of three models in four markets; every third vehicle runs version 2 of all,
 * the others version 1.
 */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { vehicles: count, behaviour, onMade, ...rest } = options;
  const platformOptions: PlatformOptions = {
    clock: { now: () => Temporal.Now.instant() },
    entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    host: '127.0.0.1',
    // One machine plays a whole fleet.
    rate: { burst: 1e9, perSecond: 1e6 },
    ...rest,
  };
  await initialiseCloud({
    ...platformOptions,
    organization: 'Simulated Motors',
    profile: 'classic',
    withOfflineKeys: true,
  });
  const platform = await startPlatform(platformOptions);
  try {
    await publishLine(platform.cloud);
    const vehicles = await makeLightFleet(platform.cloud, {
      gateway: platform.urls.gateway,
      vehicles: count,
      models: MODELS,
      markets: MARKETS,
      hardwareIds: LINE_HARDWARE,
      factoryImage: (hardwareId, index) => lineImage(hardwareId, index % 3 === 0 ? 2 : 1),
      ...(behaviour === undefined ? {} : { behaviour }),
      ...(onMade === undefined ? {} : { onMade }),
    });
    return { platform, vehicles, close: () => platform.close() };
  } catch (error) {
    await platform.close();
    throw error;
  }
}
