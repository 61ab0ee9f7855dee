/** What the ECU did, in order, for whoever has to understand it later. */
import { type JsonObject, isJsonObject, parseJson, utf8 } from '@immota/base';
import { JOURNAL_MAX, MESSAGE_MAX_BYTES } from './limits.ts';
import { blobOf, type StateDatabase } from './state-database.ts';

/** One entry. */
export interface JournalEntry {
  readonly sequence: number;
  readonly kind: string;
  readonly body: JsonObject;
}

/** The journal of an ECU; the oldest entries give way. */
export class JournalTable {
  readonly #database: StateDatabase;

  /** Part of a `VehicleState`. */
  constructor(database: StateDatabase) {
    this.#database = database;
  }

  /** Writes an entry. */
  append(kind: string, body: JsonObject): void {
    const bytes = utf8(JSON.stringify(body));
    this.#database.write(() => {
      const { lastInsertRowid } = this.#database
        .prepare('insert into journal (kind, bytes) values (?, ?)')
        .run(kind, bytes);
      this.#database
        .prepare('delete from journal where sequence <= ?')
        .run(Number(lastInsertRowid) - JOURNAL_MAX);
    });
  }

  /** Lists entries behind a sequence number, oldest first. */
  list(afterSequence: number, countMax: number): readonly JournalEntry[] {
    const statement = this.#database.prepare(
      'select sequence, kind, bytes from journal where sequence > ? order by sequence limit ?',
    );
    return statement.all(afterSequence, countMax).flatMap((row) => {
      const bytes = blobOf(row);
      const body = bytes === undefined ? undefined : parseJson(bytes, MESSAGE_MAX_BYTES);
      if (!isJsonObject(body)) return [];
      return [{ sequence: Number(row['sequence']), kind: String(row['kind']), body }];
    });
  }
}
