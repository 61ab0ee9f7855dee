/**
 * The keeper: a small shell that starts the embedded server, restarts it when it dies, and stops it when
 * its last user is gone.
 *
 * Every user, which is a process of ours, holds a named pipe open for writing. The kernel closes it for
 * those who die, so `cat` on the other end returns when nobody is left: no polling, no list of
 * processes to believe in, no orphan. A user writes one byte when it comes; that is how the keeper
 * hears, after its time of grace, whether somebody came in between.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { EMBEDDED_RESTARTS_MAX } from '../limits.ts';
import { type Account, cleanEnvironment, spawnAs } from './account.ts';

const SCRIPT = `
pipe=$1 grace=$2 restarts=$3; shift 3

serve() {
  exec 3<&-
  count=0; stop=
  trap 'stop=1; kill -INT "$server" 2>/dev/null' TERM
  while :; do
    begun=$(date +%s)
    "$@" & server=$!
    if [ -n "$stop" ]; then kill -INT "$server"; fi
    # A signal to us ends wait early; above 128 it may mean that, or how the server died.
    while :; do
      wait "$server"; status=$?
      if [ "$status" -le 128 ] || ! kill -0 "$server" 2>/dev/null; then break; fi
    done
    if [ -n "$stop" ] || [ "$status" -eq 0 ]; then break; fi
    if [ $(($(date +%s) - begun)) -ge 60 ]; then count=0; fi
    count=$((count + 1))
    if [ "$count" -gt "$restarts" ]; then break; fi
    echo "keeper: the server ended with status $status; restart $count of $restarts" >&2
    sleep 0.5
    if [ -n "$stop" ]; then break; fi
  done
}

exec 3< "$pipe"
(serve "$@"; trap '' TERM; kill -TERM 0) & keeper=$!
cat <&3 > /dev/null
while :; do
  sleep "$grace"
  came=$(cat <&3)
  if [ -z "$came" ]; then break; fi
done
# Who comes now finds nobody reading, and starts a server of its own after this one.
exec 3<&-
kill -TERM "$keeper"
wait "$keeper"
`;

/** What a keeper is told. */
export interface KeeperOptions {
  readonly account: Account | undefined;
  /** The named pipe. This process holds it open already, or the keeper would wait. */
  readonly pipe: string;
  /** How long the server stays up after its last user left. */
  readonly graceSeconds: number;
  /** The server's binary and its arguments. No secret: everybody can list them. */
  readonly command: readonly string[];
  /** A file descriptor that takes what both say. */
  readonly log: number;
}

/**
 * Starts a keeper in a session of its own: Ctrl-C is for us, not for the database.
 *
 * @param options - what it keeps.
 * @returns what tells whether the keeper is alive.
 */
export function startKeeper(options: KeeperOptions): () => boolean {
  const { pipe, graceSeconds, command, log } = options;
  const keeper = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'keeper', pipe, String(graceSeconds), String(EMBEDDED_RESTARTS_MAX), ...command],
    {
      cwd: '/',
      detached: true,
      env: cleanEnvironment(),
      stdio: ['ignore', log, log],
      ...spawnAs(options.account),
    },
  );
  let isAlive = true;
  const end = (): void => {
    isAlive = false;
  };
  keeper.on('error', end);
  keeper.on('exit', end);
  keeper.unref();
  return () => isAlive;
}

/** One user's end of the pipe. */
export interface Hold {
  /** Tells whether the keeper is alive. */
  isKept(): boolean;
  /** Leaves; the last one out lets the keeper stop the server. */
  release(): void;
}

/**
 * Joins the users of a server that runs.
 *
 * @param pipe - the named pipe's path.
 * @returns undefined when there is no keeper on the other end.
 */
export function findHold(pipe: string): Hold | undefined {
  if (!existsSync(pipe)) return undefined;
  try {
    // Without a reader this fails at once: ENXIO.
    return arrive(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    return undefined;
  }
}

/**
 * Opens a pipe that has no reader yet.
 *
 * @param pipe - the named pipe's path.
 * @returns a descriptor to close once `findHold` has taken over from it.
 */
export function holdOpen(pipe: string): number {
  return openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
}

function arrive(descriptor: number): Hold | undefined {
  const hold: Hold = {
    isKept() {
      try {
        writeSync(descriptor, '+');
        return true;
      } catch (error) {
        // EPIPE: nobody reads. EAGAIN: the pipe is full, so somebody will.
        return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      }
    },
    release() {
      closeSync(descriptor);
    },
  };
  if (hold.isKept()) return hold;
  hold.release();
  return undefined;
}
