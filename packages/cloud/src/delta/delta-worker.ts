/**
 * The thread in which a delta is made: reads two images from files and writes the delta into a third. What it was
 * given is its `workerData`; it ends when the delta is durable, and fails by throwing.
 *
 * A delta for a bank in place is carried out once before it is served: where its image is encrypted nobody between
 * here and the ECU can do so, and an ECU that is given a wrong one has lost what it ran.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { assert } from '@immota/base';
import { type DeltaSource, makeDelta, rewriteInPlace } from '@immota/image';
import { z } from 'zod';

/** On Linux a thread has a priority of its own: vehicles come first. */
const NICENESS = 15;

const { basePath, imagePath, deltaPath, pageBytes } = z
  .object({
    basePath: z.string(),
    imagePath: z.string(),
    deltaPath: z.string(),
    pageBytes: z.int().min(0),
  })
  .parse(workerData);

if (process.platform === 'linux') setPriority(0, NICENESS);
const output = openSync(deltaPath, 'wx', 0o600);
const pair = { base: openSource(basePath), image: openSource(imagePath) };
for (const bytes of makeDelta(pair, pageBytes === 0 ? {} : { pageBytes })) {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(output, rest));
}
fsyncSync(output);
closeSync(output);
if (pageBytes > 0) await rehearse();

/** Rewrites the base in memory. @throws ImageFault when it does not become the image. */
async function rehearse(): Promise<void> {
  const base = readFileSync(basePath);
  const image = readFileSync(imagePath);
  const bytes = new Uint8Array(Math.max(base.length, image.length));
  bytes.set(base);
  await rewriteInPlace({
    delta: once(readFileSync(deltaPath)),
    bank: {
      lengthBytes: base.length,
      sizeBytes: bytes.length,
      read(offsetBytes, into): void {
        into.set(bytes.subarray(offsetBytes, offsetBytes + into.length));
      },
      async write(atBytes, page): Promise<void> {
        await Promise.resolve();
        bytes.set(page, atBytes);
      },
    },
    expected: {
      lengthBytes: image.length,
      sha256: createHash('sha256').update(image).digest('hex'),
    },
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

function openSource(path: string): DeltaSource {
  const file = openSync(path, 'r');
  return {
    lengthBytes: fstatSync(file).size,
    read(offsetBytes, into): void {
      for (let filled = 0; filled < into.length;) {
        const rest = into.subarray(filled);
        const count = readSync(file, rest, 0, rest.length, offsetBytes + filled);
        assert(count > 0, 'an image does not shrink while it is read');
        filled += count;
      }
    },
  };
}
