/**
 * An update on a stick for one vehicle: what the gateway would serve it, as files. The vehicle checks
 * it as it would check the gateway; who carries the stick is trusted with nothing.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AKTUALIZR } from '@immota/uptane';
import { createCampaignRoom } from './campaign/campaign-room.ts';
import type { Cloud } from './cloud.ts';
import { openDirector } from './director/director.ts';
import { CloudFault } from './fault.ts';
import { publishTree } from './image-repository/publish-tree.ts';
import { EcuKeyCache } from './inventory/ecu-key.ts';
import { loadVehicles } from './inventory/vehicle-record.ts';
import { loadFiles } from './trust/publish.ts';

/** What is on the stick. */
export interface OfflineUpdate {
  /** Names of images by ECU; empty when nothing is planned for the vehicle. */
  readonly images: ReadonlyMap<string, string>;
}

/**
 * Writes the update that is planned for a vehicle.
 *
 * @param folder - must not hold an update already.
 * @throws CloudFault NOT_FOUND when the inventory has no such vehicle, NOT_REGISTERED.
 */
export async function exportOfflineUpdate(
  cloud: Cloud,
  vehicleId: string,
  folder: string,
): Promise<OfflineUpdate> {
  const { context, store, catalogue, keystore, trust } = cloud;
  const room = createCampaignRoom(cloud);
  const director = await openDirector(context, {
    planner: room.planner,
    observer: room.observer,
    trust: store,
    catalogue,
    keystore,
    lifetimes: trust.lifetimes,
    cdnBase: undefined,
    failed: (error) => {
      throw error;
    },
  });
  try {
    await director.prepare([vehicleId]);
    await mkdir(join(folder, 'director'), { recursive: true });
    for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
      const { bytes, version } = await director.load(vehicleId, role);
      await writeFile(join(folder, 'director', `${role}.json`), bytes);
      if (role === 'timestamp') continue;
      await writeFile(join(folder, 'director', `${version}.${role}.json`), bytes);
    }
  } finally {
    await director.close();
  }
  await writeRoots(cloud, folder);
  const found = await loadVehicles(context.database.kysely, [vehicleId], new EcuKeyCache());
  const record = found.get(vehicleId);
  if (record === undefined) {
    throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
  }
  const images = record.inventory.offer?.images ?? new Map<string, string>();
  await copyImages(cloud, folder, new Set(images.values()));
  return { images };
}

async function writeRoots({ context }: Cloud, folder: string): Promise<void> {
  const files = await context.database.kysely
    .transaction()
    .execute((tx) => loadFiles(tx, 'director', AKTUALIZR));
  for (const { role, version, bytes } of files) {
    if (role !== 'root') continue;
    await writeFile(join(folder, 'director', `${version}.root.json`), bytes);
  }
}

/** The Image repository's metadata, and of its images those that the vehicle needs. */
async function copyImages(cloud: Cloud, folder: string, names: ReadonlySet<string>): Promise<void> {
  const draft = await mkdtemp(join(folder, '.draft-'));
  try {
    const { folder: tree } = await publishTree(cloud, draft);
    const repository = join(tree, 'repo');
    const targets = `targets${sep}`;
    await cp(repository, join(folder, 'repo'), {
      recursive: true,
      filter: (source) => {
        const path = relative(repository, source);
        const isImage = path.startsWith(targets) && /\.[0-9a-z]+$/i.test(path);
        return !isImage || [...names].some((name) => path.includes(name));
      },
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
