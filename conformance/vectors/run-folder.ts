/** Runs a folder of vectors, and says how each went. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXPECTED_MAX_BYTES, parseExpectations } from './expected.ts';
import { VectorsFault } from './fault.ts';
import { runVector, type StepOutcome, type VectorOutcome } from './run-vector.ts';

/** What to run. */
export interface FolderRun {
  readonly folder: string;
  /** One vector's name; undefined for all. */
  readonly only: string | undefined;
  readonly now: Temporal.Instant;
}

/** How a folder went. */
export interface FolderOutcome {
  readonly vectors: readonly VectorOutcome[];
  /** Folders that `expected.json` says nothing of: they were not run. */
  readonly notRun: readonly string[];
}

/**
 * Runs the vectors of a folder one after the other.
 *
 * @throws VectorsFault NOT_FOUND, MALFORMED or UNKNOWN_VECTOR.
 */
export async function runFolder({ folder, only, now }: FolderRun): Promise<FolderOutcome> {
  const expectations = parseExpectations(readExpected(folder));
  const chosen = expectations.vectors.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    throw new VectorsFault('UNKNOWN_VECTOR', `Cannot run ${only ?? 'anything'}: no such vector`);
  }
  const vectors: VectorOutcome[] = [];
  for (const vector of chosen) vectors.push(await runVector({ folder, expectations, now }, vector));
  const named = new Set(expectations.vectors.map(({ name }) => name));
  const notRun = only === undefined ? foldersIn(folder).filter((name) => !named.has(name)) : [];
  return { vectors, notRun };
}

function readExpected(folder: string): Uint8Array {
  const path = join(folder, 'expected.json');
  try {
    if (statSync(path).size <= EXPECTED_MAX_BYTES) return readFileSync(path);
  } catch (error) {
    throw new VectorsFault('NOT_FOUND', `Cannot read ${path}: ${String(error)}`, { cause: error });
  }
  throw new VectorsFault('MALFORMED', `Cannot read ${path}: over ${EXPECTED_MAX_BYTES} bytes`);
}

function foldersIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** Writes one line for each vector and a last one with the sums. */
export function renderOutcome({ vectors, notRun }: FolderOutcome): string {
  const width = Math.max(0, ...vectors.map(({ name }) => name.length));
  const lines = vectors.map((vector) => {
    const steps = vector.steps.map(renderStep).join('; ');
    const verdict = vector.passed ? 'ok  ' : 'FAIL';
    return `${verdict} ${vector.name.padEnd(width)}  ${vector.missing ?? steps}`;
  });
  const failed = vectors.filter(({ passed }) => !passed).length;
  return [
    ...lines,
    ...notRun.map((name) => `not run: ${name}, of which expected.json says nothing`),
    `${vectors.length - failed} passed, ${failed} failed`,
  ].join('\n');
}

function renderStep({ passed, expected, refusal }: StepOutcome): string {
  const seen =
    refusal === undefined
      ? 'accepted'
      : `${refusal.code} (${[refusal.repository, refusal.role].filter(Boolean).join(' ')})`;
  if (expected === undefined) return passed ? seen : `${seen} instead of accepted`;
  return passed ? `${seen} for ${expected}` : `${seen} instead of ${expected}`;
}
