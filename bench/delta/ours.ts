/**
 * Makes or applies a delta in a process of its own. Prints CPU milliseconds, the most memory it took above the
 * idle process in MiB, and how many bytes came out.
 *
 * Usage: ours.ts make BASE IMAGE DELTA [PAGE] | apply BASE DELTA OUTPUT
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {
  applyDelta,
  decodeDeltaHeader,
  DELTA_HEADER_LENGTH_BYTES,
  type DeltaSource,
  makeDelta,
} from '@immota/image';

const [task = '', base = '', second = '', third = '', page] = process.argv.slice(2);
const idleKib = readMemory('VmRSS');
resetPeak();
const before = process.cpuUsage();
const bytes = task === 'make' ? make() : await apply();
const { user, system } = process.cpuUsage(before);
const aboveIdleMib = (readMemory('VmHWM') - idleKib) / 1024;
process.stdout.write(`${(user + system) / 1000} ${aboveIdleMib} ${bytes}`);

function make(): number {
  const output = openSync(third, 'w');
  const options = page === undefined ? {} : { pageBytes: Number(page) };
  let written = 0;
  for (const piece of makeDelta({ base: openSource(base), image: openSource(second) }, options)) {
    writeSync(output, piece);
    written += piece.length;
  }
  closeSync(output);
  return written;
}

async function apply(): Promise<number> {
  const source = openSource(second);
  const head = new Uint8Array(DELTA_HEADER_LENGTH_BYTES);
  source.read(0, head);
  const { image } = decodeDeltaHeader(head);
  const output = openSync(third, 'w');
  for await (const piece of applyDelta({
    delta: streamOf(source),
    base: openSource(base),
    expected: image,
  })) {
    writeSync(output, piece);
  }
  closeSync(output);
  return image.lengthBytes;
}

/** As much as a frame of the link inside a vehicle brings, in one buffer that is used again. */
async function* streamOf(source: DeltaSource): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(65_536);
  for (let at = 0; at < source.lengthBytes; at += buffer.length) {
    const part = buffer.subarray(0, source.lengthBytes - at);
    source.read(at, part);
    yield await Promise.resolve(part);
  }
}

function openSource(path: string): DeltaSource {
  const file = openSync(path, 'r');
  return {
    lengthBytes: fstatSync(file).size,
    read(offsetBytes, into): void {
      for (let filled = 0; filled < into.length;) {
        const count = readSync(file, into, filled, into.length - filled, offsetBytes + filled);
        if (count === 0) throw new Error('the file has become shorter');
        filled += count;
      }
    },
  };
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
