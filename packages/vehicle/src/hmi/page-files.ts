/** The page, as it lies beside this file: read once, served from memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'page');

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Loads all files of the page, by their paths. */
export function loadPage(): ReadonlyMap<string, PageFile> {
  return new Map([
    ['/', file('index.html', 'text/html; charset=utf-8')],
    ['/app.js', file('app.js', 'text/javascript; charset=utf-8')],
    ['/dom.js', file('dom.js', 'text/javascript; charset=utf-8')],
    ['/screens.js', file('screens.js', 'text/javascript; charset=utf-8')],
    ['/style.css', file('style.css', 'text/css; charset=utf-8')],
    ['/screens.css', file('screens.css', 'text/css; charset=utf-8')],
    ['/icon.svg', file('icon.svg', 'image/svg+xml')],
  ]);
}

function file(name: string, type: string): PageFile {
  return { type, bytes: new Uint8Array(readFileSync(join(FOLDER, name))) };
}
