/**
 * Deltas instead of full images, where all ECUs of an image run the same base and can read it while they write.
 *
 * Beside a delta lies the order of the full image: whatever an ECU has against the delta, the full image is
 * downloaded and offered then. A delta is never more than transport, see `slots/install-delta.ts`.
 */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Fault, parseJson } from '@immota/base';
import { DELTA_HEADER_LENGTH_BYTES } from '@immota/image';
import { parseDigest, parseTargetName } from '@immota/uptane';
import { z } from 'zod';
import { downloadDelta } from '../download/delta-download.ts';
import { downloadImage, type DownloadOrder, findDownloaded } from '../download/image-download.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { findLink } from './distribute.ts';
import type { ImageOrder } from './image-orders.ts';
import { digestOf } from './installation.ts';
import type { CollectedReports } from './reports.ts';

/** A delta that was downloaded, and the full image that it stands for. */
export interface DeltaOffer {
  readonly path: string;
  readonly lengthBytes: number;
}

const ORDER_MAX_BYTES = 65_536;
const orderSchema = z.object({
  deltaLengthBytes: z.int().min(DELTA_HEADER_LENGTH_BYTES),
  name: z.string(),
  lengthBytes: z.int(),
  hashes: z.object({ sha256: z.string().optional(), sha512: z.string().optional() }),
  urls: z.array(z.string()),
});

/**
 * Downloads a delta where one would do.
 *
 * @param reports - of this cycle: what each ECU runs.
 * @returns where the full image would be; undefined when it is to be downloaded.
 */
export async function fetchDelta(
  context: PrimaryContext,
  { order, assignments }: ImageOrder,
  reports: CollectedReports,
): Promise<string | undefined> {
  const { downloadFolder: folder, policy } = context;
  if ((await findDownloaded(folder, order)) !== undefined) return undefined;
  const bases = new Set<string | undefined>();
  for (const { ecuIdentifier, file } of assignments) {
    const installed = reports.get(ecuIdentifier)?.report.installedImage;
    const canTake = await takesDelta(context, ecuIdentifier);
    const sha256 = installed?.lengthBytes === 0 ? undefined : installed?.hashes.get('sha256');
    bases.add(canTake && sha256 !== digestOf(file) ? sha256 : undefined);
  }
  const [base] = bases;
  if (base === undefined || bases.size !== 1) return undefined;
  const found = await downloadDelta(context.network(), order, base, {
    folder,
    rateFloor: policy.rateFloor,
    onRefusal: (fault) => noteAttack(context, fault),
  });
  if (found === undefined) return undefined;
  const full = found.path.replace(/\.delta$/, '.image');
  const { name, expected, urls } = order;
  const kept: z.infer<typeof orderSchema> = {
    deltaLengthBytes: found.lengthBytes,
    name,
    lengthBytes: expected.lengthBytes,
    hashes: Object.fromEntries(expected.hashes),
    urls: [...urls],
  };
  await writeFile(orderPath(full), JSON.stringify(kept), { mode: 0o600, flush: true });
  return full;
}

/**
 * Prepares an ECU: by the delta where one lies beside the path, else by the full image.
 *
 * @param fullPath - of the full image's bytes; need not be there while a delta is.
 * @throws what `by.image` throws, and `downloadImage`.
 */
export async function prepareByDelta(
  context: PrimaryContext,
  fullPath: string,
  by: {
    readonly delta: (offer: DeltaOffer) => Promise<void>;
    readonly image: () => Promise<void>;
  },
): Promise<void> {
  const path = fullPath.replace(/\.image$/, '.delta');
  if (!existsSync(fullPath) && existsSync(path)) {
    const { order, deltaLengthBytes } = await readOrder(fullPath);
    try {
      await by.delta({ path, lengthBytes: deltaLengthBytes });
      return;
    } catch (error) {
      // Nobody there: the delta may be as good as it was.
      if (!(error instanceof Fault) || error.code === 'ECU_UNREACHABLE') throw error;
      noteAttack(context, error);
    }
    const { policy, downloadFolder: folder, findFreeBytes } = context;
    await downloadImage(context.network(), order, {
      folder,
      quotaBytes: policy.downloadQuotaBytes,
      rateFloor: policy.rateFloor,
      ...(findFreeBytes === undefined ? {} : { findFreeBytes }),
      onRefusal: (fault) => noteAttack(context, fault),
    });
    await rm(path, { force: true });
  }
  await by.image();
}

/** Whether an ECU can read what it runs while it writes; with one bank it cannot. */
async function takesDelta(
  context: PrimaryContext,
  ecu: Parameters<typeof findLink>[1],
): Promise<boolean> {
  if (ecu === context.bundle.ecuIdentifier) return context.slots.openRunning !== undefined;
  const link = findLink(context, ecu);
  if (link?.takesDeltas !== true) return false;
  try {
    return (await link.status()).canRevert;
  } catch (error) {
    if (error instanceof VehicleFault) return false;
    throw error;
  }
}

async function readOrder(
  fullPath: string,
): Promise<{ readonly order: DownloadOrder; readonly deltaLengthBytes: number }> {
  const { deltaLengthBytes, name, lengthBytes, hashes, urls } = orderSchema.parse(
    parseJson(await readFile(orderPath(fullPath)), ORDER_MAX_BYTES),
  );
  const digests = new Map<'sha256' | 'sha512', string>();
  if (hashes.sha256 !== undefined) digests.set('sha256', parseDigest('sha256', hashes.sha256));
  if (hashes.sha512 !== undefined) digests.set('sha512', parseDigest('sha512', hashes.sha512));
  const order = { name: parseTargetName(name), expected: { lengthBytes, hashes: digests }, urls };
  return { order, deltaLengthBytes };
}

function orderPath(fullPath: string): string {
  return `${fullPath.replace(/\.image$/, '.delta')}.json`;
}
