/**
 * A folder in the place of the network: an update on a stick, laid out as the gateway serves it
 * (`director/`, `repo/`, `repo/targets/`). Whatever reads through it checks what it checks online;
 * a stick proves nothing, like a network.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fetcher, FetchRequest, FetchResponse } from '../download/fetcher.ts';
import { readFileFrom } from '../download/partial-file.ts';
import { VehicleFault } from '../vehicle-fault.ts';

const NOTHING: FetchResponse = { status: 404, headers: new Map(), body: emptyBody() };

/**
 * Makes the fetcher of a folder.
 *
 * @param folder - as published: metadata of both repositories and images.
 * @param origin - the gateway's; what lies elsewhere is not on the stick.
 */
export function createFolderFetcher(folder: string, origin: string): Fetcher {
  return {
    fetch: async (request) => {
      request.signal.throwIfAborted();
      const path = pathOf(folder, origin, request);
      return path === undefined ? NOTHING : await answer(path, request);
    },
    close: ignore,
  };
}

/**
 * Checks that a folder looks like an offline update.
 *
 * @throws VehicleFault OFFLINE_MALFORMED when it has no Director metadata.
 */
export async function checkOfflineFolder(folder: string): Promise<void> {
  const lengthBytes = await findLength(join(folder, 'director', 'timestamp.json'));
  if (lengthBytes === undefined) {
    throw new VehicleFault(
      'OFFLINE_MALFORMED',
      'Cannot update: director/timestamp.json is missing',
    );
  }
}

async function answer(path: string, request: FetchRequest): Promise<FetchResponse> {
  const lengthBytes = await findLength(path);
  if (lengthBytes === undefined) return NOTHING;
  const range = /^bytes=(\d+)-$/.exec(request.headers?.['range'] ?? '');
  const offset = Number(range?.[1] ?? 0);
  if (offset > lengthBytes) return { ...NOTHING, status: 416 };
  const headers = new Map([['content-length', String(lengthBytes - offset)]]);
  if (range !== null) {
    headers.set('content-range', `bytes ${offset}-${lengthBytes - 1}/${lengthBytes}`);
  }
  return { status: range === null ? 200 : 206, headers, body: readFileFrom(path, offset) };
}

/** Only reading, only from the gateway's own paths, and never out of the folder. */
function pathOf(folder: string, origin: string, { method, url }: FetchRequest): string | undefined {
  const parsed = new URL(url);
  if (method !== 'GET' || parsed.origin !== origin) return undefined;
  const segments = parsed.pathname.split('/').slice(1);
  const isFirst = segments[0] === 'director' || segments[0] === 'repo';
  if (!isFirst) return undefined;
  const names = segments.map(decodeSegment);
  const climbs = names.some(
    (name) => name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name),
  );
  return climbs ? undefined : join(folder, ...names);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoded: no file has such a name.
    return '';
  }
}

async function findLength(path: string): Promise<number | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const status = await handle.stat();
      return status.isFile() ? status.size : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

async function* emptyBody(): AsyncGenerator<Uint8Array, void, undefined> {
  // Nothing to give.
}

function ignore(): void {
  // A folder needs no closing.
}
