/**
 * Downloads images {uptane I5}: the bytes that verified metadata describe, from whoever serves them,
 * resumed after any interruption, and handed on only when the length and every listed hash agree.
 */
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@immota/base';
import { checkMeasurement, type Measurement, type TargetName, UptaneFault } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';
import { discardBody, type FetchResponse } from './fetcher.ts';
import {
  CHECKPOINT_BYTES,
  IMAGE_ATTEMPTS,
  IMAGE_ATTEMPTS_IDLE,
  PROGRESS_MIN_BYTES,
  QUOTA_BYTES,
  RATE_FLOOR_BYTES_PER_S,
  RATE_WINDOW_MS,
  RESERVE_BYTES,
} from './limits.ts';
import { measureFile, openPartialFile, type PartialFile } from './partial-file.ts';
import { guardRate, type RateFloor } from './rate-guard.ts';
import { backOff, checkNoRedirect, type Network } from './request.ts';

/** An image to be downloaded. */
export interface DownloadOrder {
  readonly name: TargetName;
  /** Of the bytes that are served: the ciphertext of an encrypted image {uptane B11}. */
  readonly expected: Measurement;
  /** Where they may be, best first. */
  readonly urls: readonly string[];
}

/** Where downloads lie, and what they may cost. */
export interface DownloadOptions {
  /** Holds downloads and nothing else. */
  readonly folder: string;
  readonly rateFloor?: RateFloor;
  readonly checkpointBytes?: number;
  readonly quotaBytes?: number;
  /** Tells how many bytes the disk has left; the real one when left out. */
  readonly findFreeBytes?: (folder: string) => Promise<number>;
  readonly onProgress?: (name: TargetName, receivedBytes: number, lengthBytes: number) => void;
  /** Called with every refusal that a source earned, though another source may still help. */
  readonly onRefusal?: (fault: Fault<string>) => void;
}

/**
 * Downloads an image, or finds it downloaded.
 *
 * @returns the path of the file; its bytes are what `order.expected` describes.
 * @throws VehicleFault DOWNLOAD_FAILED when no source gave the right bytes, with the last refusal as
 * its cause; SLOW_RETRIEVAL, NETWORK, SERVER_UNTRUSTED or HTTP_STATUS when it may go on another time;
 * DISK_QUOTA or DISK_FULL.
 */
