/**
 * Downloads a delta where there is one, resumed after any interruption. No metadata describe it, so it is bounded by
 * what the image itself would cost, and judged by the image that comes out of it. Whatever goes wrong, the full image
 * is there.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, InputFault, parseJson } from '@immota/base';
import { z } from 'zod';
import { VehicleFault } from '../vehicle-fault.ts';
import { discardBody, type FetchResponse } from './fetcher.ts';
import { type DownloadOptions, type DownloadOrder, fileNameOf } from './image-download.ts';
import {
  DELTA_ATTEMPTS,
  DELTA_ATTEMPTS_IDLE,
  DELTA_CHECKPOINT_BYTES,
  HEADER_MAX_CHARACTERS,
  RATE_FLOOR_BYTES_PER_S,
  RATE_WINDOW_MS,
} from './limits.ts';
import { openPartialFile, type PartialFile } from './partial-file.ts';
import { guardRate } from './rate-guard.ts';
import { backOff, checkNoRedirect, type Network } from './request.ts';

/** Which delta of an image. */
export interface WantedDelta {
  /** Of what its ECUs run, in the clear. */
  readonly baseSha256: string;
  /** A power of two: the page of the bank that is rewritten in place; undefined for another slot. */
  readonly pageBytes?: number | undefined;
}

/** A delta as it was served. */
export interface DownloadedDelta {
  readonly path: string;
  readonly lengthBytes: number;
}

/** Beyond this part of the image a delta is not worth an ECU's work; the cloud serves none. */
const WORTH_PART = 0.5;
/** A note of a name, a validator and a length. */
const NOTE_MAX_BYTES = 2 * HEADER_MAX_CHARACTERS;

/** Which delta the bytes so far are of: no hash tells, so a server has to say that it still has the same. */
const noteSchema = z.strictObject({
  suffix: z.string(),
  etag: z.string(),
  lengthBytes: z.int().min(1),
});
type Note = z.infer<typeof noteSchema>;

/**
 * Downloads the delta of an image.
 *
 * @param order - of the full image.
 * @returns undefined when there is none, or none could be had; the full image is then to be taken. What has come of a
 * delta stays for another time.
 * @throws the signal's reason when the Primary closes.
 */
export async function downloadDelta(
  network: Network,
  order: DownloadOrder,
  wanted: WantedDelta,
  options: Pick<DownloadOptions, 'folder' | 'rateFloor' | 'onRefusal'>,
): Promise<DownloadedDelta | undefined> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const path = join(options.folder, `${fileNameOf(order)}.delta`);
  const suffix = suffixOf(wanted);
  const part = await DeltaPart.open(path, suffix);
  try {
    const mostBytes = Math.floor(order.expected.lengthBytes * WORTH_PART);
    const urls = order.urls.map((url) => `${url}${suffix}`);
    const isThere = await downloadFromAny(network, urls, { part, mostBytes, options });
    if (!isThere) return undefined;
    const { lengthBytes } = part;
    await part.finish(path);
    return { path, lengthBytes };
  } finally {
    await part.close();
  }
}

/** The name of a delta, behind that of its image; as the cloud knows it. */
function suffixOf({ baseSha256, pageBytes }: WantedDelta): string {
  const pages = pageBytes === undefined ? '' : `.pages-${Math.log2(pageBytes)}`;
  return `.delta-from-${baseSha256}${pages}`;
}

interface Attempt {
  readonly part: DeltaPart;
  readonly mostBytes: number;
  readonly options: Pick<DownloadOptions, 'rateFloor' | 'onRefusal'>;
}

/** Sources take turns for as long as bytes come; one that has none, or wrong ones, is not asked again. */
async function downloadFromAny(
  network: Network,
  all: readonly string[],
  attempt: Attempt,
): Promise<boolean> {
  const { part, options } = attempt;
  const urls = [...all];
  let idle = 0;
  for (let count = 0; count < DELTA_ATTEMPTS && idle < DELTA_ATTEMPTS_IDLE; count += 1) {
    const url = urls.shift();
    if (url === undefined) return false;
    const beforeBytes = part.lengthBytes;
    try {
      if (await downloadFrom(network, url, attempt)) return true;
      continue;
    } catch (error) {
      network.signal.throwIfAborted();
      if (!(error instanceof Fault)) throw error;
      options.onRefusal?.(error);
      if (isPassing(error)) urls.push(url);
    }
    idle = part.lengthBytes > beforeBytes ? 0 : idle + 1;
    if (urls.length > 0 && idle < DELTA_ATTEMPTS_IDLE) await backOff(network, idle + 1);
  }
  return false;
}

/** What may pass; anything else the same source would do again. */
function isPassing({ code }: Fault<string>): boolean {
  return ['NETWORK', 'SLOW_RETRIEVAL', 'HTTP_STATUS', 'SERVER_UNTRUSTED'].includes(code);
}

