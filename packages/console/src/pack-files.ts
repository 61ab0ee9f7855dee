/** Packs what a build wrote, once, so that nobody who serves it packs it again for every browser. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Pictures of pixels are packed already. */
const PACKABLE = '**/*.{js,css,html,svg,json}';
/** Smaller files gain less than another file costs. */
const WORTH_BYTES = 1024;
/** A step below the best takes a fifth of its time and is hardly longer. */
const BROTLI_QUALITY = 10;

/**
 * Writes a `.br` and a `.gz` beside each text of a folder, where they are shorter.
 *
 * @param folder - of a build.
 */
export function packFiles(folder: string): void {
  for (const file of globSync(PACKABLE, { cwd: folder })) {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    if (bytes.length < WORTH_BYTES) continue;
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    const packed = [
      ['.br', brotliCompressSync(bytes, { params })],
      ['.gz', gzipSync(bytes, { level: 9 })],
    ] as const;
    for (const [suffix, short] of packed) {
      if (short.length < bytes.length) writeFileSync(path + suffix, short);
    }
  }
}
