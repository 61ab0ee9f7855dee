/** Runs one child process under a deadline, and takes its whole family down with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** How a child ended. */
export interface Ending {
  /** Its exit status; undefined when a signal or the deadline ended it. */
  readonly status: number | undefined;
  readonly timedOut: boolean;
  /** What it wrote, both streams as they came; empty when it was shown at once. */
  readonly output: string;
  readonly seconds: number;
}

/** How to run it. */
export interface Order {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs: number;
  /** True to show the output as it comes, false to keep it. */
  readonly show: boolean;
}

/** More than this of kept output is of no use to anybody. */
const OUTPUT_MAX_LENGTH = 200_000;

/** How long a process may take to say what it was doing. */
const GRACE_MS = 3000;

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) killFamily(child);
    process.exit(130);
  });
}

/**
 * Runs a command to its end or its deadline.
 *
 * @param order - what to run; `node_modules/.bin` comes first on its path.
 * @returns how it ended. A command that cannot be started ends with status 127.
 */
export async function runProcess(order: Order): Promise<Ending> {
  const started = performance.now();
  const bin = join(order.cwd, 'node_modules/.bin');
  const child = spawn(order.command, order.args, {
    cwd: order.cwd,
    env: {
      ...process.env,
      ...order.env,
      // Set when the gate itself runs under node:test, and would turn a run of tests into a part of it.
      NODE_TEST_CONTEXT: undefined,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    },
    stdio: ['ignore', order.show ? 'inherit' : 'pipe', order.show ? 'inherit' : 'pipe'],
    // A group of its own, so that the deadline also ends what the child has started.
    detached: process.platform !== 'win32',
  });
  running.add(child);
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < OUTPUT_MAX_LENGTH) output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let timedOut = false;
  let grace: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    timedOut = true;
    // Asked politely, node:test still tells which files it was waiting for.
    child.kill('SIGTERM');
    grace = setTimeout(() => killFamily(child), GRACE_MS);
  }, order.limitMs);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  child.once('error', (error) => {
    output += error.message;
    resolve(127);
  });
  child.once('exit', () => {
    if (timedOut) killFamily(child);
  });
  child.once('close', (status) => resolve(timedOut ? undefined : (status ?? undefined)));
  const status = await promise;
  clearTimeout(timer);
  clearTimeout(grace);
  running.delete(child);
  return { status, timedOut, output, seconds: (performance.now() - started) / 1000 };
}

function killFamily({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}
