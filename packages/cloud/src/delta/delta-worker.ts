/**
 * The thread in which a delta is made: reads two images from files and writes the delta into a third. What it was
 * given is its `workerData`; it ends when the delta is durable, and fails by throwing.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { assert } from '@immota/base';
import { type DeltaSource, makeDelta } from '@immota/image';
import { z } from 'zod';

/** On Linux a thread has a priority of its own: vehicles come first. */
const NICENESS = 15;

const { basePath, imagePath, deltaPath } = z
  .object({ basePath: z.string(), imagePath: z.string(), deltaPath: z.string() })
  .parse(workerData);

if (process.platform === 'linux') setPriority(0, NICENESS);
const output = openSync(deltaPath, 'wx', 0o600);
const pair = { base: openSource(basePath), image: openSource(imagePath) };
for (const bytes of makeDelta(pair)) {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(output, rest));
}
fsyncSync(output);
closeSync(output);

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
