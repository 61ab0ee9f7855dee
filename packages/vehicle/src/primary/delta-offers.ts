/**
 * Deltas instead of full images, where all ECUs of an image run the same base, and either can read it while they write
 * or rewrite it in place.
 *
 * Beside a delta lies the order of the full image: whatever an ECU has against the delta, the full image is offered
 * then. A delta is never more than transport, see `slots/install-delta.ts`. One for a bank in place is rehearsed first;
 * where the image is encrypted the Primary cannot, and need not: the cloud has, and each of its chunks is authenticated
 * by a key that came wrapped for the ECU (ADR 94).
 */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Fault, parseJson } from '@immota/base';
import { DELTA_HEADER_LENGTH_BYTES } from '@immota/image';
import { parseDigest, parseTargetName } from '@immota/uptane';
import { z } from 'zod';
import { downloadDelta, type WantedDelta } from '../download/delta-download.ts';
import { downloadImage, type DownloadOrder, findDownloaded } from '../download/image-download.ts';
import type { ServedImage } from '../transaction/record.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { findLink } from './distribute.ts';
import { findInstalledImage } from './image-archive.ts';
import type { ImageOrder } from './image-orders.ts';
import { digestOf } from './installation.ts';
import { type Rehearsal, rehearseDelta } from './rehearse-delta.ts';
import type { CollectedReports } from './reports.ts';

/** A delta that was downloaded, and the full image that it stands for. */
export interface DeltaOffer {
  readonly path: string;
  readonly lengthBytes: number;
}

/** What was noted beside a delta. */
interface KeptOrder {
  readonly order: DownloadOrder;
  readonly deltaLengthBytes: number;
  readonly isInPlace: boolean;
}

const ORDER_MAX_BYTES = 65_536;
const orderSchema = z.object({
  deltaLengthBytes: z.int().min(DELTA_HEADER_LENGTH_BYTES),
  /** What it starts from; notes of earlier versions have none. */
  base: z.string().optional(),
  pageBytes: z.int().optional(),
  name: z.string(),
  lengthBytes: z.int(),
  hashes: z.object({ sha256: z.string().optional(), sha512: z.string().optional() }),
  urls: z.array(z.string()),
});

/**
 * Downloads a delta where one would do.
 *
 * @param reports - of this cycle: what each ECU runs.
 * @returns where the full image would be, or is; undefined when it is to be downloaded, beside a delta or without.
 */
export async function fetchDelta(
  context: PrimaryContext,
  image: ImageOrder,
  reports: CollectedReports,
): Promise<string | undefined> {
  const { downloadFolder: folder, policy } = context;
  const { order, assignments } = image;
  if ((await findDownloaded(folder, order)) !== undefined) return undefined;
  const wanted = await findWanted(context, assignments, reports);
  if (wanted === undefined) return undefined;
  const kept = findKept(context, image, wanted);
  const isInPlace = wanted.pageBytes !== undefined;
  const isEncrypted = assignments.some(({ file }) => file.encrypted !== undefined);
  if (isInPlace && !isEncrypted && kept === undefined) return undefined;
  const found = await downloadDelta(context.network(), order, wanted, {
    folder,
    rateFloor: policy.rateFloor,
    onRefusal: (fault) => noteAttack(context, fault),
  });
  if (found === undefined) return undefined;
  const full = found.path.replace(/\.delta$/, '.image');
  if (isInPlace && kept !== undefined && !isEncrypted) {
    const rehearsal = {
      basePath: kept.path,
      deltaPath: found.path,
      expected: order.expected,
      imagePath: full,
    };
    if (!(await isRehearsed(context, rehearsal))) return undefined;
  }
  await saveOrder(full, order, { ...wanted, deltaLengthBytes: found.lengthBytes });
  // What is encrypted cannot be made of a delta here; it is the ECU's way back next time.
  return isInPlace && isEncrypted ? undefined : full;
}

/** A delta that does not give the signed image here is given to nobody. */
async function isRehearsed(context: PrimaryContext, rehearsal: Rehearsal): Promise<boolean> {
  try {
    await rehearseDelta(rehearsal);
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    noteAttack(context, error);
    await rm(rehearsal.deltaPath, { force: true });
    return false;
  }
}

