/** From the path of an image to its bytes: under its own name, and under names with its hash {uptane B17}. */
import { type BlobHash, parseBlobHash } from '@immota/store';
import { type InstallableName, parseInstallableName, UptaneFault } from '@immota/uptane';
import type { Catalogue, StoredImage } from './catalogue.ts';
import { ENCRYPTED_SUFFIX } from './image-name.ts';

/** Bytes as they are served. */
export interface ServedFile {
  readonly blob: BlobHash;
  readonly lengthBytes: number;
}

/** An image's bytes as they are served, and what image it is. */
export interface ServedImage extends ServedFile {
  readonly image: StoredImage;
}

const HASH_PREFIX = /^(?<digest>[0-9a-f]{64}|[0-9a-f]{128})\.(?<name>.+)$/s;

/**
 * Finds an image.
 *
 * @param path - below `targets/`, percent-encoded, from outside.
 * @returns undefined when there is none of this name, or it has not this hash. What was encrypted is never
 * found in the clear.
 */
export async function findFile(
  catalogue: Catalogue,
  path: string,
): Promise<ServedImage | undefined> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const slash = decoded.lastIndexOf('/') + 1;
  const inFolder = HASH_PREFIX.exec(decoded.slice(slash))?.groups;
  const inFront = HASH_PREFIX.exec(decoded)?.groups;
  const folder = decoded.slice(0, slash);
  return (
    (await find(catalogue, decoded, undefined)) ??
    (await find(catalogue, folder + (inFolder?.['name'] ?? ''), inFolder?.['digest'])) ??
    (await find(catalogue, inFront?.['name'] ?? '', inFront?.['digest']))
  );
}

async function find(
  catalogue: Catalogue,
  text: string,
  digest: string | undefined,
): Promise<ServedImage | undefined> {
  const isEncrypted = text.endsWith(ENCRYPTED_SUFFIX);
  const name = parseName(isEncrypted ? text.slice(0, -ENCRYPTED_SUFFIX.length) : text);
  if (name === undefined) return undefined;
  const image = (await catalogue.load(new Set([name]))).get(name);
  if (image === undefined || (image.encrypted !== undefined) !== isEncrypted) return undefined;
  const sha256 = image.encrypted?.hashes.get('sha256') ?? image.sha256;
  const sha512 = image.encrypted?.hashes.get('sha512') ?? image.sha512;
  if (digest !== undefined && digest !== sha256 && digest !== sha512) return undefined;
  const lengthBytes = image.encrypted?.lengthBytes ?? image.lengthBytes;
  return { blob: parseBlobHash(sha256), lengthBytes, image };
}

function parseName(text: string): InstallableName | undefined {
  try {
    return parseInstallableName(text);
  } catch (error) {
    if (error instanceof UptaneFault) return undefined;
    throw error;
  }
}
