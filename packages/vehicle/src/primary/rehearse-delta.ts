/**
 * Carries a delta out on the kept image, before an ECU with one bank is given it: that ECU overwrites what it reads,
 * and would know a wrong delta only when nothing is left that it could run (ADR 94). What comes of it is the full
 * image, so that it is at hand when the ECU wants it.
 */
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { rewriteInPlace } from '@immota/image';
import { checkMeasurement, type Measurement, UptaneFault } from '@immota/uptane';
import { measureFile, readFileFrom } from '../download/partial-file.ts';

/** What is rehearsed. */
export interface Rehearsal {
  /** What the ECU runs, in the clear. */
  readonly basePath: string;
  readonly deltaPath: string;
  /** Of the image, as signed metadata describe it. */
  readonly expected: Measurement;
  /** Where the image goes when the delta is right; a file beside it holds it until then. */
  readonly imagePath: string;
}

/**
 * Rehearses a delta.
 *
 * @throws ImageFault when the delta is not from this base, not to this image, or not sound; UptaneFault IMAGE_HASH or
 * IMAGE_LENGTH when another of the signed hashes is not the image's. Nothing is at `imagePath` then.
 */
export async function rehearseDelta(rehearsal: Rehearsal): Promise<void> {
  const { basePath, expected, imagePath } = rehearsal;
  const workPath = imagePath.replace(/\.image$/, '.rehearsal');
  try {
    await copyFile(basePath, workPath);
    await rewriteFile(workPath, rehearsal);
    // {uptane I5}: every listed hash, where the delta looked at one.
    checkMeasurement(expected, await measureFile(workPath));
    await rename(workPath, imagePath);
  } finally {
    await rm(workPath, { force: true });
  }
}

async function rewriteFile(path: string, { deltaPath, expected }: Rehearsal): Promise<void> {
  const sha256 = expected.hashes.get('sha256');
  if (sha256 === undefined) {
    throw new UptaneFault('IMAGE_HASH', 'Cannot rehearse delta: its image has no SHA-256');
  }
  const file = await open(path, 'r+');
  try {
    const { size: lengthBytes } = await file.stat();
    await rewriteInPlace({
      delta: readFileFrom(deltaPath, 0),
      bank: {
        lengthBytes,
        sizeBytes: Math.max(lengthBytes, expected.lengthBytes),
        read: async (offsetBytes, into) => {
          await file.read(into, 0, into.length, offsetBytes);
        },
        write: async (atBytes, bytes) => {
          await file.write(bytes, 0, bytes.length, atBytes);
        },
      },
      expected: { lengthBytes: expected.lengthBytes, sha256 },
    });
    await file.truncate(expected.lengthBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
