/** Where `immota serve` finds the console's files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildConsole } from '@immota/console';
import { CliFault } from './fault.ts';

/** Below the data folder: whoever serves may write there, and perhaps nowhere else. */
const CACHE = 'cache/console';

/** As the options have it. */
export interface ConsoleFolderOptions {
  /** A folder that holds a console; false for none. */
  readonly console?: string | false;
}

/**
 * Finds the console's folder, and builds the console when nobody named one.
 *
 * @param note - hears why there is no console: vehicles are served without one.
 * @returns undefined when no console is wanted or it cannot be built.
 * @throws CliFault USAGE when the folder that was named holds no console.
 */
export async function findConsoleFolder(
  { console: named }: ConsoleFolderOptions,
  dataFolder: string,
  note: (line: string) => void,
): Promise<string | undefined> {
  if (named === false) return undefined;
  if (named !== undefined) {
    if (existsSync(join(named, 'index.html'))) return named;
    throw new CliFault('USAGE', `Cannot serve console from "${named}": it has no index.html`);
  }
  // Not made by building: a folder that is there without its deployment would be in the way of `immota init`.
  if (!existsSync(dataFolder)) return undefined;
  try {
    return await buildConsole({ cacheFolder: join(dataFolder, CACHE) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    note(`The console cannot be built, and is not served: ${why}`);
    return undefined;
  }
}
