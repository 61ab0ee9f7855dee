/** Peers that come from Debian: installed where that is possible, and named where they are missing. */
import { missingPrograms, runProgram } from './run-program.ts';

/** A program, and the package that brings it. */
export type Needed = Readonly<Record<string, string>>;

/**
 * Sees that programs are there. As root on a Debian system the missing packages are installed.
 *
 * @param needed - package by program.
 * @returns why the peer cannot run; undefined when all is there.
 */
export async function ensurePrograms(needed: Needed): Promise<string | undefined> {
  const missing = missingPrograms(Object.keys(needed));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map((program) => needed[program] ?? program))];
  const isAble = process.getuid?.() === 0 && missingPrograms(['apt-get']).length === 0;
  if (isAble) await install(packages);
  if (missingPrograms(missing).length === 0) return undefined;
  return `install the Debian package${packages.length === 1 ? '' : 's'} ${packages.join(', ')}`;
}

async function install(packages: readonly string[]): Promise<void> {
  console.error(`installing ${packages.join(', ')} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const add = ['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages];
  try {
    await runProgram(['apt-get', 'update', '-q'], { env });
    await runProgram(add, { env });
  } catch {
    // What is missing then is named in the report.
  }
}
