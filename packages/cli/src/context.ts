/** What every subcommand works with: the terminal, time, chance, the data folder. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Clock, Entropy } from '@immota/base';
import type { Connection } from './client.ts';
import { CliFault } from './fault.ts';
import type { Output } from './terminal/output.ts';

/** Passed to every subcommand. */
export interface CommandContext {
  /** The output as the global options want it; asked after they were parsed. */
  readonly output: () => Output;
  /** The data folder as the global options name it. */
  readonly dataFolder: () => string;
  /** How to reach the server; looked up when it is asked for. */
  readonly connection: () => Connection;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /**
   * Asks a person for a secret, without showing it, or reads it from a file.
   *
   * @throws CliFault USAGE when there is neither a file nor a terminal.
   */
  readonly askSecret: (what: string, file: string | undefined) => Promise<string>;
  /** Reads a file. @throws with the system's own words when it cannot. */
  readonly readFile: (file: string) => Promise<Uint8Array>;
  /** Writes files of a folder, each whole or not at all. */
  readonly writeFolder: (
    folder: string,
    fill: (write: (name: string, bytes: Uint8Array, mode?: number) => void) => void,
  ) => void;
}

/** The chance of this machine. */
export const SYSTEM_ENTROPY: Entropy = { bytes: (lengthBytes) => randomBytes(lengthBytes) };

/** {@link CommandContext} */
export async function askSecret(what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (!process.stdin.isTTY) {
    throw new CliFault('USAGE', `Cannot ask for ${what}: no terminal; use --passphrase-file`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    process.stderr.write(`${what} (not shown): `);
    // The line editor would echo; a person's secret stays off the screen.
    Object.assign(terminal, { _writeToOutput: () => undefined });
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/** {@link CommandContext} */
export function writeFolder(
  folder: string,
  fill: (write: (name: string, bytes: Uint8Array, mode?: number) => void) => void,
): void {
  fill((name, bytes, mode = 0o644) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.tmp`, bytes, { mode });
    renameSync(`${path}.tmp`, path);
  });
}
