/**
 * The bytes of what ECUs with one bank run now, as they were downloaded: written over, they have no
 * other way back. Kept from the end of one update until the next one has succeeded.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServedImage, TransactionRecord } from '../transaction/record.ts';
import { openState } from '../state/vehicle-state.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';

const FOLDER = 'installed';
const ARCHIVE = jsonValue(
  'installed-images',
  z.array(
    z.object({
      ecu: z.string(),
      sha256: z.string(),
      name: z.string(),
      lengthBytes: z.int(),
      file: z.string(),
    }),
  ),
);

/** Finds the bytes of what an ECU runs; undefined when they were not kept. */
export function findInstalledImage(
  context: PrimaryContext,
  ecu: string,
  sha256: string,
): ServedImage | undefined {
  const found = (context.state.values.load(ARCHIVE) ?? []).find(
    (image) => image.ecu === ecu && image.sha256 === sha256,
  );
  if (found === undefined) return undefined;
  const path = join(folderOf(context), found.file);
  return existsSync(path) ? { name: found.name, lengthBytes: found.lengthBytes, path } : undefined;
}

/** What the factory programmed into an ECU with one bank. */
export interface FactoryImage {
  readonly ecu: string;
  readonly sha256: string;
  readonly name: string;
  readonly lengthBytes: number;
  /** Where its bytes are now; they are copied. */
  readonly path: string;
}

/**
 * Gives a T-BOX, before its first start, what its ECUs with one bank run: their way back from the first
 * update.
 *
 * @param folder - the Primary's own, as `runPrimary` gets it.
 * @throws VehicleFault STATE_CORRUPT, STATE_BUSY.
 */
export function keepFactoryImages(folder: string, images: readonly FactoryImage[]): void {
  const archive = join(folder, FOLDER);
  mkdirSync(archive, { recursive: true, mode: 0o700 });
  const kept = images.map(({ path, ...image }) => {
    const file = fileNameOf(image);
    copyFileSync(path, join(archive, file));
    return { ...image, file };
  });
  const state = openState(join(folder, 'state.db'));
  try {
    state.values.save(ARCHIVE, kept);
  } finally {
    state.close();
  }
}

/**
 * Keeps the bytes of what ECUs with one bank came to run: durable on the disk when this returns.
 *
 * @returns what writes it into the state, and what removes older files once that is durable.
 */
export function keepInstalledImages(
  context: PrimaryContext,
  { ecus }: TransactionRecord,
): { readonly save: () => void; readonly discardOld: () => void } {
  const written = ecus.filter(({ kind, step }) => kind === 'in-place' && step === 'confirmed');
  if (written.length === 0) return { save: () => undefined, discardOld: () => undefined };
  const folder = folderOf(context);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const images = written.map(({ ecu, sha256, served }) => {
    const file = fileNameOf({ ecu, sha256 });
    const path = join(folder, file);
    // The same disk as a rule; a link costs nothing, and the download may go.
    if (!existsSync(path)) linkOrCopy(served.path, path);
    return { ecu, sha256, name: served.name, lengthBytes: served.lengthBytes, file };
  });
  syncFolder(folder);
  const { values } = context.state;
  const others = (values.load(ARCHIVE) ?? []).filter(
    (known) => !images.some(({ ecu }) => ecu === known.ecu),
  );
  const kept = [...others, ...images];
  return {
    save: () => values.save(ARCHIVE, kept),
    discardOld: () => {
      const files = new Set(kept.map(({ file }) => file));
      for (const name of readdirSync(folder)) {
        if (!files.has(name)) rmSync(join(folder, name), { force: true });
      }
    },
  };
}

function folderOf({ downloadFolder }: PrimaryContext): string {
  return join(downloadFolder, '..', FOLDER);
}

function fileNameOf({ ecu, sha256 }: Pick<FactoryImage, 'ecu' | 'sha256'>): string {
  return `${createHash('sha256').update(`${ecu}\n${sha256}`).digest('hex')}.image`;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
    const descriptor = openSync(to, 'r+');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

/** Makes new names durable. Windows does not open folders. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
