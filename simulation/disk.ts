/**
 * Flash whose power can fail at any operation. What was not synced by then is there, is not there, or
 * is there in part: sectors reach it in any order.
 */
import type { SlotFile, SlotFiles } from '@immota/vehicle';
import type { Chance } from './chance.ts';
import type { Power } from './power.ts';

const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly lengthBytes: number };

interface File {
  durable: Uint8Array;
  pending: Change[];
}

/** See the head of the file. It outlives the powers that drive it. */
export class Flash {
  readonly #chance: Chance;
  readonly #files = new Map<string, File>();
  readonly #durableNames = new Set<string>();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Another one in the same condition, with chances of its own. */
  copy(chance: Chance): Flash {
    const other = new Flash(chance);
    for (const [name, { durable, pending }] of this.#files) {
      other.#files.set(name, { durable, pending: [...pending] });
    }
    for (const name of this.#durableNames) other.#durableNames.add(name);
    return other;
  }

  /** The bytes of a file as a reader sees them. */
  read(name: string): Uint8Array | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : contentOf(file);
  }

  /** What a power cut leaves: of what was not synced, whatever chance lets survive. */
  losePower(): void {
    const survival = this.#chance.pick([0, 0.5, 1]);
    const survives = (): boolean => this.#chance.happens(survival);
    for (const [name, file] of this.#files) {
      if (!this.#durableNames.has(name) && !survives()) {
        this.#files.delete(name);
        continue;
      }
      for (const change of file.pending) file.durable = applied(file.durable, change, survives);
      file.pending = [];
      this.#durableNames.add(name);
    }
  }

  /** The operations that an ECU's slots use, as long as its power is on. */
  filesUnder(power: Power): SlotFiles {
    return {
      openToRead: async (name) => {
        await step(power, 'flash-open');
        const file = this.#files.get(name);
        return file === undefined ? undefined : openFile(file, power);
      },
      openToWrite: async (name) => {
        await step(power, 'flash-open');
        const file = this.#files.get(name) ?? { durable: new Uint8Array(), pending: [] };
        this.#files.set(name, file);
        return openFile(file, power);
      },
      syncNames: async () => {
        await step(power, 'flash-sync-names');
        for (const name of this.#files.keys()) this.#durableNames.add(name);
      },
    };
  }
}

function openFile(file: File, power: Power): SlotFile {
  return {
    read: async (into, position) => {
      await step(power, 'flash-read');
      const part = contentOf(file).subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    write: async (bytes, position) => {
      power.check();
      // The power fails while it is on its way: it may have arrived, or a part of it.
      file.pending.push({ kind: 'write', position, bytes: bytes.slice() });
      await step(power, 'flash-write');
    },
    truncate: async (lengthBytes) => {
      power.check();
      file.pending.push({ kind: 'truncate', lengthBytes });
      await step(power, 'flash-truncate');
    },
    sync: async () => {
      await step(power, 'flash-sync');
      file.durable = contentOf(file);
      file.pending = [];
    },
    close: async () => {
      await step(power, 'flash-close');
    },
  };
}

async function step(power: Power, name: string): Promise<void> {
  await Promise.resolve();
  power.step(name);
}

function contentOf({ durable, pending }: File): Uint8Array {
  return pending.reduce((content, change) => applied(content, change, () => true), durable);
}

function applied(content: Uint8Array, change: Change, survives: () => boolean): Uint8Array {
  if (change.kind === 'truncate') {
    if (!survives()) return content;
    const cut = new Uint8Array(change.lengthBytes);
    cut.set(content.subarray(0, change.lengthBytes));
    return cut;
  }
  const { position, bytes } = change;
  const result = new Uint8Array(Math.max(content.length, position + bytes.length));
  result.set(content);
  let end = content.length;
  for (let offset = 0; offset < bytes.length; offset += SECTOR_BYTES) {
    if (!survives()) continue;
    const part = bytes.subarray(offset, offset + SECTOR_BYTES);
    result.set(part, position + offset);
    end = Math.max(end, position + offset + part.length);
  }
  return result.subarray(0, end);
}
