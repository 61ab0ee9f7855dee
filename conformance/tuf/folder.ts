/** Files of the client: written whole or not at all, under names that cannot leave their folder. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeFileName, limits, type StoredRole } from '@immota/uptane';
import { ClientFault } from './fault.ts';
import { FILE_NAME_MAX_BYTES } from './limits.ts';

/** No metadata file that was ever saved is longer. */
const STORED_MAX_BYTES = Math.max(limits.TARGETS_MAX_BYTES, limits.ROOT_MAX_BYTES);

/** Names the file of a role: its name percent-encoded, without version. */
export function metadataPath(folder: string, role: StoredRole): string {
  return join(folder, `${safeName(role)}.json`);
}

/** Names the file of an artifact, the same for every content it ever has. */
export function artifactPath(folder: string, targetName: string): string {
  return join(folder, safeName(targetName).replace(/^\./, '%2E'));
}

/** A name that is one file's on any file system; too long a one gives way to its hash. */
function safeName(name: string): string {
  const encoded = encodeFileName(name);
  if (encoded.length <= FILE_NAME_MAX_BYTES) return encoded;
  return createHash('sha256').update(name).digest('hex');
}

/**
 * Reads a file.
 *
 * @returns undefined when there is none.
 * @throws ClientFault FILE when it cannot be read, or is longer than anything that was ever saved.
 */
export function readWhole(path: string): Uint8Array | undefined {
  try {
    const { size } = statSync(path);
    if (size > STORED_MAX_BYTES) throw new ClientFault('FILE', `Cannot read ${path}: too long`);
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileFault('read', path, error);
  }
}

/**
 * Writes a file: under another name first, then moved, so that nobody ever reads half of it.
 *
 * @throws ClientFault FILE.
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const unfinished = unfinishedPath(path);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(unfinished, bytes, { flush: true });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw fileFault('write', path, error);
  }
}

/** Removes a file if it is there. @throws ClientFault FILE. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw fileFault('remove', path, error);
  }
}

/** Where a file is written before it is whole. */
export function unfinishedPath(path: string): string {
  return `${path}.${process.pid}.part`;
}

/** Tells whether an error means that a file is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Words a file system's error. */
export function fileFault(verb: string, path: string, error: unknown): ClientFault {
  if (error instanceof ClientFault) return error;
  return new ClientFault('FILE', `Cannot ${verb} ${path}: ${String(error)}`, { cause: error });
}
