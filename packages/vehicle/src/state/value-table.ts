/** Single facts by name, each with a type of its own. */
import { type JsonValue, parseJson, utf8 } from '@immota/base';
import { VehicleFault } from '../vehicle-fault.ts';
import { VALUE_MAX_BYTES } from './limits.ts';
import { blobOf, type StateDatabase } from './state-database.ts';

/** A named fact: how it is written, and how it is read back. */
export interface StateValue<Value> {
  readonly name: string;
  encode(value: Value): JsonValue;
  /** Undefined when the JSON is none of its values. */
  decode(json: JsonValue): Value | undefined;
}

/** The facts that an ECU must not forget. */
export class ValueTable {
  readonly #database: StateDatabase;

  /** Part of a `VehicleState`. */
  constructor(database: StateDatabase) {
    this.#database = database;
  }

  /**
   * Finds a fact.
   *
   * @throws VehicleFault STATE_CORRUPT when something else stands under its name: it is never taken
   * for absent, because absence may mean "from the factory".
   */
  load<Value>(kind: StateValue<Value>): Value | undefined {
    const row = this.#database.prepare('select bytes from value where name = ?').get(kind.name);
    const bytes = blobOf(row);
    if (bytes === undefined) return undefined;
    const value = kind.decode(parseJson(bytes, VALUE_MAX_BYTES));
    if (value !== undefined) return value;
    throw new VehicleFault(
      'STATE_CORRUPT',
      `Cannot read state: "${kind.name}" is not a value of it`,
    );
  }

  /** Keeps a fact; what was there before is gone. */
  save<Value>(kind: StateValue<Value>, value: Value): void {
    const bytes = utf8(JSON.stringify(kind.encode(value)));
    this.#database.write(() =>
      this.#database
        .prepare('insert or replace into value (name, bytes) values (?, ?)')
        .run(kind.name, bytes),
    );
  }

  /** Forgets a fact. */
  remove(kind: Pick<StateValue<unknown>, 'name'>): void {
    this.#database.write(() =>
      this.#database.prepare('delete from value where name = ?').run(kind.name),
    );
  }
}
