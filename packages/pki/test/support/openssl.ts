/** OpenSSL's command line, a reader and writer that is not ours, or the reason why there is none. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why the tests with OpenSSL cannot run; false when they can. */
export const skip: string | false = isPresent() ? false : 'openssl is not installed';

/** A folder that is gone when the test is. */
export interface Scratch extends Disposable {
  /** Writes a file and gives its path. */
  write(name: string, content: string | Uint8Array): string;
  path(name: string): string;
}

export function makeScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'immota-pki-'));
  return {
    write: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    path: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** Runs openssl, which must succeed, and gives its standard output and error. */
export function openssl(...args: readonly string[]): string {
  const { status, output } = tryOpenssl(...args);
  if (status !== 0) throw new TypeError(`openssl ${args.join(' ')}: ${output}`);
  return output;
}

/** Runs openssl, which may fail. */
export function tryOpenssl(...args: readonly string[]): {
  readonly status: number | null;
  readonly output: string;
} {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', input: '' });
  return { status, output: stdout + stderr };
}

function isPresent(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
