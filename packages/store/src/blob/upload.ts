/**
 * Uploads that survive interruptions.
 *
 * `ID.part` holds the bytes and `ID.offset` how many of them are durable. Past that the file may
 * hold anything after a power cut, so it is cut back before it grows again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { findFaultCode } from '@immota/base';
import { type FileLock, takeFileLock } from '../embedded/lock.ts';
import { StoreFault } from '../fault.ts';
import { BLOB_READ_BLOCK_BYTES, UPLOAD_SYNC_BYTES } from '../limits.ts';
import { type BlobHash, type BlobStore, parseUploadId, type UploadId } from './blob-store.ts';
import { findErrorCode, onStorage, syncFolder, unlessMissing, writeAll } from './durable.ts';
import { type BlobFolders, checkHash, checkLength, publish } from './folders.ts';

/** The part of a blob store that receives uploads. */
export type Uploads = Pick<
  BlobStore,
  'beginUpload' | 'uploadOffset' | 'appendUpload' | 'finishUpload' | 'abandonUpload' | 'sweep'
>;

/** Digits of the offset's file: always as many, so that one write in place replaces it. */
const OFFSET_DIGITS = 20;

interface Files {
  readonly id: UploadId;
  readonly part: string;
  readonly offset: string;
  readonly lock: string;
}

/**
 * Makes the part of a blob store that receives uploads.
 *
 * @param folders - the store's; they are there.
 */
export function createUploads(folders: BlobFolders): Uploads {
  const filesOf = (id: UploadId): Files => ({
    id,
    part: join(folders.uploads, `${id}.part`),
    offset: join(folders.uploads, `${id}.offset`),
    lock: join(folders.uploads, `${id}.lock`),
  });
  return {
    beginUpload: () => begin(folders, filesOf),
    uploadOffset: (id) => loadOffset(filesOf(id)),
    appendUpload: async (id, offsetBytes, source, lengthMaxBytes) =>
      withUpload(filesOf(id), (files, durableBytes) => {
        if (offsetBytes !== durableBytes) {
          throw new StoreFault(
            'UPLOAD_OFFSET',
            `Cannot append at ${offsetBytes}: the upload ends at ${durableBytes}`,
          );
        }
        return append(files, durableBytes, source, lengthMaxBytes);
      }),
    finishUpload: (id, hash) =>
      withUpload(filesOf(id), (files, durableBytes) => finish(folders, files, durableBytes, hash)),
    abandonUpload: (id) => abandon(filesOf(id)),
    sweep: (before) => sweep(folders, filesOf, before),
  };
}

async function begin(folders: BlobFolders, filesOf: (id: UploadId) => Files): Promise<UploadId> {
  const files = filesOf(parseUploadId(randomBytes(16).toString('hex')));
  await onStorage('begin upload', async () => {
    const offset = await open(files.offset, 'wx', 0o600);
    try {
      await saveOffset(offset, 0);
    } finally {
      await offset.close();
    }
    // The bytes' file comes last: an upload without it was never begun.
    await (await open(files.part, 'wx', 0o600)).close();
    await syncFolder(folders.uploads);
  });
  return files.id;
}

/** Runs work on an upload that nobody else, here or in another process, is working on. */
async function withUpload<Result>(
  files: Files,
  work: (files: Files, durableBytes: number) => Promise<Result>,
): Promise<Result> {
  await loadOffset(files);
  const lock = await takeUploadLock(files);
  try {
    const durableBytes = await loadOffset(files);
    await onStorage(`open upload ${files.id}`, () => truncate(files.part, durableBytes));
    return await work(files, durableBytes);
  } finally {
    lock.release();
  }
}

async function takeUploadLock(files: Files): Promise<FileLock> {
  try {
    return await takeFileLock(files.lock, 0);
  } catch (error) {
    if (findFaultCode(error) !== 'DATA_FOLDER_BUSY') throw error;
    throw new StoreFault('UPLOAD_BUSY', `Cannot use upload ${files.id}: it is being written to`, {
      cause: error,
    });
  }
}

