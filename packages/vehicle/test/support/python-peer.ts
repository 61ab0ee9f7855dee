/** A peer that speaks Python: a script that is run beside the test and tells line by line. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** The system's first: Debian's packages are for that one alone. */
const INTERPRETERS = ['/usr/bin/python3', 'python3'];

/** A script that runs. */
export interface PythonPeer {
  /** @returns the next line. @throws when the script has ended instead. */
  line(): Promise<string>;
  write(line: string): void;
}

/**
 * Looks for a Python that has some modules.
 *
 * @returns undefined where there is none.
 */
export function findPython(...modules: readonly string[]): string | undefined {
  const script = `import ${modules.join(', ')}`;
  return INTERPRETERS.find((each) => spawnSync(each, ['-c', script]).status === 0);
}

/** Runs a script until the test is over. */
export function runPython(
  t: TestContext,
  python: string,
  script: string,
  args: readonly string[],
): PythonPeer {
  const child = spawn(python, ['-u', '-c', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => end(child));
  let wrote = '';
  child.stderr.on('data', (bytes: Buffer) => {
    wrote = (wrote + bytes.toString()).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new TypeError(`the script has ended: ${wrote}`);
      return next.value;
    },
    write: (line) => child.stdin.write(`${line}\n`),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', resolve);
  child.kill('SIGKILL');
  await promise;
}
