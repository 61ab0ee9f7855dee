/** Runs a vehicle from its folders: every Secondary as a node of its own, and the T-BOX among them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, member, parseJson } from '@immota/base';
import {
  connectSecondary,
  type ConsentPort,
  loadBundle,
  loadLinkCredential,
  loadSecondaryBundle,
  openFolderSlots,
  type Primary,
  type PrimaryPolicy,
  type ProgressListener,
  runPrimary,
  runSecondary,
  type SecondaryProgress,
  type SecondaryServer,
  systemSurroundings,
} from '@immota/vehicle';

/** How a vehicle is run. */
export interface RunVehicleOptions {
  readonly folder: string;
  readonly consent: ConsentPort;
  readonly locale?: string | undefined;
  readonly policy?: Partial<PrimaryPolicy> | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onEcuProgress?: ((ecu: string, progress: SecondaryProgress) => void) | undefined;
}

/** A vehicle that runs. */
export interface RunningVehicle {
  readonly primary: Primary;
  close(): Promise<void>;
}

/** Starts one ECU from its folder. */
export async function startEcu(
  folder: string,
  onProgress?: (progress: SecondaryProgress) => void,
  port = 0,
): Promise<SecondaryServer & { readonly ecuIdentifier: string }> {
  const { factory, credential } = loadSecondaryBundle(folder);
  const server = await runSecondary({
    factory,
    credential,
    folder: join(folder, 'own'),
    surroundings: systemSurroundings(),
    onProgress,
    port,
  });
  return { ...server, ecuIdentifier: factory.ecuIdentifier };
}

/** Starts all ECUs of a vehicle and its T-BOX. */
export async function runVehicle(options: RunVehicleOptions): Promise<RunningVehicle> {
  const { folder, onEcuProgress } = options;
  const tbox = join(folder, 'tbox');
  const surroundings = systemSurroundings();
  const servers: SecondaryServer[] = [];
  try {
    const credential = loadLinkCredential(join(tbox, 'link'));
    const links = [];
    for (const name of readdirSync(join(folder, 'ecus')).toSorted()) {
      const server = await startEcu(join(folder, 'ecus', name), (progress) => {
        onEcuProgress?.(name, progress);
      });
      servers.push(server);
      const { factory } = loadSecondaryBundle(join(folder, 'ecus', name));
      const { ecuIdentifier } = factory;
      const { host, port } = server;
      const { timer } = surroundings;
      links.push(connectSecondary({ host, port, ecuIdentifier, credential, timer }));
    }
    const primary = await runPrimary({
      bundle: loadBundle(tbox),
      folder: join(tbox, 'own'),
      slots: await openFolderSlots({ folder: join(tbox, 'own', 'slots') }),
      secondaries: links,
      consent: options.consent,
      locale: options.locale,
      profile: readProfile(tbox),
      policy: options.policy,
      onProgress: options.onProgress,
      surroundings,
    });
    return {
      primary,
      close: async () => {
        await primary.close();
        await closeAll(servers);
      },
    };
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
}

/** Which keys the T-BOX makes at its first start: a word of this command's own in its configuration. */
function readProfile(tbox: string): 'classic' | 'hybrid' {
  const stated = parseJson(readFileSync(join(tbox, 'config.json')), 16_384);
  const isHybrid = isJsonObject(stated) && member(stated, 'profile') === 'hybrid';
  return isHybrid ? 'hybrid' : 'classic';
}

async function closeAll(servers: readonly SecondaryServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()));
}
