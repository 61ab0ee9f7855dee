/** Messages that wait to be sent. They leave the queue when the other side has them. */
import { type JsonObject, isJsonObject, parseJson, utf8 } from '@immota/base';
import { MESSAGE_MAX_BYTES, QUEUE_MAX } from './limits.ts';
import { blobOf, type StateDatabase } from './state-database.ts';

/** A message that waits. It may be sent more than once; `id` tells repeats. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: JsonObject;
}

/** The messages of each kind, in order. */
export class QueueTable {
  readonly #database: StateDatabase;

  /** Part of a `VehicleState`. */
  constructor(database: StateDatabase) {
    this.#database = database;
  }

  /**
   * Adds a message. When too many of its kind wait, the oldest are given up: a vehicle without
   * network must not fill its flash.
   *
   * @param kind - messages of one kind are sent together.
   * @param message - an id that is already waiting is not added again.
   */
  add(kind: string, message: QueuedMessage): void {
    const bytes = utf8(JSON.stringify(message.body));
    this.#database.write(() => {
      this.#database
        .prepare('insert or ignore into queue (kind, id, bytes) values (?, ?, ?)')
        .run(kind, message.id, bytes);
      this.#database
        .prepare(
          `delete from queue where kind = ? and sequence <= (select sequence from queue
           where kind = ? order by sequence desc limit 1 offset ?)`,
        )
        .run(kind, kind, QUEUE_MAX);
    });
  }

  /** Lists the oldest messages of a kind, at most `countMax`. */
  list(kind: string, countMax: number): readonly QueuedMessage[] {
    const statement = this.#database.prepare(
      'select id, bytes from queue where kind = ? order by sequence limit ?',
    );
    return statement.all(kind, countMax).flatMap((row) => {
      const bytes = blobOf(row);
      const body = bytes === undefined ? undefined : parseJson(bytes, MESSAGE_MAX_BYTES);
      return isJsonObject(body) ? [{ id: String(row['id']), body }] : [];
    });
  }

  /** Takes messages out that have arrived, or that nobody wants. */
  remove(kind: string, ids: readonly string[]): void {
    this.#database.write(() => {
      const statement = this.#database.prepare('delete from queue where kind = ? and id = ?');
      for (const id of ids) statement.run(kind, id);
    });
  }
}
