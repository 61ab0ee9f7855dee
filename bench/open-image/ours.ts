/**
 * Opens an encrypted image as a Secondary does, in a process of its own: decrypts, hashes, writes into
 * a slot and makes it durable. Prints CPU milliseconds and the memory it took above the idle process.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseContentKey } from '@immota/image';
import { parseTargetName } from '@immota/uptane';
import { installImage, openFolderSlots, type SlotImage } from '@immota/vehicle';

/** As much as a frame of the link inside a vehicle brings, in one buffer that is used again. */
const READ_BYTES = 262_144;

const [file = '', folder = '', keyHex = '', sha256 = '', length = ''] = process.argv.slice(2);
const slots = await openFolderSlots({ folder: join(folder, 'slots') });
const source = await open(file, 'r');
const { size } = await source.stat();
const image: SlotImage = {
  name: parseTargetName('image'),
  lengthBytes: Number(length),
  hashes: new Map([['sha256', sha256]]),
  releaseCounter: 1,
};
const contentKey = parseContentKey(Uint8Array.fromHex(keyHex));
const idleKib = readMemory('VmRSS');
resetPeak();
const before = process.cpuUsage();
await installImage(slots, { image, servedLengthBytes: size, contentKey, open: readFrom });
const { user, system } = process.cpuUsage(before);
const aboveIdleMib = (readMemory('VmHWM') - idleKib) / 1024;
await source.close();
process.stdout.write(`${(user + system) / 1000} ${aboveIdleMib}`);

async function* readFrom(offsetBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(READ_BYTES);
  for (let position = offsetBytes; ;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** In KiB, as the kernel counts. */
function readMemory(name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}

/** Where the kernel allows it: starting up may have taken more than what is measured. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The peak then counts from the start of the process: an upper bound.
  }
}
