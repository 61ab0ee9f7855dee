/** The standards that may be cited, as `docs/clauses/` holds them. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One requirement, in our own words. */
export interface Clause {
  readonly section: string;
  readonly words: string;
  readonly level?: 'should';
  /** The document that carries what no line of code can. */
  readonly carriedBy?: string;
}

/** A standard whose every requirement is listed, and must be met. */
export interface ListedStandard {
  readonly tag: string;
  readonly standard: string;
  readonly edition: string;
  readonly clauses: Readonly<Record<string, Clause>>;
}

/** Everything that may be cited. */
export interface Standards {
  readonly listed: readonly ListedStandard[];
  /** Tags of the standards whose clauses are not listed. */
  readonly open: readonly RegExp[];
}

/**
 * Reads `docs/clauses/`.
 *
 * @param root - the repository's folder.
 */
export function loadStandards(root: string): Standards {
  const folder = join(root, 'docs/clauses');
  const files = globSync('*.json', { cwd: folder, exclude: ['standards.json'] }).toSorted();
  const listed = files.map((file) => readJson(join(folder, file)) as ListedStandard);
  const others = join(folder, 'standards.json');
  const { standards } = (existsSync(others) ? readJson(others) : { standards: [] }) as {
    readonly standards: readonly { readonly tag: string }[];
  };
  return { listed, open: standards.map(({ tag }) => new RegExp(`^(?:${tag})$`)) };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
