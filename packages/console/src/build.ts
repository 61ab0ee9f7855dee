/**
 * Builds the console for the browser, when its sources have changed since it was built last. The folder
 * of a build is named by the hash of all that goes into it, so a build is never half old.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packFiles } from './pack-files.ts';

const WEB = fileURLToPath(new URL('web/', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../', import.meta.url));
const HASH_LENGTH = 20;

/** Where to build, and for what. */
export interface BuildConsoleOptions {
  /** The folder that keeps builds; made when it is not there. */
  readonly cacheFolder: string;
}

/**
 * Builds the console unless this very state of its sources has been built already.
 *
 * @returns the folder with `index.html` and its files, to be served from `/`.
 */
export async function buildConsole({ cacheFolder }: BuildConsoleOptions): Promise<string> {
  const folder = join(cacheFolder, hashSources());
  if (existsSync(join(folder, 'index.html'))) return folder;
  mkdirSync(cacheFolder, { recursive: true });
  const partial = `${folder}.${process.pid}.partial`;
  const { bundleConsole } = await import('./bundle.ts');
  await bundleConsole(WEB, partial);
  packFiles(partial);
  if (existsSync(join(folder, 'index.html'))) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, folder);
  return folder;
}

/** Over the console, the contract that it is typed by, and the versions of what it is made with. */
function hashSources(): string {
  const hash = createHash('sha256');
  const roots = [WEB, join(PACKAGE, '../api/src/'), join(PACKAGE, 'src/')];
  for (const root of roots) {
    const files = globSync('**/*.*', { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.toSorted()) {
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash
    .update(readFileSync(join(PACKAGE, 'package.json')))
    .digest('hex')
    .slice(0, HASH_LENGTH);
}
