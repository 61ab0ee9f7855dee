/** Byte streams for tests: seeded chance, cuts, and what a step refuses with. */
import { type Entropy, findFaultCode } from '@immota/base';
import { createHash } from 'node:crypto';

/** Chance that a seed repeats: SHA-256 of a counter. Not for keys that protect anything. */
export function seededEntropy(seed: string): Entropy {
  let counter = 0;
  return {
    bytes(lengthBytes): Uint8Array {
      const drawn = new Uint8Array(lengthBytes);
      for (let offset = 0; offset < lengthBytes; offset += 32) {
        counter += 1;
        const block = createHash('sha256').update(`${seed} ${counter}`).digest();
        drawn.set(block.subarray(0, Math.min(32, lengthBytes - offset)), offset);
      }
      return drawn;
    },
  };
}

/** Cuts bytes at offsets, in any order and with repeats; empty pieces are part of the game. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): readonly Uint8Array[] {
  const ascending = [...offsets].map((offset) => offset % (bytes.length + 1));
  ascending.sort((left, right) => left - right);
  const starts = [0, ...ascending];
  return starts.map((start, index) => bytes.slice(start, ascending[index] ?? bytes.length));
}

/** Cuts bytes into pieces of one length. */
export function cutEvery(bytes: Uint8Array, lengthBytes: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += lengthBytes) {
    pieces.push(bytes.slice(offset, offset + lengthBytes));
  }
  return pieces;
}

/**
 * Gives pieces as a stream.
 *
 * @yields each piece.
 */
export async function* streamOf(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Gathers a stream. */
export async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Runs a step and gives the code it refused with; a step that succeeds gives undefined. */
export function codeOf(step: () => unknown): string | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Awaits a step and gives the code it refused with; a step that succeeds gives undefined. */
export async function codeOfAsync(step: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    const code = findFaultCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