export async function downloadImage(
  network: Network,
  order: DownloadOrder,
  options: DownloadOptions,
): Promise<string> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${fileNameOf(order)}.image`);
  if (await isWhole(path, order.expected)) return path;
  const partPath = join(folder, `${fileNameOf(order)}.part`);
  const part = await openPartialFile(partPath, options.checkpointBytes ?? CHECKPOINT_BYTES);
  try {
    await checkRoom(order, part, options);
    await downloadFromAny(network, order, { part, options });
  } finally {
    await part.close();
  }
  await rename(partPath, path);
  await syncFolder(folder);
  return path;
}

/**
 * Finds an image that was downloaded, and checks it again.
 *
 * @returns its path, or undefined when it is not there or not whole.
 */
export async function findDownloaded(
  folder: string,
  order: Pick<DownloadOrder, 'expected'>,
): Promise<string | undefined> {
  const path = join(folder, `${fileNameOf(order)}.image`);
  return (await isWhole(path, order.expected)) ? path : undefined;
}

/** What stands behind the name of a download: its bytes, parts of them, a delta, and notes of it. */
const OF_DOWNLOAD = /\.(?:image|part|rehearsal|delta(?:\.part)?(?:\.json)?)$/;

/** Deletes every download that nobody wants any more, parts and deltas included. */
export async function discardOthers(
  folder: string,
  wanted: readonly Pick<DownloadOrder, 'expected'>[],
): Promise<void> {
  const kept = new Set(wanted.map(fileNameOf));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (!kept.has(name.replace(OF_DOWNLOAD, ''))) await rm(join(folder, name), { force: true });
  }
}

interface Attempt {
  readonly part: PartialFile;
  readonly options: DownloadOptions;
}

async function downloadFromAny(
  network: Network,
  order: DownloadOrder,
  attempt: Attempt,
): Promise<void> {
  const { part, options } = attempt;
  const urls = [...order.urls];
  let idle = 0;
  for (let count = 0; count < IMAGE_ATTEMPTS && idle < IMAGE_ATTEMPTS_IDLE; count += 1) {
    const [url] = urls;
    if (url === undefined) break;
    const before = part.lengthBytes;
    try {
      await downloadFrom(network, { ...order, url }, attempt);
      return;
    } catch (error) {
      if (!(error instanceof Fault) || isOurs(error)) throw error;
      options.onRefusal?.(error);
      network.signal.throwIfAborted();
      urls.shift();
      // A source that gave wrong bytes or has none is not asked again; the others take turns. Nor is
      // one condemned for bytes that came before it.
      if (!isFinal(error) || (before > 0 && part.lengthBytes === 0)) urls.push(url);
      else if (urls.length === 0) throw failed(order, error);
      idle = part.lengthBytes - before >= PROGRESS_MIN_BYTES ? 0 : idle + 1;
      if (idle === IMAGE_ATTEMPTS_IDLE) throw error;
    }
    await backOff(network, idle + 1);
  }
  throw failed(order, undefined);
}

/** One connection: from where we are to the end, or to a refusal. */
async function downloadFrom(
  network: Network,
  order: DownloadOrder & { readonly url: string },
  { part, options }: Attempt,
): Promise<void> {
  const { url, expected, name } = order;
  if (part.lengthBytes < expected.lengthBytes || expected.lengthBytes === 0) {
    const slow = new AbortController();
    const floor = options.rateFloor ?? {
      bytesPerSecond: RATE_FLOOR_BYTES_PER_S,
      windowMs: RATE_WINDOW_MS,
    };
    const guard = guardRate(network.surroundings.timer, floor, (fault) => slow.abort(fault));
    try {
      const headers = part.lengthBytes === 0 ? {} : { range: `bytes=${part.lengthBytes}-` };
      const signal = AbortSignal.any([slow.signal, network.signal]);
      const response = await network.fetcher.fetch({ method: 'GET', url, headers, signal });
      try {
        await checkAnswer(order, response, part);
      } catch (error) {
        await discardBody(response);
        throw error;
      }
      for await (const bytes of response.body) {
        guard.add(bytes.length);
        if (part.lengthBytes + bytes.length > expected.lengthBytes) {
          await part.reset();
          throw new VehicleFault('ENDLESS_DATA', `Cannot download "${name}": it does not end`);
        }
        await part.append(bytes);
        options.onProgress?.(name, part.lengthBytes, expected.lengthBytes);
      }
    } finally {
      guard.stop();
    }
  }
  if (part.lengthBytes < expected.lengthBytes) {
    throw new VehicleFault('NETWORK', `Cannot download "${name}": the connection broke`);
  }
  await checkWhole(expected, part);
}

/** {uptane I5}: the length and every listed hash, and what fails is thrown away. */
async function checkWhole(expected: Measurement, part: PartialFile): Promise<void> {
  try {
    checkMeasurement(expected, await part.finish());
  } catch (error) {
    await part.reset();
    throw error;
  }
}

/** Nothing of an answer reaches the file before its head fits. */
async function checkAnswer(
  { url, name, expected }: DownloadOrder & { readonly url: string },
  { status, headers }: FetchResponse,
  part: PartialFile,
): Promise<void> {
  checkNoRedirect(url, status);
  if (status === 416) await part.reset();
  if (status !== 200 && status !== 206) {
    const code = status >= 400 && status < 500 ? 'HTTP_REFUSED' : 'HTTP_STATUS';
    throw new VehicleFault(code, `Cannot download "${name}": ${status}`);
  }
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range === null || Number(range[1]) !== part.lengthBytes) {
      throw new VehicleFault('HTTP_STATUS', `Cannot download "${name}": another range came`);
    }
    checkAnnounced(name, expected, range[2] === '*' ? undefined : range[2]);
    return;
  }
  // The server knows no ranges: from the beginning again.
  if (part.lengthBytes > 0) await part.reset();
  checkAnnounced(name, expected, headers.get('content-length'));
}

function checkAnnounced(name: TargetName, expected: Measurement, announced?: string): void {
  if (announced === undefined || Number(announced) === expected.lengthBytes) return;
  if (Number(announced) > expected.lengthBytes) {
    throw new VehicleFault('ENDLESS_DATA', `Cannot download "${name}": ${announced} bytes offered`);
  }
  throw new UptaneFault(
    'IMAGE_LENGTH',
    `Cannot download "${name}": only ${announced} bytes offered`,
  );
}

async function checkRoom(
  order: DownloadOrder,
  part: PartialFile,
  { folder, quotaBytes = QUOTA_BYTES, findFreeBytes = freeBytesOf }: DownloadOptions,
): Promise<void> {
  const { lengthBytes } = order.expected;
  const missing = lengthBytes - part.lengthBytes;
  const used = await usedBytes(folder);
  if (used + missing > quotaBytes) {
    throw new VehicleFault('DISK_QUOTA', `Cannot download "${order.name}": ${lengthBytes} bytes`);
  }
  if ((await findFreeBytes(folder)) < missing + RESERVE_BYTES) {
    throw new VehicleFault('DISK_FULL', `Cannot download "${order.name}": the disk is full`);
  }
}

async function usedBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) sum += (await stat(join(folder, name))).size;
  return sum;
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function isWhole(path: string, expected: Measurement): Promise<boolean> {
  try {
    checkMeasurement(expected, await measureFile(path));
    return true;
  } catch (error) {
    if (error instanceof UptaneFault) await rm(path, { force: true });
    else if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return false;
  }
}

/** Names a file by what it holds: the strongest hash that metadata list. */
export function fileNameOf({ expected }: Pick<DownloadOrder, 'expected'>): string {
  const hash = expected.hashes.get('sha256') ?? expected.hashes.get('sha512')?.slice(0, 64);
  return hash ?? 'unnamed';
}

/** What another source would not mend. */
function isOurs(fault: Fault<string>): boolean {
  return ['DISK_FULL', 'DISK_QUOTA', 'CLOSED', 'NETWORK_METERED'].includes(fault.code);
}

/** What may pass; anything else the same source would do again. */
function isFinal(fault: Fault<string>): boolean {
  return !['NETWORK', 'SLOW_RETRIEVAL', 'HTTP_STATUS', 'SERVER_UNTRUSTED'].includes(fault.code);
}

function failed(order: DownloadOrder, cause: unknown): VehicleFault {
  return new VehicleFault('DOWNLOAD_FAILED', `Cannot download "${order.name}": no source has it`, {
    cause,
  });
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
