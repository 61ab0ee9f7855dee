/**
 * A disk whose power can fail at any operation. What was not synced then is there, is not there, or is
 * there in part, as a test chooses: sectors reach a disk in any order.
 */
import type { SlotFile, SlotFiles } from '@immota/vehicle';

/** What every operation throws from the cut on. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** Which of the changes that were not synced survive a cut: asked for each sector of each write. */
export type Survival = (change: number, sector: number) => boolean;

/** Ways in which a cut can go, from nothing to everything, and two in between. */
export const SURVIVALS: readonly (readonly [string, Survival])[] = [
  ['nothing', () => false],
  ['everything', () => true],
  ['every other sector', (change, sector) => (change + sector) % 2 === 0],
  ['the last change alone', (change) => change % 3 === 2],
];

const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly lengthBytes: number };

interface Inode {
  durable: Uint8Array;
  pending: Change[];
}

/** See the head of the file. */
export class SimulatedDisk implements SlotFiles {
  /** Operations so far. */
  count = 0;
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Set<string>();
  readonly #cutAt: number;
  #isOff = false;

  /** @param cutAt - the operation at which the power fails, counted from 1; never when left out. */
  constructor(cutAt: number = Infinity) {
    this.#cutAt = cutAt;
  }

  /** What is on the disk when the power is back. */
  afterCut(survives: Survival, cutAt?: number): SimulatedDisk {
    const disk = new SimulatedDisk(cutAt);
    let index = 0;
    for (const [name, inode] of this.#names) {
      index += 1;
      if (!this.#durableNames.has(name) && !survives(index, 0)) continue;
      let content = inode.durable;
      for (const change of inode.pending) {
        index += 1;
        content = applied(content, change, (sector) => survives(index, sector));
      }
      disk.#names.set(name, { durable: content, pending: [] });
      disk.#durableNames.add(name);
    }
    return disk;
  }

  /** The bytes of a file as a reader sees them. */
  read(name: string): Uint8Array | undefined {
    const inode = this.#names.get(name);
    return inode === undefined ? undefined : contentOf(inode);
  }

  /** Changes bytes behind everybody's back, as a worn cell does. */
  damage(name: string, position: number): void {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new TypeError(`no file ${name}`);
    const bytes = Uint8Array.from(contentOf(inode));
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    inode.durable = bytes;
    inode.pending = [];
  }

  /** Loses a file. */
  lose(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
  }

  async openToRead(name: string): Promise<SlotFile | undefined> {
    await this.#step();
    const inode = this.#names.get(name);
    return inode === undefined ? undefined : this.#fileOf(inode);
  }

  async openToWrite(name: string): Promise<SlotFile> {
    await this.#step();
    const inode = this.#names.get(name) ?? { durable: new Uint8Array(), pending: [] };
    this.#names.set(name, inode);
    return this.#fileOf(inode);
  }

  async syncNames(): Promise<void> {
    await this.#step();
    for (const name of this.#names.keys()) this.#durableNames.add(name);
  }

  #fileOf(inode: Inode): SlotFile {
    return {
      read: async (into, position) => {
        await this.#step();
        const part = contentOf(inode).subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      write: async (bytes, position) => {
        // The power fails while it is on its way: it may have arrived, or a part of it.
        const change = { kind: 'write', position, bytes: Uint8Array.from(bytes) } as const;
        if (!this.#isOff) inode.pending.push(change);
        await this.#step();
      },
      truncate: async (lengthBytes) => {
        if (!this.#isOff) inode.pending.push({ kind: 'truncate', lengthBytes });
        await this.#step();
      },
      sync: async () => {
        await this.#step();
        inode.durable = contentOf(inode);
        inode.pending = [];
      },
      close: async () => {
        await this.#step();
      },
    };
  }

  async #step(): Promise<void> {
    await Promise.resolve();
    this.count += 1;
    if (this.count >= this.#cutAt) this.#isOff = true;
    if (this.#isOff) throw new PowerCut('the power is off');
  }
}

function contentOf({ durable, pending }: Inode): Uint8Array {
  return pending.reduce((content, change) => applied(content, change, () => true), durable);
}

function applied(
  content: Uint8Array,
  change: Change,
  survives: (sector: number) => boolean,
): Uint8Array {
  if (change.kind === 'truncate') {
    if (!survives(0)) return content;
    const cut = new Uint8Array(change.lengthBytes);
    cut.set(content.subarray(0, change.lengthBytes));
    return cut;
  }
  const { position, bytes } = change;
  let result = content;
  for (let offset = 0; offset < bytes.length; offset += SECTOR_BYTES) {
    if (!survives(offset / SECTOR_BYTES)) continue;
    const part = bytes.subarray(offset, offset + SECTOR_BYTES);
    const end = position + offset + part.length;
    const longer = new Uint8Array(Math.max(result.length, end));
    longer.set(result);
    longer.set(part, position + offset);
    result = longer;
  }
  return result;
}
