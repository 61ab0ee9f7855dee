/**
 * A simulated flash whose cells are a file: an ECU's node may die at any instant and find them as they
 * were. Behind the cells stand the erasures of each sector, 32 bits each, least significant byte first.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { type FlashGeometry, flashLength, type SectorRange } from './flash.ts';
import { FlashFault } from './flash-fault.ts';
import { SimulatedFlash } from './simulated-flash.ts';

/** A flash, and the file that is open behind it. */
export interface FlashFile {
  readonly flash: SimulatedFlash;
  close(): void;
}

/** Which file, of which part. */
export interface FlashFileOptions {
  readonly path: string;
  readonly geometry: FlashGeometry;
  readonly protectedSectors?: SectorRange | undefined;
}

const CYCLES_BYTES = 4;

/**
 * Opens the file, or makes an erased one.
 *
 * @throws FlashFault FILE_MALFORMED when it is of another length than the part's.
 */
export function openFlashFile(options: FlashFileOptions): FlashFile {
  const { path, geometry, protectedSectors } = options;
  const lengthBytes = flashLength(geometry);
  const fileBytes = lengthBytes + geometry.sectors.length * CYCLES_BYTES;
  if (!existsSync(path)) makeFile(path, lengthBytes, geometry);
  const all = readFileSync(path);
  if (all.length !== fileBytes) {
    throw new FlashFault(
      'FILE_MALFORMED',
      `Cannot open flash: ${all.length} bytes instead of ${fileBytes}`,
    );
  }
  const wear = geometry.sectors.map((_, sector) =>
    all.readUInt32LE(lengthBytes + sector * CYCLES_BYTES),
  );
  const descriptor = openSync(path, 'r+');
  const put = (bytes: Uint8Array, position: number): void => {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
    }
  };
  const flash = new SimulatedFlash({
    geometry,
    protectedSectors,
    content: all.subarray(0, lengthBytes),
    wear,
    mirror: {
      content: (offsetBytes, bytes) => put(bytes, offsetBytes),
      wear: (sector, cycles) => {
        const bytes = Buffer.alloc(CYCLES_BYTES);
        bytes.writeUInt32LE(cycles);
        put(bytes, lengthBytes + sector * CYCLES_BYTES);
      },
    },
  });
  return { flash, close: () => closeSync(descriptor) };
}

/** Under another name until it is whole: whoever dies here begins again. */
function makeFile(path: string, lengthBytes: number, geometry: FlashGeometry): void {
  const unfinished = `${path}.new`;
  const descriptor = openSync(unfinished, 'w', 0o600);
  try {
    writeSync(descriptor, new Uint8Array(lengthBytes).fill(geometry.erasedByte));
    ftruncateSync(descriptor, lengthBytes + geometry.sectors.length * CYCLES_BYTES);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, path);
}
