/**
 * Writes the Image repository as files that any web server or CDN serves: metadata and images under every
 * name that clients ask for {uptane B16} {uptane B17}. What is encrypted is there in its encrypted form alone.
 *
 * `DIR/current` is a symbolic link to the tree in force. A new tree is complete before the link turns to it,
 * so no client sees half of one. Images lie once in `DIR/images` and are linked into the trees.
 */
import { link, mkdir, open, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BlobStore, parseBlobHash } from '@immota/store';
import { parseInstallableName } from '@immota/uptane';
import type { CloudContext } from '../context.ts';
import { TREE_PAGE_ROWS } from '../limits.ts';
import { encryptedName, hashedName } from './image-name.ts';

/** What a tree is made from. */
export interface TreeParts {
  readonly context: Pick<CloudContext, 'database' | 'entropy'>;
  readonly blobs: BlobStore;
}

/** What was written. */
export interface PublishedTree {
  readonly metadataFiles: number;
  readonly images: number;
  /** The tree's own folder. */
  readonly folder: string;
}

/** The tree before the one in force is kept: clients may be in the middle of it. */
const TREES_KEPT = 2;
const ONLINE: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot', 'targets']);

/**
 * Writes the tree.
 *
 * @param directory - made when it is missing; nobody else writes to it.
 * @throws StoreFault BLOB_MISSING when an image's bytes are not stored.
 */
export async function publishTree(parts: TreeParts, directory: string): Promise<PublishedTree> {
  const id = Buffer.from(parts.context.entropy.bytes(8)).toString('hex');
  const trees = join(directory, 'trees');
  const folder = join(trees, id);
  await mkdir(folder, { recursive: true });
  await mkdir(join(directory, 'images'), { recursive: true });
  const images = await writeImages(parts, directory, folder);
  const metadataFiles = await writeMetadata(parts, folder);
  const turning = join(directory, `current.${id}`);
  await symlink(join('trees', id), turning);
  await rename(turning, join(directory, 'current'));
  await sync(directory);
  await removeOldTrees(trees, id);
  return { metadataFiles, images, folder };
}

async function writeImages(
  { context, blobs }: TreeParts,
  directory: string,
  folder: string,
): Promise<number> {
  let count = 0;
  let after = '';
  for (;;) {
    const rows = await context.database.kysely
      .selectFrom('image')
      .select(['name', 'sha256', 'sha512', 'cipher_sha256', 'cipher_sha512'])
      .where('name', '>', after)
      .orderBy('name')
      .limit(TREE_PAGE_ROWS)
      .execute();
    for (const row of rows) {
      const sha256 = row.cipher_sha256 ?? row.sha256;
      const sha512 = row.cipher_sha512 ?? row.sha512;
      const name = parseInstallableName(row.name);
      const served = row.cipher_sha256 === null ? name : encryptedName(name);
      const source = await keepImage(blobs, directory, sha256);
      for (const alias of [served, hashedName(served, sha256), hashedName(served, sha512)]) {
        for (const repository of ['repo', 'tuf']) {
          await linkInto(source, join(folder, repository, 'targets', alias));
        }
      }
      count += 1;
      after = row.name;
    }
    if (rows.length < TREE_PAGE_ROWS) return count;
  }
}

/** Copies an image beside the trees, once. */
async function keepImage(blobs: BlobStore, directory: string, sha256: string): Promise<string> {
  const path = join(directory, 'images', sha256);
  try {
    await stat(path);
    return path;
  } catch {
    const draft = `${path}.tmp`;
    const { body } = await blobs.get(parseBlobHash(sha256));
    const file = await open(draft, 'w', 0o644);
    await pipeline(body, file.createWriteStream({ flush: true }));
    await rename(draft, path);
    return path;
  }
}

async function writeMetadata({ context }: TreeParts, folder: string): Promise<number> {
  const rows = await context.database.kysely
    .selectFrom('metadata_file')
    .select(['dialect', 'role', 'version', 'bytes'])
    .where('repository', '=', 'image')
    .orderBy('version')
    .execute();
  const newest = new Map(rows.map((row) => [`${row.dialect} ${row.role}`, row.version]));
  for (const { dialect, role, version, bytes } of rows) {
    const isOwnFolder = dialect === 'aktualizr' && !ONLINE.has(role);
    const place = join(
      folder,
      dialect === 'aktualizr' ? 'repo' : 'tuf',
      isOwnFolder ? 'delegations' : '',
    );
    // {uptane B16}: Timestamp alone has no version in its name.
    if (role !== 'timestamp') await writeNew(join(place, `${version}.${role}.json`), bytes);
    if (newest.get(`${dialect} ${role}`) === version) {
      await writeNew(join(place, `${role}.json`), bytes);
    }
  }
  return rows.length;
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function linkInto(source: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await link(source, path);
}

async function removeOldTrees(trees: string, current: string): Promise<void> {
  const others = (await readdir(trees)).filter((name) => name !== current);
  const aged = await Promise.all(
    others.map(async (name) => ({ name, atMs: (await stat(join(trees, name))).mtimeMs })),
  );
  const old = aged.toSorted((left, right) => right.atMs - left.atMs).slice(TREES_KEPT - 1);
  for (const { name } of old) await rm(join(trees, name), { recursive: true });
}

async function sync(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
