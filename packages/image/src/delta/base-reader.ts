/** The base of a delta: read at random, its hash checked first, and its last blocks kept. */
import { createHash } from 'node:crypto';
import { ImageFault } from '../image-fault.ts';
import type { ImageIdentity } from './delta-header.ts';

/** The image that is installed, read at random. */
export interface DeltaBase {
  readonly lengthBytes: number;
  /** Fills `into` with the bytes from `offsetBytes` on; they lie within the image. */
  read(offsetBytes: number, into: Uint8Array): Promise<void> | void;
}

/** Copies jump little: a few blocks answer nearly all of them without a read. */
const BLOCK_BYTES = 65_536;
const BLOCKS_MAX = 32;
const HASH_PIECE_BYTES = 262_144;

/**
 * Checks that an image is the one it should be.
 *
 * @throws ImageFault DELTA_MISMATCH when it has another length or hash.
 */
export async function checkBase(base: DeltaBase, identity: ImageIdentity): Promise<void> {
  const isSame =
    base.lengthBytes === identity.lengthBytes && (await hashOf(base)) === identity.sha256;
  if (!isSame) throw new ImageFault('DELTA_MISMATCH', 'Cannot apply delta: its base is another');
}

/** Hashes an image that is read at random. @returns SHA-256 in lower-case hexadecimal. */
export async function hashOf(base: DeltaBase): Promise<string> {
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(HASH_PIECE_BYTES, base.lengthBytes));
  for (let offset = 0; offset < base.lengthBytes; offset += piece.length) {
    const part = piece.subarray(0, base.lengthBytes - offset);
    await base.read(offset, part);
    hash.update(part);
  }
  return hash.digest('hex');
}

/** Reads through a small cache: what is in it comes without a promise. */
export class BaseReader {
  readonly #base: DeltaBase;
  readonly #blocks = new Map<number, Uint8Array>();

  /** Begins with nothing kept. */
  constructor(base: DeltaBase) {
    this.#base = base;
  }

  /** Fills bytes. @throws ImageFault DELTA_COMMAND when they are not all in the base. */
  read(offsetBytes: number, into: Uint8Array): Promise<void> | undefined {
    const { lengthBytes } = this.#base;
    if (offsetBytes < 0 || offsetBytes + into.length > lengthBytes) {
      throw new ImageFault('DELTA_COMMAND', 'Cannot apply delta: it reads outside its base');
    }
    let filled = 0;
    while (filled < into.length) {
      const block = this.#blocks.get(Math.floor((offsetBytes + filled) / BLOCK_BYTES));
      if (block === undefined) return this.#load(offsetBytes, into, filled);
      filled += copyFrom(block, (offsetBytes + filled) % BLOCK_BYTES, into.subarray(filled));
    }
    return undefined;
  }

  async #load(offsetBytes: number, into: Uint8Array, from: number): Promise<void> {
    let filled = from;
    while (filled < into.length) {
      const index = Math.floor((offsetBytes + filled) / BLOCK_BYTES);
      const block = this.#blocks.get(index) ?? (await this.#loadBlock(index));
      filled += copyFrom(block, (offsetBytes + filled) % BLOCK_BYTES, into.subarray(filled));
    }
  }

  async #loadBlock(index: number): Promise<Uint8Array> {
    let memory: ArrayBufferLike | undefined;
    if (this.#blocks.size === BLOCKS_MAX) {
      const [oldest] = this.#blocks;
      memory = oldest?.[1].buffer;
      if (oldest !== undefined) this.#blocks.delete(oldest[0]);
    }
    const offset = index * BLOCK_BYTES;
    // The same memory again, though the last block of the base is shorter than the others.
    const bytes = new Uint8Array(memory ?? new ArrayBuffer(BLOCK_BYTES));
    const block = bytes.subarray(0, this.#base.lengthBytes - offset);
    await this.#base.read(offset, block);
    this.#blocks.set(index, block);
    return block;
  }
}

function copyFrom(block: Uint8Array, at: number, into: Uint8Array): number {
  const part = block.subarray(at, at + into.length);
  into.set(part);
  return part.length;
}
