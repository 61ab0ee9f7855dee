import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { StoreFault } from '../fault.ts';
import type { Database } from './database.ts';

/** One step forward of a schema. There is no step back: the next one repairs. */
export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number;
  /** A few words; kept in the database for people, and free to change. */
  readonly name: string;
  /** Statements of PostgreSQL, separated by semicolons, without BEGIN or COMMIT. Never edited later. */
  readonly sql: string;
}

/** What `migrate` did. */
export interface MigrationReport {
  /** Numbers that were applied now, in order. */
  readonly applied: readonly number[];
  /** The database's number now. */
  readonly current: number;
}

/** The advisory lock that lets one process migrate at a time: the bytes of `immota`. */
const LOCK_KEY = 0x69_6d_6d_6f_74_61;

interface AppliedRow {
  readonly number: number;
  readonly checksum: string;
}

/**
 * Brings a database forward to the newest migration.
 *
 * Each migration runs in its own transaction together with its record, under a lock; processes that start
 * at the same time apply each of them once.
 *
 * @param database - empty, or with data of any earlier version.
 * @param migrations - the whole history, oldest first.
 * @throws StoreFault MIGRATION_LIST, MIGRATION_CHANGED, MIGRATION_AHEAD before anything is changed.
 * @throws StoreFault MIGRATION_FAILED with the cause; earlier migrations stay, this one left nothing.
 */
export async function migrate<Schema>(
  database: Database<Schema>,
  migrations: readonly Migration[],
): Promise<MigrationReport> {
  checkList(migrations);
  const history = await underLock(database, async (tx) => {
    await sql`
      create table if not exists immota_migration (
        number integer primary key,
        name text not null,
        checksum text not null,
        applied_at timestamptz not null default now()
      )`.execute(tx);
    const rows = await loadApplied(tx);
    checkHistory(migrations, rows);
    return new Set(rows.map(({ number }) => number));
  });
  const applied: number[] = [];
  for (const migration of migrations.filter(({ number }) => !history.has(number))) {
    // oxlint-disable-next-line no-await-in-loop -- each stands on the one before
    const isNew = await underLock(database, (tx) => applyOnce(tx, migrations, migration));
    if (isNew) applied.push(migration.number);
  }
  return { applied, current: migrations.length };
}

/**
 * Sums up a list of migrations, for telling two schemas apart.
 *
 * @param migrations - a whole history.
 * @returns 64 hexadecimal digits.
 */
export function hashMigrations(migrations: readonly Migration[]): string {
  const hash = createHash('sha256');
  for (const migration of migrations) hash.update(`${migration.number}:${checksum(migration)}\n`);
  return hash.digest('hex');
}

async function applyOnce<Schema>(
  tx: Transaction<Schema>,
  migrations: readonly Migration[],
  migration: Migration,
): Promise<boolean> {
  const history = await loadApplied(tx);
  checkHistory(migrations, history);
  if (history.some(({ number }) => number === migration.number)) return false;
  const before = await loadTransactionId(tx);
  try {
    await sql.raw(migration.sql).execute(tx);
  } catch (error) {
    throw failed(migration, 'the database refused it', error);
  }
  if ((await loadTransactionId(tx)) !== before) {
    throw failed(migration, 'it ended its own transaction');
  }
  await sql`
    insert into immota_migration (number, name, checksum)
    values (${migration.number}, ${migration.name}, ${checksum(migration)})`.execute(tx);
  return true;
}

/** Runs in a transaction that no other migration runs beside, and that no timeout cuts short. */
async function underLock<Schema, Result>(
  database: Database<Schema>,
  work: (tx: Transaction<Schema>) => Promise<Result>,
): Promise<Result> {
  return database.kysely
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (tx) => {
      await sql`set local statement_timeout = 0`.execute(tx);
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
      await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(tx);
      return work(tx);
    });
}

async function loadApplied<Schema>(tx: Transaction<Schema>): Promise<readonly AppliedRow[]> {
  const { rows } = await sql<AppliedRow>`
    select number, checksum from immota_migration order by number`.execute(tx);
  return rows;
}

async function loadTransactionId<Schema>(tx: Transaction<Schema>): Promise<string | undefined> {
  const { rows } = await sql<{ readonly id: string }>`
    select pg_current_xact_id()::text as id`.execute(tx);
  return rows[0]?.id;
}

function checkList(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    if (migration.number !== index + 1 || migration.sql.trim() === '') {
      throw new StoreFault(
        'MIGRATION_LIST',
        `Cannot migrate: expected migration ${index + 1} with statements, found ${migration.number}`,
      );
    }
  }
}

function checkHistory(migrations: readonly Migration[], history: readonly AppliedRow[]): void {
  for (const row of history) {
    const migration = migrations[row.number - 1];
    if (migration === undefined) {
      throw new StoreFault(
        'MIGRATION_AHEAD',
        `Cannot migrate: the database is at ${row.number}, this program knows ${migrations.length}`,
      );
    }
    if (checksum(migration) !== row.checksum) {
      throw new StoreFault(
        'MIGRATION_CHANGED',
        `Cannot migrate: migration ${row.number} is not the text that was applied`,
      );
    }
  }
}

/** Line ends do not count: a checkout may have changed them. */
function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n')).digest('hex');
}

function failed(migration: Migration, why: string, cause?: unknown): StoreFault {
  return new StoreFault(
    'MIGRATION_FAILED',
    `Cannot apply migration ${migration.number} (${migration.name}): ${why}`,
    { cause },
  );
}
