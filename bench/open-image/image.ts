/** One image of half a gibibyte, that no compression makes smaller, and its encrypted form. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { encryptImage, parseContentKey } from '@immota/image';

/** Where the files are, and what they are. */
export interface BenchImage {
  readonly lengthBytes: number;
  readonly plain: string;
  readonly sha256: string;
  /** In our form, with its key. */
  readonly encrypted: string;
  readonly keyHex: string;
}

const LENGTH_BYTES: number = 512 * 1024 * 1024;
const PIECE_BYTES = 1_048_576;

/** Writes the image and its encrypted form. */
export async function makeImage(folder: string): Promise<BenchImage> {
  const plain = join(folder, 'image');
  const hash = createHash('sha256');
  const noise = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16));
  const file = await open(plain, 'w');
  const zeros = Buffer.alloc(PIECE_BYTES);
  for (let written = 0; written < LENGTH_BYTES; written += PIECE_BYTES) {
    const piece = noise.update(zeros);
    hash.update(piece);
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other, or all are in memory
    await file.write(piece);
  }
  await file.close();
  const encrypted = join(folder, 'image.immota');
  const key = randomBytes(32);
  const source = (await open(plain)).createReadStream({ highWaterMark: PIECE_BYTES });
  const sealed = encryptImage(source, {
    key: parseContentKey(key),
    entropy: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    sha512: false,
  });
  await pipeline(sealed, createWriteStream(encrypted));
  const sha256 = hash.digest('hex');
  return { lengthBytes: LENGTH_BYTES, plain, sha256, encrypted, keyHex: key.toString('hex') };
}
