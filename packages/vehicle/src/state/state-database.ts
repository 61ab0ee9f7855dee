/** What the tables of a state share. */
import type { StatementSync } from 'node:sqlite';

/** The open file, as its tables see it. */
export interface StateDatabase {
  prepare(sql: string): StatementSync;
  /** Makes a change durable, alone or as part of the transaction under way. */
  write<Result>(change: () => Result): Result;
}

/** Takes a column as bytes; our own schema promises that it is a blob. */
export function blobOf(row: Readonly<Record<string, unknown>> | undefined): Uint8Array | undefined {
  const bytes = row?.['bytes'];
  return bytes instanceof Uint8Array ? bytes : undefined;
}
