/**
 * The console's first load in a real browser that has nothing of it yet, from a real platform; beside a
 * page of as many bytes that does nothing with them.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { inviteFirst, type Platform } from '@immota/cloud';
import { buildConsole } from '@immota/console';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { insertFleet, publishImages } from '../campaign/line.ts';
import { makeCloudFolder, openBenchPlatform, removeCloudFolder } from '../cloud/bench-cloud.ts';
import { ensurePrograms } from '../debian.ts';
import { type BenchResult, median, type Row } from '../row.ts';
import { runProgram } from '../run-program.ts';
import { servePage } from './bare-page.ts';

const ROUNDS = 5;
const LIMIT_BYTES = 350_000;
/** React, the session, the language and the fleet's figures, by what a page costs that has none of it. */
const TIME_RATIO_MAX = 10;
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/immota-console');
/** The cockpit draws what there is: so much that every part of it has something to show. */
const VEHICLES = 1000;
const PATIENCE_MS = 60_000;
const QUIET_MS = 500;
const PASSWORD = 'correct horse battery staple';
const HEADING = 'Fleet cockpit';

type Session = Awaited<ReturnType<BrowserContext['storageState']>>;

/** See the head of the file. */
export async function benchConsole(): Promise<BenchResult> {
  const why = await ensurePrograms({ chromium: 'chromium' });
  if (why !== undefined) return { rows: [], notRun: [{ id: 'console-first-load', why }] };
  const consoleFolder = await buildConsole({ cacheFolder: CACHE });
  const folder = await makeCloudFolder();
  try {
    const consoleFiles = { folder: consoleFolder };
    const platform = await openBenchPlatform(folder, { consoleFiles });
    const browser = await chromium.launch({
      executablePath: await findProgram('chromium'),
      args: ['--no-sandbox'],
    });
    try {
      return { rows: await measure(platform, browser, consoleFolder) };
    } finally {
      await browser.close();
      await platform.close();
    }
  } finally {
    await removeCloudFolder(folder);
  }
}

async function findProgram(name: string): Promise<string> {
  return (await runProgram(['sh', '-c', `command -v ${name}`])).trim();
}

async function measure(
  platform: Platform,
  browser: Browser,
  consoleFolder: string,
): Promise<readonly Row[]> {
  await publishImages(platform.cloud);
  await insertFleet(platform.cloud, VEHICLES);
  const { operator } = platform.urls;
  const session = await signIn(platform, browser);
  const warmed = await load(browser, operator, session);
  const bare = await servePage(warmed.bytes, HEADING);
  const ours: number[] = [];
  const peers: number[] = [];
  let last = warmed;
  try {
    await load(browser, bare.url);
    for (let round = 0; round < ROUNDS; round += 1) {
      last = await load(browser, operator, session);
      ours.push(last.headingMs);
      peers.push((await load(browser, bare.url)).headingMs);
    }
  } finally {
    await bare.close();
  }
  return [bytesRow(last, consoleFolder), timeRow(median(ours), median(peers))];
}

function bytesRow(loaded: Load, consoleFolder: string): Row {
  const { bytes, paths, headingBytes, headingPaths, encodings } = loaded;
  const packedKb = (files: readonly string[]): string =>
    kilobytes(files.reduce((sum, path) => sum + brotliBytes(consoleFolder, path), 0));
  const how = encodings.has('br') ? 'by brotli' : 'not compressed by anything';
  return {
    id: 'console-first-load',
    what: 'bytes over the wire, heads of answers included, until the cockpit is whole and quiet',
    ours: bytes / 1000,
    unit: 'kB',
    peer: 'limit',
    peers: LIMIT_BYTES / 1000,
    ratio: bytes / LIMIT_BYTES,
    aim: { atMost: 1 },
    note: `${paths.length} files, served ${how}, ${kilobytes(headingBytes)} before the heading stands; brotli at its best makes ${packedKb(paths)} of all, ${packedKb(headingPaths)} of those before`,
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

function timeRow(ours: number, peers: number): Row {
  return {
    id: 'console-first-load-time',
    what: `by the clock to the cockpit's heading with ${VEHICLES} vehicles, nothing cached`,
    ours,
    unit: 'ms',
    peer: 'a page of the same bytes that does nothing',
    peers,
    ratio: ours / peers,
    aim: { atMost: TIME_RATIO_MAX },
  };
}

function brotliBytes(folder: string, path: string): number {
  return brotliCompressSync(readFileSync(join(folder, path === '/' ? 'index.html' : path))).length;
}

/** The first administrator comes by invitation, as on any new platform. */
async function signIn({ cloud, urls }: Platform, browser: Browser): Promise<Session> {
  const code = await inviteFirst(cloud.context);
  const context = await browser.newContext({ baseURL: urls.operator, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`/auth/invitation?code=${code ?? ''}`);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('Password').first().fill(PASSWORD);
  await page.getByRole('button').click();
  await headingOf(page).waitFor({ timeout: PATIENCE_MS });
  const session = await context.storageState();
  await context.close();
  return session;
}

interface Load {
  readonly headingMs: number;
  /** What had come when the heading stood there. */
  readonly headingBytes: number;
  readonly headingPaths: readonly string[];
  readonly bytes: number;
  /** Of files, without what the API answered. */
  readonly paths: readonly string[];
  readonly encodings: ReadonlySet<string>;
}

/** Opens a page in a profile of its own, so that nothing is cached. */
async function load(browser: Browser, baseURL: string, session?: Session): Promise<Load> {
  const context = await browser.newContext({
    baseURL,
    locale: 'en-GB',
    ...(session === undefined ? {} : { storageState: session }),
  });
  try {
    const page = await context.newPage();
    const traffic = await watchTraffic(page);
    const begin = performance.now();
    await page.goto('/', { waitUntil: 'commit' });
    await headingOf(page).waitFor({ timeout: PATIENCE_MS });
    const headingMs = performance.now() - begin;
    const { bytes: headingBytes, paths: headingPaths } = traffic.read();
    await traffic.quiet();
    return { headingMs, headingBytes, headingPaths, ...traffic.read() };
  } finally {
    await context.close();
  }
}

function headingOf(page: Page): ReturnType<Page['getByRole']> {
  return page.getByRole('heading', { name: HEADING });
}

interface Traffic {
  /** Waits until nothing has come for a while. */
  quiet(): Promise<void>;
  read(): Pick<Load, 'bytes' | 'paths' | 'encodings'>;
}

/** Counts as the browser's own network log does. What streams without end counts as far as it came. */
async function watchTraffic(page: Page): Promise<Traffic> {
  const log = await page.context().newCDPSession(page);
  const paths = new Set<string>();
  const encodings = new Set<string>();
  let bytes = 0;
  let lastAt = performance.now();
  log.on('Network.responseReceived', ({ response }) => {
    lastAt = performance.now();
    const { pathname } = new URL(response.url);
    if (/^\/(?:api|auth)\//.test(pathname)) return;
    paths.add(pathname);
    for (const [name, value] of Object.entries(response.headers)) {
      if (name.toLowerCase() === 'content-encoding') encodings.add(value);
    }
  });
  log.on('Network.loadingFinished', ({ encodedDataLength }) => {
    lastAt = performance.now();
    bytes += encodedDataLength;
  });
  await log.send('Network.enable');
  return {
    async quiet() {
      while (performance.now() - lastAt < QUIET_MS) await page.waitForTimeout(QUIET_MS / 5);
    },
    read: () => ({ bytes, paths: [...paths], encodings }),
  };
}
