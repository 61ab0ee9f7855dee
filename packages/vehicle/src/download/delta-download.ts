/**
 * Downloads a delta where there is one. No metadata describe it, so it is bounded by what the image itself would
 * cost, and judged by the image that comes out of it. Whatever goes wrong, the full image is there.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@immota/base';
import { VehicleFault } from '../vehicle-fault.ts';
import { discardBody } from './fetcher.ts';
import { type DownloadOptions, type DownloadOrder, fileNameOf } from './image-download.ts';
import { RATE_FLOOR_BYTES_PER_S, RATE_WINDOW_MS } from './limits.ts';
import { guardRate } from './rate-guard.ts';
import { checkNoRedirect, type Network } from './request.ts';

/** A delta as it was served. */
export interface DownloadedDelta {
  readonly path: string;
  readonly lengthBytes: number;
}

/** Beyond this part of the image a delta is not worth an ECU's work; the cloud serves none. */
const WORTH_PART = 0.5;

/**
 * Downloads the delta of an image.
 *
 * @param order - of the full image.
 * @param baseSha256 - of what its ECUs run, in the clear.
 * @returns undefined when there is none, or none could be had; the full image is then to be taken.
 * @throws the signal's reason when the Primary closes.
 */
export async function downloadDelta(
  network: Network,
  order: DownloadOrder,
  baseSha256: string,
  options: Pick<DownloadOptions, 'folder' | 'rateFloor' | 'onRefusal'>,
): Promise<DownloadedDelta | undefined> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const path = join(options.folder, `${fileNameOf(order)}.delta`);
  for (const url of order.urls) {
    try {
      const lengthBytes = await download(network, `${url}.delta-from-${baseSha256}`, {
        path,
        mostBytes: Math.floor(order.expected.lengthBytes * WORTH_PART),
        rateFloor: options.rateFloor,
      });
      if (lengthBytes !== undefined) return { path, lengthBytes };
    } catch (error) {
      network.signal.throwIfAborted();
      if (!(error instanceof Fault)) throw error;
      options.onRefusal?.(error);
    }
  }
  await rm(path, { force: true });
  return undefined;
}

async function download(
  network: Network,
  url: string,
  to: {
    readonly path: string;
    readonly mostBytes: number;
    readonly rateFloor: DownloadOptions['rateFloor'];
  },
): Promise<number | undefined> {
  const slow = new AbortController();
  const floor = to.rateFloor ?? {
    bytesPerSecond: RATE_FLOOR_BYTES_PER_S,
    windowMs: RATE_WINDOW_MS,
  };
  const guard = guardRate(network.surroundings.timer, floor, (fault) => slow.abort(fault));
  try {
    const signal = AbortSignal.any([slow.signal, network.signal]);
    const response = await network.fetcher.fetch({ method: 'GET', url, signal });
    const { status, headers } = response;
    const announced = Number(headers.get('content-length') ?? 0);
    if (status !== 200 || announced > to.mostBytes) {
      await discardBody(response);
      checkNoRedirect(url, status);
      return undefined;
    }
    const lengthBytes = await write(response.body, to, (count) => guard.add(count));
    if (lengthBytes >= announced) return lengthBytes;
    throw new VehicleFault('NETWORK', `Cannot download ${url}: the connection broke`);
  } finally {
    guard.stop();
  }
}

async function write(
  body: AsyncIterable<Uint8Array>,
  { path, mostBytes }: { readonly path: string; readonly mostBytes: number },
  received: (lengthBytes: number) => void,
): Promise<number> {
  const file = await open(path, 'w', 0o600);
  try {
    let lengthBytes = 0;
    for await (const bytes of body) {
      received(bytes.length);
      if (lengthBytes + bytes.length > mostBytes) {
        throw new VehicleFault('ENDLESS_DATA', 'Cannot download delta: it is as long as an image');
      }
      await file.writeFile(bytes);
      lengthBytes += bytes.length;
    }
    return lengthBytes;
  } finally {
    await file.close();
  }
}
