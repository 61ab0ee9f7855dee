/** The console's files: listed once, so that no path of a request ever becomes one of the disk. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import type { OperatorApp } from '../operator/operator-app.ts';

/** Files of a console; more is a mistake in the folder's name. */
const FILES_MAX = 5000;
const MEDIA: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};
/** Made beside a file when it was built; the smaller first. */
const ENCODINGS: readonly (readonly [encoding: string, suffix: string])[] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];
/** What the build names by its content never changes. */
const HASHED = /^\/assets\/|[.-][\w-]{8,}\.\w+$/;
const PAGE = '/index.html';

interface ConsoleFile {
  readonly path: string;
  readonly mediaType: string;
  readonly lengthBytes: number;
  /** By encoding. */
  readonly packed: ReadonlyMap<string, { readonly path: string; readonly lengthBytes: number }>;
}

/** Serves the console: its files, and its page for every other path that a person may have kept. */
export function serveConsole(app: OperatorApp, { folder }: { readonly folder: string }): void {
  const files = listFiles(folder);
  app.get('*', async (c, next) => {
    const { path } = c.req;
    if (isOurs(path)) return await next();
    const file = files.get(path === '/' ? PAGE : path);
    if (file !== undefined) return send(c, file, HASHED.test(path));
    const page = files.get(PAGE);
    const wantsPage = c.req.header('accept')?.includes('text/html') ?? false;
    // A script that is missing is missing: a page in its place would be a riddle.
    if (page === undefined || !wantsPage || path.startsWith('/assets/')) return await next();
    return send(c, page, false);
  });
}

function isOurs(path: string): boolean {
  return path.startsWith('/api/') || path.startsWith('/auth/') || path === '/openapi.json';
}

function send(c: Context, file: ConsoleFile, isForEver: boolean): Response {
  const header = c.req.header('accept-encoding') ?? '';
  const accepted = new Set(header.split(',').map((one) => one.trim()));
  const [encoding] = ENCODINGS.find(([name]) => accepted.has(name) && file.packed.has(name)) ?? [];
  const chosen = (encoding === undefined ? undefined : file.packed.get(encoding)) ?? file;
  const headers = {
    'Content-Type': file.mediaType,
    'Content-Length': String(chosen.lengthBytes),
    'Cache-Control': isForEver ? 'public, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
  };
  if (c.req.method === 'HEAD') return c.body(null, 200, headers);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own web stream, of which the two libraries have two types
  const body = Readable.toWeb(createReadStream(chosen.path)) as ReadableStream<Uint8Array>;
  return c.body(body, 200, headers);
}

function listFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // A link may lead anywhere.
    if (!entry.isFile() || found.size >= FILES_MAX) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path, statSync(path).size);
  }
  const files = new Map<string, ConsoleFile>();
  for (const [path, lengthBytes] of found) {
    const mediaType = MEDIA[extname(path)];
    if (mediaType === undefined) continue;
    const packed = new Map(
      ENCODINGS.flatMap(([encoding, suffix]) => {
        const length = found.get(path + suffix);
        const one = { path: path + suffix, lengthBytes: length ?? 0 };
        return length === undefined ? [] : [[encoding, one] as const];
      }),
    );
    const name = `/${relative(folder, path).split(sep).join('/')}`;
    files.set(name, { path, mediaType, lengthBytes, packed });
  }
  return files;
}
