/** Runs other programs and counts their CPU time. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const OUTPUT_MAX_BYTES = 16_777_216;
const TIMEOUT_MS = 600_000;

/** Where and how to run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. @returns what it printed. @throws when it failed. */
export async function runProgram(
  [program = '', ...parameters]: readonly string[],
  { cwd, env = {} }: RunOptions = {},
): Promise<string> {
  const { stdout } = await execute(program, parameters, {
    cwd,
    env: { ...process.env, ...env },
    timeout: TIMEOUT_MS,
    maxBuffer: OUTPUT_MAX_BYTES,
  });
  return stdout;
}

/** Runs a program to its end. @returns its CPU milliseconds, with all its processes' that it waited for. */
export async function measureProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<number> {
  // The shell's `times` prints its own time, then that of all it waited for: `0m1.250s 0m0.310s`.
  const script = '"$@" >/dev/null 2>&1 || exit; times';
  const printed = await runProgram(['sh', '-c', script, 'sh', ...command], options);
  const [, children = ''] = printed.trim().split('\n');
  const spans = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return spans.reduce((sum, [, minutes, seconds]) => {
    return sum + Number(minutes) * 60_000 + Number(seconds) * 1000;
  }, 0);
}

/** Tells which of some programs are not installed. */
export function missingPrograms(names: readonly string[]): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names.filter((name) => !folders.some((folder) => isExecutable(join(folder, name))));
}

/** Finds the version of an installed Debian package; `unknown version` where there is none to ask. */
export async function packageVersion(name: string): Promise<string> {
  try {
    return (await runProgram(['dpkg-query', '-W', '-f', '${Version}', name])).trim();
  } catch {
    return 'unknown version';
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
