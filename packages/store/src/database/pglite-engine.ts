/**
 * PostgreSQL compiled to WebAssembly, inside this process: the fall-back. It is one connection, so the
 * pool here is a queue of one; nothing can slip into somebody else's transaction.
 */
import { PGlite, type Results } from '@electric-sql/pglite';
import type { PostgresPoolClient } from 'kysely';
import { StoreFault } from '../fault.ts';
import type { Engine } from './engine.ts';
import type { QueryResult } from './server-engine.ts';
import { checkChannel } from './listen.ts';
import { encodeParameter, VALUE_PARSERS } from './values.ts';

/**
 * Opens PGlite on a folder.
 *
 * @param folder - where its files are; made when missing.
 * @param release - called after it is closed.
 */
export async function openPgliteEngine(
  folder: string,
  release: () => Promise<void>,
): Promise<Engine> {
  const pglite = await PGlite.create({
    dataDir: folder,
    parsers: Object.fromEntries(VALUE_PARSERS),
  });
  const run = (text: string, values: readonly unknown[]): Promise<unknown> =>
    query(pglite, text, values);
  let tail: Promise<void> = Promise.resolve();
  const connect = async (): Promise<PostgresPoolClient> => {
    const turn = tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    tail = promise;
    await turn;
    return {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in the server's engine
      query: run as PostgresPoolClient['query'],
      release: resolve,
    };
  };
  await pglite.exec(`SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601'`);
  return {
    kind: 'pglite',
    pool: {
      options: {},
      connect,
      end: async () => {
        await tail;
        await pglite.close();
      },
    },
    async listen(channel, listener) {
      checkChannel(channel);
      // In turn: inside somebody's transaction it would be undone with it.
      const turn = await connect();
      try {
        const stop = await pglite.listen(JSON.stringify(channel), listener);
        return { close: () => (pglite.closed ? Promise.resolve() : stop()) };
      } finally {
        turn.release();
      }
    },
    close: release,
  };
}

async function query(
  pglite: PGlite,
  text: string,
  values: readonly unknown[],
): Promise<QueryResult> {
  const last = await runLast(pglite, text, values);
  return {
    command: findCommand(text),
    rowCount: last?.affectedRows ?? 0,
    rows: last?.rows ?? [],
  };
}

async function runLast(
  pglite: PGlite,
  text: string,
  values: readonly unknown[],
): Promise<Results | undefined> {
  try {
    if (values.length > 0) return await pglite.query(text, values.map(encodeParameter));
    return (await pglite.exec(text)).at(-1);
  } catch (error) {
    // The machine inside broke down, so what became of the statement is unknown.
    if (!(error instanceof Error) || error.name !== 'RuntimeError') throw error;
    throw new StoreFault('CONNECTION_LOST', 'Cannot query: PGlite broke down', { cause: error });
  }
}

/** PGlite does not tell which command ran; Kysely only asks whether the rows were affected or found. */
function findCommand(text: string): QueryResult['command'] {
  const word = /^\s*(insert|update|delete|merge)\b/i.exec(text)?.[1]?.toUpperCase();
  switch (word) {
    case 'INSERT':
    case 'UPDATE':
    case 'DELETE':
    case 'MERGE':
      return word;
    case undefined:
    default:
      return 'SELECT';
  }
}
