/** Servers in processes of their own, so that their CPU time is not their clients'. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a server has used so far, in CPU milliseconds. */
export interface ServerTime {
  readonly nodeMs: number;
  readonly postgresMs: number;
}

/** A server that runs. */
export interface ServerProcess {
  readonly port: number;
  readTime(): Promise<ServerTime>;
  close(): Promise<void>;
}

interface Served {
  readonly port: number;
  readonly postgresMs: () => number;
  readonly close: () => Promise<void>;
}

/** In the server's process: says that it listens, and answers until it is told to close. */
export function answerParent({ port, postgresMs, close }: Served): void {
  process.on('message', (message) => {
    if (message === 'close') {
      close()
        .then(() => {
          process.disconnect?.();
        })
        .catch((error: unknown) => {
          console.error(error);
          process.exit(1);
        });
      return;
    }
    const { user, system } = process.cpuUsage();
    process.send?.([(user + system) / 1000, postgresMs()]);
  });
  process.send?.([port]);
}

/** Starts a server: a program beside this file that calls {@link answerParent}. */
export async function startServer(
  program: string,
  parameters: readonly string[],
): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, program), parameters);
  const next = async (): Promise<readonly number[]> => {
    const abort = new AbortController();
    const ended = once(child, 'exit', { signal: abort.signal }).then((): never => {
      throw new TypeError(`${program} ended`);
    });
    try {
      const [message] = await Promise.race([once(child, 'message'), ended]);
      return Array.isArray(message) ? message.map(Number) : [];
    } finally {
      abort.abort();
      ended.catch(() => undefined);
    }
  };
  const [port = 0] = await next();
  return {
    port,
    async readTime() {
      const answer = next();
      child.send('time');
      const [nodeMs = Number.NaN, postgresMs = Number.NaN] = await answer;
      return { nodeMs, postgresMs };
    },
    async close() {
      const ended = once(child, 'exit');
      child.send('close');
      await ended;
    },
  };
}
