/** Artifacts: got once, kept under one name, never there before their bytes are verified. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  checkMeasurement,
  encodeFileName,
  type HashFunction,
  type Measurement,
  UptaneFault,
} from '@immota/uptane';
import { ClientFault } from './fault.ts';
import { artifactPath, fileFault, isMissing, removeFile, unfinishedPath } from './folder.ts';
import { download, type Patience } from './transport.ts';

/** An artifact as verified metadata names it, and where it comes from and goes. */
export interface ArtifactOrder {
  readonly name: string;
  readonly expected: Measurement;
  /** Whether the repository serves it under a name with a hash in front (`consistent_snapshot`). */
  readonly prefixed: boolean;
  readonly base: URL;
  readonly folder: string;
  readonly patience: Patience;
}

/**
 * Gets an artifact unless it is there already, byte for byte.
 *
 * @throws UptaneFault IMAGE_LENGTH or IMAGE_HASH when the bytes are others; LIMIT when there are more.
 * @throws ClientFault TRANSPORT, TOO_SLOW or FILE.
 */
export async function fetchArtifact(order: ArtifactOrder): Promise<void> {
  const path = artifactPath(order.folder, order.name);
  if (await isThere(path, order.expected)) return;
  const unfinished = unfinishedPath(path);
  let file: number | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(unfinished, 'w');
    await receiveInto(file, order);
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(unfinished, path);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    removeFile(unfinished);
    throw error instanceof UptaneFault ? error : fileFault('store', path, error);
  }
}

async function receiveInto(file: number, order: ArtifactOrder): Promise<void> {
  const { name, expected, base, patience } = order;
  const path = artifactUrlPath(name, order.prefixed ? hashPrefix(expected) : undefined);
  const meter = new Meter(expected);
  const what = { base, path, lengthMaxBytes: expected.lengthBytes };
  const found = await download(what, patience, (piece) => {
    meter.update(piece);
    for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
  });
  if (!found) throw new ClientFault('TRANSPORT', `Cannot get "${name}": the repository has none`);
  checkMeasurement(expected, meter.measured());
}

/** The path of an artifact under its base: each part encoded, the hash before the last one. */
function artifactUrlPath(name: string, prefix: string | undefined): string {
  const parts = name.split('/').map(encodeFileName);
  const last = parts.pop() ?? '';
  return [...parts, prefix === undefined ? last : `${prefix}.${last}`].join('/');
}

function hashPrefix({ hashes }: Measurement): string | undefined {
  return hashes.get('sha256') ?? hashes.get('sha512');
}

async function isThere(path: string, expected: Measurement): Promise<boolean> {
  const meter = new Meter(expected);
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      meter.update(piece);
      if (meter.lengthBytes > expected.lengthBytes) return false;
    }
    checkMeasurement(expected, meter.measured());
    return true;
  } catch (error) {
    if (error instanceof UptaneFault || isMissing(error)) return false;
    throw fileFault('read', path, error);
  }
}

/** Measures bytes as they pass, with the functions that metadata lists. */
class Meter {
  readonly #hashes: ReadonlyMap<HashFunction, Hash>;
  lengthBytes = 0;

  constructor(expected: Measurement) {
    this.#hashes = new Map([...expected.hashes.keys()].map((name) => [name, createHash(name)]));
  }

  update(piece: Uint8Array): void {
    this.lengthBytes += piece.length;
    for (const hash of this.#hashes.values()) hash.update(piece);
  }

  measured(): Measurement {
    const hashes = [...this.#hashes].map(([name, hash]) => [name, hash.digest('hex')] as const);
    return { lengthBytes: this.lengthBytes, hashes: new Map(hashes) };
  }
}