/** The image that the delta starts from, as one of its ECUs got it. */
function findKept(
  context: PrimaryContext,
  { assignments }: ImageOrder,
  { baseSha256 }: WantedDelta,
): ServedImage | undefined {
  for (const { ecuIdentifier } of assignments) {
    const kept = findInstalledImage(context, ecuIdentifier, baseSha256);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

/**
 * Prepares an ECU: by the delta where one lies beside the path, else by the full image.
 *
 * @param fullPath - of the full image's bytes; need not be there while a delta for another slot is.
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
  const kept = await findOrder(fullPath, path);
  if (kept !== undefined) {
    const { order, deltaLengthBytes } = kept;
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

/** Which delta all ECUs of an image could use; undefined where they differ, or one cannot use any. */
async function findWanted(
  context: PrimaryContext,
  assignments: ImageOrder['assignments'],
  reports: CollectedReports,
): Promise<WantedDelta | undefined> {
  let common: WantedDelta | undefined;
  for (const { ecuIdentifier, file } of assignments) {
    const installed = reports.get(ecuIdentifier)?.report.installedImage;
    const baseSha256 = installed?.lengthBytes === 0 ? undefined : installed?.hashes.get('sha256');
    if (baseSha256 === undefined || baseSha256 === digestOf(file)) return undefined;
    const ability = await findAbility(context, ecuIdentifier);
    if (ability === undefined) return undefined;
    const wanted = { baseSha256, ...ability };
    const isSame =
      common === undefined ||
      (common.baseSha256 === baseSha256 && common.pageBytes === wanted.pageBytes);
    if (!isSame) return undefined;
    common = wanted;
  }
  return common;
}

/** How an ECU takes deltas: beside what it runs, in place by pages, or not at all. */
async function findAbility(
  context: PrimaryContext,
  ecu: Parameters<typeof findLink>[1],
): Promise<Pick<WantedDelta, 'pageBytes'> | undefined> {
  if (ecu === context.bundle.ecuIdentifier) {
    return context.slots.openRunning === undefined ? undefined : {};
  }
  const link = findLink(context, ecu);
  if (link?.takesDeltas !== true) return undefined;
  try {
    const { canRevert, deltaPageBytes } = await link.status();
    if (canRevert) return {};
    return deltaPageBytes === undefined ? undefined : { pageBytes: deltaPageBytes };
  } catch (error) {
    if (error instanceof VehicleFault) return undefined;
    throw error;
  }
}

async function saveOrder(
  fullPath: string,
  { name, expected, urls }: DownloadOrder,
  { baseSha256, pageBytes, deltaLengthBytes }: WantedDelta & { readonly deltaLengthBytes: number },
): Promise<void> {
  const kept: z.infer<typeof orderSchema> = {
    deltaLengthBytes,
    base: baseSha256,
    ...(pageBytes === undefined ? {} : { pageBytes }),
    name,
    lengthBytes: expected.lengthBytes,
    hashes: Object.fromEntries(expected.hashes),
    urls: [...urls],
  };
  await writeFile(orderPath(fullPath), JSON.stringify(kept), { mode: 0o600, flush: true });
}

/** Finds the delta that is to be tried; beside a full image only one for a bank in place. */
async function findOrder(fullPath: string, path: string): Promise<KeptOrder | undefined> {
  if (!existsSync(path) || !existsSync(orderPath(fullPath))) return undefined;
  const kept = await readOrder(fullPath);
  return kept.isInPlace || !existsSync(fullPath) ? kept : undefined;
}

async function readOrder(fullPath: string): Promise<KeptOrder> {
  const { deltaLengthBytes, pageBytes, name, lengthBytes, hashes, urls } = orderSchema.parse(
    parseJson(await readFile(orderPath(fullPath)), ORDER_MAX_BYTES),
  );
  const digests = new Map<'sha256' | 'sha512', string>();
  if (hashes.sha256 !== undefined) digests.set('sha256', parseDigest('sha256', hashes.sha256));
  if (hashes.sha512 !== undefined) digests.set('sha512', parseDigest('sha512', hashes.sha512));
  const order = { name: parseTargetName(name), expected: { lengthBytes, hashes: digests }, urls };
  return { order, deltaLengthBytes, isInPlace: pageBytes !== undefined };
}

function orderPath(fullPath: string): string {
  return `${fullPath.replace(/\.image$/, '.delta')}.json`;
}