/** @throws StoreFault UPLOAD_MISSING. */
async function loadOffset(files: Files): Promise<number> {
  const [part, text] = await onStorage(`open upload ${files.id}`, () =>
    Promise.all([unlessMissing(stat(files.part)), unlessMissing(readFile(files.offset, 'latin1'))]),
  );
  if (part === undefined || text === undefined || !/^\d{20}$/.test(text)) {
    throw new StoreFault('UPLOAD_MISSING', `Cannot find upload ${files.id}`);
  }
  const durableBytes = Number(text);
  if (durableBytes > part.size) {
    throw new StoreFault('BLOB_STORAGE', `Cannot go on with upload ${files.id}: it lost bytes`);
  }
  return durableBytes;
}

async function append(
  files: Files,
  startBytes: number,
  source: AsyncIterable<Uint8Array>,
  lengthMaxBytes: number,
): Promise<number> {
  const part = await onStorage(`open upload ${files.id}`, () => open(files.part, 'r+'));
  const offset = await onStorage(`open upload ${files.id}`, () => open(files.offset, 'r+'));
  let endBytes = startBytes;
  let durableBytes = startBytes;
  const makeDurable = (): Promise<void> =>
    onStorage(`write upload ${files.id}`, async () => {
      if (durableBytes === endBytes) return;
      await part.datasync();
      await saveOffset(offset, endBytes);
      durableBytes = endBytes;
    });
  try {
    for await (const chunk of source) {
      checkLength(endBytes + chunk.length, lengthMaxBytes);
      const positionBytes = endBytes;
      await onStorage(`write upload ${files.id}`, () => writeAll(part, chunk, positionBytes));
      endBytes += chunk.length;
      if (endBytes - durableBytes >= UPLOAD_SYNC_BYTES) await makeDurable();
    }
  } finally {
    // Also when the sender went away: what arrived is kept for the next try.
    try {
      await makeDurable();
    } finally {
      await part.close();
      await offset.close();
    }
  }
  return endBytes;
}

/** Within one sector, so a power cut finds the old number or the new one. */
async function saveOffset(handle: FileHandle, bytes: number): Promise<void> {
  await writeAll(handle, Buffer.from(String(bytes).padStart(OFFSET_DIGITS, '0'), 'latin1'), 0);
  await handle.datasync();
}

async function finish(
  folders: BlobFolders,
  files: Files,
  lengthBytes: number,
  hash: BlobHash,
): Promise<number> {
  const running = createHash('sha256');
  await onStorage(`read upload ${files.id}`, async () => {
    const bytes = createReadStream(files.part, { highWaterMark: BLOB_READ_BLOCK_BYTES });
    for await (const chunk of bytes) running.update(chunk);
  });
  try {
    checkHash(running, hash);
    await publish(folders, files.part, hash);
  } catch (error) {
    // Bytes that are not what was announced are of no use; a full disk may get better.
    if (findFaultCode(error) === 'BLOB_MISMATCH') await removeFiles(files);
    throw error;
  }
  await removeFiles(files);
  return lengthBytes;
}

/** Also one that is damaged: it can be of no other use. */
async function abandon(files: Files): Promise<void> {
  const lock = await takeUploadLock(files);
  try {
    await removeFiles(files);
  } finally {
    lock.release();
  }
}

/** The bytes' file goes first: without it there is no upload. */
async function removeFiles(files: Files): Promise<void> {
  await onStorage(`remove upload ${files.id}`, async () => {
    await rm(files.part, { force: true });
    await rm(files.offset, { force: true });
    await rm(files.lock, { force: true });
  });
}

async function sweep(
  folders: BlobFolders,
  filesOf: (id: UploadId) => Files,
  before: Temporal.Instant,
): Promise<number> {
  const names = await onStorage('sweep uploads', () => readdir(folders.uploads));
  const ids = new Set(names.map((name) => name.split('.', 1)[0] ?? ''));
  let count = 0;
  for (const id of ids) {
    const files = filesOf(parseUploadId(id));
    if ((await findTouched(files)) >= before.epochMilliseconds) continue;
    try {
      await abandon(files);
      count += 1;
    } catch (error) {
      if (findFaultCode(error) !== 'UPLOAD_BUSY') throw error;
    }
  }
  return count;
}

async function findTouched(files: Files): Promise<number> {
  const times = await Promise.all(
    [files.part, files.offset, files.lock].map((file) =>
      stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        (error: unknown) => (findErrorCode(error) === 'ENOENT' ? 0 : Number.POSITIVE_INFINITY),
      ),
    ),
  );
  return Math.max(...times);
}
