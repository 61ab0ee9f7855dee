/**
 * What an ECU must not forget, in one SQLite file: trusted metadata, values, messages to be sent, a
 * journal. Power may fail at any instant: a rollback journal and full synchronisation make every
 * transaction whole or absent (ADR 9 of the design: one file, no log beside it that could be lost).
 *
 * One process at a time: the file stays locked while it is open.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { VehicleFault } from '../vehicle-fault.ts';
import { JournalTable } from './journal-table.ts';
import { MetadataTable } from './metadata-table.ts';
import { QueueTable } from './queue-table.ts';
import type { StateDatabase } from './state-database.ts';
import { ValueTable } from './value-table.ts';

const APPLICATION_ID = 0x494d_4d4f;
const SCHEMA_VERSION = 1;

const SCHEMA = `
create table metadata (
  repository text not null, role text not null, bytes blob not null,
  primary key (repository, role)) strict, without rowid;
create table root_file (
  repository text not null, version integer not null, bytes blob not null,
  primary key (repository, version)) strict, without rowid;
create table value (name text primary key, bytes blob not null) strict, without rowid;
create table queue (
  sequence integer primary key autoincrement, kind text not null, id text not null,
  bytes blob not null, unique (kind, id)) strict;
create index queue_order on queue (kind, sequence);
create table journal (
  sequence integer primary key autoincrement, kind text not null, bytes blob not null) strict;
`;

/** How to open a state. */
export interface StateOptions {
  /** Called before each durable write: a simulation stops the power here. */
  readonly onWrite?: (() => void) | undefined;
}

/** The state of one ECU. It owns the file until `close`. */
export class VehicleState {
  readonly metadata: MetadataTable;
  readonly values: ValueTable;
  readonly queue: QueueTable;
  readonly journal: JournalTable;
  readonly #database: DatabaseSync;
  readonly #onWrite: () => void;
  #depth = 0;

  /** Use `openState`. */
  constructor(database: DatabaseSync, onWrite: () => void) {
    this.#database = database;
    this.#onWrite = onWrite;
    const shared: StateDatabase = {
      prepare: (sql) => database.prepare(sql),
      write: (change) => this.transaction(change),
    };
    this.metadata = new MetadataTable(shared);
    this.values = new ValueTable(shared);
    this.queue = new QueueTable(shared);
    this.journal = new JournalTable(shared);
  }

  /**
   * Makes several changes one: after a power cut all of them are there, or none.
   *
   * @param change - synchronous; inside another transaction it becomes part of that.
   */
  transaction<Result>(change: () => Result): Result {
    if (this.#depth > 0) return change();
    this.#onWrite();
    this.#database.exec('begin immediate');
    this.#depth += 1;
    try {
      const result = change();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Gives the file free. */
  close(): void {
    this.#database.close();
  }
}

/**
 * Opens a state, or makes it, readable by its owner only.
 *
 * @param path - of the file; its folder exists.
 * @throws VehicleFault STATE_CORRUPT when the file is damaged, foreign or newer than this code;
 * STATE_BUSY when another process has it.
 */
export function openState(path: string, options: StateOptions = {}): VehicleState {
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    // Without a log beside the file, and locked for as long as it is open.
    database.exec(`
      pragma locking_mode = exclusive; pragma journal_mode = delete; pragma synchronous = extra;
      pragma trusted_schema = off; pragma cell_size_check = on; begin exclusive; commit;`);
    prepareSchema(database, options.onWrite ?? nothing);
  } catch (error) {
    database.close();
    throw translate(error);
  }
  return new VehicleState(database, options.onWrite ?? nothing);
}

function prepareSchema(database: DatabaseSync, onWrite: () => void): void {
  const application = readPragma(database, 'application_id');
  const version = readPragma(database, 'user_version');
  if (application === 0 && version === 0) {
    onWrite();
    database.exec(`begin immediate; ${SCHEMA}
      pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit;`);
    return;
  }
  if (application !== APPLICATION_ID || version !== SCHEMA_VERSION) {
    throw new VehicleFault(
      'STATE_CORRUPT',
      `Cannot open state: version ${String(version)} is not ours`,
    );
  }
  if (database.prepare('pragma quick_check').get()?.['quick_check'] !== 'ok') {
    throw new VehicleFault('STATE_CORRUPT', 'Cannot open state: the file is damaged');
  }
}

function readPragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`pragma ${name}`).get()?.[name];
}

/** SQLite's primary result codes. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function translate(error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  if (typeof code !== 'number') return error;
  // The upper bits of an extended code only say more.
  const primary = code & 0xff;
  if (primary === SQLITE_BUSY || primary === SQLITE_LOCKED) {
    return new VehicleFault('STATE_BUSY', 'Cannot open state: another process has it', {
      cause: error,
    });
  }
  if (primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB) {
    return new VehicleFault('STATE_CORRUPT', 'Cannot open state: the file is damaged', {
      cause: error,
    });
  }
  return error;
}

function nothing(): void {
  // Nobody watches the writes.
}
