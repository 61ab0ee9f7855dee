/**
 * Sends an image with ranges, so that a download goes on where it broke off. Every error has an empty body:
 * the vehicles' client would write it into the image.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { BlobStore } from '@immota/store';
import type { ServedFile } from './find-file.ts';

/** A year: what has this name never changes. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

/** The bytes to send: all, a part, or none because there is no such part. */
type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly startBytes: number; readonly endBytes: number }
  | { readonly kind: 'outside' };

/**
 * Answers GET and HEAD for an image.
 *
 * @param file - undefined when there is none.
 */
export async function serveFile(
  blobs: BlobStore,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  file: ServedFile | undefined,
): Promise<void> {
  if (file === undefined) {
    end(response, 404, {});
    return;
  }
  const { blob, lengthBytes } = file;
  const etag = `"${blob}"`;
  const common = { etag, 'accept-ranges': 'bytes', 'cache-control': IMMUTABLE };
  if (request.headers['if-none-match'] === etag) {
    // Never asked for by the vehicles' client, which would take it for an empty image.
    response.writeHead(304, common);
    response.end();
    return;
  }
  const hasOther = (request.headers['if-range'] ?? etag) !== etag;
  const selection = hasOther
    ? ({ kind: 'whole' } as const)
    : parseRange(request.headers.range, lengthBytes);
  if (selection.kind === 'outside') {
    end(response, 416, { 'content-range': `bytes */${lengthBytes}` });
    return;
  }
  const { startBytes, endBytes } =
    selection.kind === 'part' ? selection : { startBytes: 0, endBytes: lengthBytes };
  const headers = {
    ...common,
    'content-type': 'application/octet-stream',
    'content-length': endBytes - startBytes,
    ...(selection.kind === 'part'
      ? { 'content-range': `bytes ${startBytes}-${endBytes - 1}/${lengthBytes}` }
      : {}),
  };
  const status = selection.kind === 'part' ? 206 : 200;
  if (request.method === 'HEAD' || startBytes === endBytes) {
    response.writeHead(status, headers);
    response.end();
    return;
  }
  const opened = await blobs.get(blob, { startBytes, endBytes });
  response.writeHead(status, headers);
  try {
    await pipeline(opened.body, response);
  } catch (error) {
    // The client went away, or the disk failed: it comes back for the rest.
    if (!response.destroyed) throw error;
  }
}

/**
 * Reads a Range header. What is no single range of bytes is passed over, as RFC 9110 allows.
 *
 * @param lengthBytes - of the whole.
 */
export function parseRange(header: string | undefined, lengthBytes: number): Selection {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { kind: 'whole' };
  if (first === '') {
    const count = Math.min(Number(last), lengthBytes);
    return count === 0
      ? { kind: 'outside' }
      : { kind: 'part', startBytes: lengthBytes - count, endBytes: lengthBytes };
  }
  const startBytes = Number(first);
  if (last !== '' && Number(last) < startBytes) return { kind: 'whole' };
  if (startBytes >= lengthBytes) return { kind: 'outside' };
  const endBytes = last === '' ? lengthBytes : Math.min(Number(last) + 1, lengthBytes);
  return { kind: 'part', startBytes, endBytes };
}

function end(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...headers, 'content-length': 0 });
  response.end();
}
