/** What the command prints: words for people, or one JSON value a line with `--json`. */
import { Fault, type JsonValue } from '@immota/base';

/** Where a command speaks to. */
export interface Output {
  readonly json: boolean;
  /** Says one line to people; nothing with `--json`. */
  say(line: string): void;
  /** Gives the command's result: as JSON, or as the words that `render` makes of it. */
  result<Value extends JsonValue>(value: Value, render: (value: Value) => string): void;
  /** Says something that is neither result nor progress: warnings, next steps. */
  note(line: string): void;
}

/** The streams that an output writes to; a test passes its own. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Makes an output.
 *
 * @param json - results as JSON, and no words.
 */
export function createOutput(json: boolean, { stdout, stderr }: Streams): Output {
  return {
    json,
    say: (line) => {
      if (!json) stdout.write(`${line}\n`);
    },
    result: (value, render) => {
      stdout.write(json ? `${JSON.stringify(value)}\n` : `${render(value)}\n`);
    },
    note: (line) => {
      stderr.write(`${line}\n`);
    },
  };
}

/**
 * Says why a command failed: a refusal with its code, anything else as a bug with its trace.
 *
 * @returns the exit status: 1 for a refusal, 70 for a bug.
 */
export function reportFailure(error: unknown, json: boolean, { stdout, stderr }: Streams): number {
  if (error instanceof Fault) {
    if (json) stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
    else stderr.write(`immota: ${error.message} [${String(error.code)}]\n`);
    return 1;
  }
  const system = findSystemError(error);
  if (system !== undefined) {
    if (json) stdout.write(`${JSON.stringify(system)}\n`);
    else stderr.write(`immota: ${system.message} [${system.code}]\n`);
    return 1;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`immota: this is a bug, please report it\n${trace}\n`);
  return 70;
}

/** A file that is not there or may not be read is the caller's business, not a bug. */
function findSystemError(
  error: unknown,
): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? { code: error.code, message: error.message } : undefined;
}

/**
 * Lays rows out in columns.
 *
 * @param rows - the first one is the heading.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