/** One connection: from where we are to the end. @returns false when this source has none. */
async function downloadFrom(
  network: Network,
  url: string,
  { part, mostBytes, options }: Attempt,
): Promise<boolean> {
  const slow = new AbortController();
  const floor = options.rateFloor ?? {
    bytesPerSecond: RATE_FLOOR_BYTES_PER_S,
    windowMs: RATE_WINDOW_MS,
  };
  const guard = guardRate(network.surroundings.timer, floor, (fault) => slow.abort(fault));
  try {
    const signal = AbortSignal.any([slow.signal, network.signal]);
    const headers = part.rangeHeaders();
    const response = await network.fetcher.fetch({ method: 'GET', url, headers, signal });
    const answered = await openAnswer(url, response, { part, mostBytes });
    if (answered === 'none') return false;
    const limitBytes = answered.lengthBytes ?? mostBytes;
    for await (const bytes of response.body) {
      guard.add(bytes.length);
      if (part.lengthBytes + bytes.length > limitBytes) {
        await part.reset();
        throw new VehicleFault('ENDLESS_DATA', 'Cannot download delta: it does not end');
      }
      await part.append(bytes);
    }
    if (part.lengthBytes === (answered.lengthBytes ?? part.lengthBytes)) return true;
    throw new VehicleFault('NETWORK', `Cannot download ${url}: the connection broke`);
  } finally {
    guard.stop();
  }
}

/** Nothing of an answer reaches the file before its head fits. @returns how long the delta says it is. */
async function openAnswer(
  url: string,
  response: FetchResponse,
  { part, mostBytes }: Pick<Attempt, 'part' | 'mostBytes'>,
): Promise<{ readonly lengthBytes: number | undefined } | 'none'> {
  const { status, headers } = response;
  try {
    checkNoRedirect(url, status);
    if (status === 206) return { lengthBytes: checkRange(url, response, part) };
    if (status === 416 || status >= 500) {
      if (status === 416) await part.reset();
      throw new VehicleFault('HTTP_STATUS', `Cannot download ${url}: ${status}`);
    }
    const announced = Number(headers.get('content-length') ?? 0);
    if (status === 200 && announced <= mostBytes) {
      const lengthBytes = announced === 0 ? undefined : announced;
      await part.begin(headers.get('etag'), lengthBytes);
      return { lengthBytes };
    }
  } catch (error) {
    await discardBody(response);
    throw error;
  }
  await discardBody(response);
  return 'none';
}

function checkRange(url: string, { headers }: FetchResponse, part: DeltaPart): number {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
  const { note, lengthBytes } = part;
  const isNext =
    note !== undefined &&
    headers.get('etag') === note.etag &&
    Number(range?.[1]) === lengthBytes &&
    Number(range?.[2]) === note.lengthBytes;
  if (isNext) return note.lengthBytes;
  throw new VehicleFault('HTTP_REFUSED', `Cannot download ${url}: another range came`);
}

/** What has come so far, and of which delta. */
class DeltaPart {
  readonly #file: PartialFile;
  readonly #path: string;
  readonly #suffix: string;
  #note: Note | undefined;

  private constructor(file: PartialFile, path: string, suffix: string) {
    this.#file = file;
    this.#path = path;
    this.#suffix = suffix;
  }

  static async open(deltaPath: string, suffix: string): Promise<DeltaPart> {
    const path = `${deltaPath}.part`;
    const part = new DeltaPart(await openPartialFile(path, DELTA_CHECKPOINT_BYTES), path, suffix);
    const note = await readNote(`${path}.json`);
    const isSame = note?.suffix === suffix && part.lengthBytes <= note.lengthBytes;
    if (isSame) part.#note = note;
    else await part.reset();
    return part;
  }

  get lengthBytes(): number {
    return this.#file.lengthBytes;
  }

  get note(): Note | undefined {
    return this.#note;
  }

  /** RFC 9110, 13.1.5: the rest of the same delta, or else all of another one. */
  rangeHeaders(): Readonly<Record<string, string>> {
    if (this.#note === undefined || this.lengthBytes === 0) return {};
    return { range: `bytes=${this.lengthBytes}-`, 'if-range': this.#note.etag };
  }

  /** Begins anew; without a length, and a validator that is strong, nothing can be resumed. */
  async begin(etag: string | undefined, lengthBytes: number | undefined): Promise<void> {
    await this.reset();
    if (etag === undefined || etag.startsWith('W/') || lengthBytes === undefined) return;
    this.#note = { suffix: this.#suffix, etag, lengthBytes };
    await writeFile(`${this.#path}.json`, JSON.stringify(this.#note), { mode: 0o600, flush: true });
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#file.append(bytes);
  }

  async reset(): Promise<void> {
    this.#note = undefined;
    await this.#file.reset();
    await rm(`${this.#path}.json`, { force: true });
  }

  /** Puts the whole delta where it belongs. */
  async finish(deltaPath: string): Promise<void> {
    await this.#file.finish();
    await rename(this.#path, deltaPath);
    await rm(`${this.#path}.json`, { force: true });
  }

  /** Without a beginning nothing is left behind. */
  async close(): Promise<void> {
    const isEmpty = this.lengthBytes === 0 || this.#note === undefined;
    await this.#file.close();
    if (isEmpty) await rm(this.#path, { force: true });
  }
}

async function readNote(path: string): Promise<Note | undefined> {
  try {
    return noteSchema.parse(parseJson(await readFile(path), NOTE_MAX_BYTES));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing || error instanceof z.ZodError || error instanceof InputFault) return undefined;
    throw error;
  }
}
