/**
 * A node as a process of its own, that kills itself at the n-th operation on its disk.
 *
 * Usage: secondary-node.ts BUNDLE FOLDER PORT OPERATIONS; it prints its port when it can be reached.
 */
import { join } from 'node:path';
import {
  loadSecondaryBundle,
  openFolderSlots,
  runSecondary,
  type SlotFile,
  type SlotFiles,
  systemSurroundings,
} from '@immota/vehicle';
import { filesOfFolder } from '../../src/slots/slot-files.ts';

const [bundle = '', folder = '', port = '0', operations = '0'] = process.argv.slice(2);
let left = Number(operations);

function count(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

function watched(file: SlotFile): SlotFile {
  return {
    read: async (into, position) => file.read(into, position),
    write: async (bytes, position) => {
      // Half of it, so that a kill leaves a torn write behind.
      await file.write(bytes.subarray(0, bytes.length >> 1), position);
      count();
      await file.write(bytes, position);
    },
    truncate: async (lengthBytes) => {
      count();
      await file.truncate(lengthBytes);
    },
    sync: async () => {
      count();
      await file.sync();
    },
    close: async () => file.close(),
  };
}

const real = filesOfFolder(join(folder, 'slots'));
const files: SlotFiles = {
  openToRead: async (name) => real.openToRead(name),
  openToWrite: async (name) => watched(await real.openToWrite(name)),
  syncNames: async () => {
    count();
    await real.syncNames();
  },
};

const slots = await openFolderSlots({
  folder: '',
  files,
  writeLengthBytes: 16_384,
  checkpointBytes: 65_536,
});
const server = await runSecondary({
  ...loadSecondaryBundle(bundle),
  folder,
  slots,
  port: Number(port),
  surroundings: systemSurroundings(),
  onWrite: count,
});
process.stdout.write(`${server.port}\n`);
