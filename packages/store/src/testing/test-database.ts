/** A database of its own for each test file. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Client } from 'pg';
import type { Database } from '../database/database.ts';
import { hashMigrations, migrate, type Migration } from '../database/migrate.ts';
import { wrapEngine } from '../database/open.ts';
import { openServerEngine } from '../database/server-engine.ts';
import { isRunning } from '../embedded/process.ts';
import { TEST_TEMPLATES_MAX } from '../limits.ts';
import { ignoreNotice, openTestServer, type TestServer } from './test-server.ts';

/** A database that belongs to one test file. */
export interface TestDatabase<Schema> {
  readonly database: Database<Schema>;
  /** For `DATABASE_URL` of a child process. */
  readonly url: string;
  /** Closes and removes it. */
  drop(): Promise<void>;
}

/** The advisory lock that lets one process make templates at a time. */
const LOCK_KEY = 0x74_65_6d_70_6c_61_74;

/**
 * Makes a fresh database with a schema.
 *
 * The schema is migrated once a run, into a template; each database is a copy of it. Remove it in
 * `after`: `after(() => test.drop())`.
 *
 * @param migrations - as for `migrate`; none gives an empty database.
 */
export async function openTestDatabase<Schema>(
  migrations: readonly Migration[] = [],
): Promise<TestDatabase<Schema>> {
  const server = await openTestServer();
  const name = `test_${process.pid}_${randomBytes(8).toString('hex')}`;
  await onServer(server, async (client) => {
    if (server.isLocal) await dropLeftovers(client);
    const template = await ensureTemplate(server, client, migrations);
    await client.query(`create database ${name} template ${template}`);
  });
  const database = await openOn<Schema>(server, name);
  return {
    database,
    url: server.url(name),
    async drop() {
      await database.close();
      await onServer(server, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/** Databases of processes that died before they could, and templates of schemas that are no more. */
async function dropLeftovers(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select datname as name from pg_database where datname ~ '^(test|template)_' order by oid",
  );
  const templates = rows.filter(({ name }) => name.startsWith('template_'));
  const orphans = rows.filter(({ name }) => {
    const pid = /^test_(\d+)_/.exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
  const excess = Math.max(0, templates.length - TEST_TEMPLATES_MAX);
  for (const { name } of [...templates.slice(0, excess), ...orphans]) {
    // oxlint-disable-next-line no-await-in-loop -- one connection does one thing at a time
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  }
}

/** A template bears its name only when it is complete: a process may die while making one. */
async function ensureTemplate(
  server: TestServer,
  client: Client,
  migrations: readonly Migration[],
): Promise<string> {
  const name = `template_${hashMigrations(migrations).slice(0, 32)}`;
  const found = await client.query('select from pg_database where datname = $1', [name]);
  if (found.rowCount === 1) return name;
  const draft = `${name}_draft`;
  await client.query(`drop database if exists ${draft} with (force)`);
  await client.query(`create database ${draft} template template0`);
  const database = await openOn(server, draft);
  try {
    await migrate(database, migrations);
  } finally {
    await database.close();
  }
  await client.query(`alter database ${draft} rename to ${name}`);
  return name;
}

function openOn<Schema>(server: TestServer, name: string): Promise<Database<Schema>> {
  const connection = server.connection(name);
  const engine = openServerEngine({
    kind: 'server',
    connection,
    applicationName: 'immota-test',
    notice: ignoreNotice,
  });
  return wrapEngine<Schema>(engine, ignoreNotice);
}

async function onServer<Result>(
  server: TestServer,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(server.connection(server.root));
  await client.connect();
  try {
    // Copying a database wants nobody in the template, and two copies at once gain nothing.
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    return await work(client);
  } finally {
    await client.end();
  }
}
