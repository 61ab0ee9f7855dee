/**
 * The values of a query in the database. Of each, NULL is what CEL calls an error: a tag that is not there,
 * a time that is not known. So AND and OR of the database are CEL's own.
 */
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import type { Constant } from './constant.ts';

/** A part of a statement. */
export type Sql = RawBuilder<unknown>;

/**
 * Whether something holds: `holds` is true exactly when CEL says true, `fails` exactly when it says false;
 * where CEL has an error neither is. They are made when asked for, since nearly always one is enough.
 */
export interface Condition {
  readonly holds: () => Sql;
  readonly fails: () => Sql;
}

/** A list that a loop goes over. */
export interface Range {
  /** What stands behind `from`, `where` included; its rows are the elements. */
  readonly from: (alias: string) => Sql;
  readonly element: (alias: string) => Value;
  /** True when it is a list at all; left out where it always is. */
  readonly isList?: Sql;
  /** What a filter left over. */
  readonly filters: readonly ((element: Value) => Condition)[];
}

/** A value. */
export type Value =
  | { readonly type: 'constant'; readonly constant: Constant }
  | {
      readonly type: 'text';
      readonly sql: Sql;
      /** Another way to ask whether it equals a text that is not empty, which has an index. */
      readonly equals?: (text: string) => Sql;
      /** Another way to ask whether it is like a pattern of LIKE, which has an index. */
      readonly like?: (pattern: string) => Sql;
    }
  | { readonly type: 'bool'; readonly condition: Condition }
  | { readonly type: 'size'; readonly sql: Sql }
  | { readonly type: 'timestamp'; readonly sql: Sql; readonly day?: Sql }
  /** Seconds. */
  | { readonly type: 'duration'; readonly sql: Sql }
  | {
      readonly type: 'json';
      readonly sql: Sql;
      /** The column, and the names that lead from it here; left out where there is an index between. */
      readonly path?: { readonly column: Sql; readonly names: readonly string[] };
    }
  | { readonly type: 'list'; readonly range: Range }
  | {
      readonly type: 'record';
      readonly name: string;
      readonly fields: Fields;
      /** Told of each field that is asked for. */
      readonly asked?: (field: string) => void;
    };

/** What can be asked of a vehicle, an ECU or a campaign, by name. */
export type Fields = ReadonlyMap<string, Field>;

/** A field, and whether it is there at all. */
export interface Field {
  readonly value: Value;
  /** Always when left out. */
  readonly isThere?: Sql;
}

/** A column of a row. */
function column(alias: string, name: string): Sql {
  return sql.ref(`${alias}.${name}`);
}

/** A condition that is a column or an expression, NULL where it cannot be decided. */
export function conditionOf(part: Sql): Condition {
  return { holds: () => part, fails: () => sql`not (${part})` };
}

/**
 * A vehicle.
 *
 * @param alias - of its row.
 * @param asked - told of each field that is asked for.
 */
export function vehicleValue(alias: string, asked: (field: string) => void): Value {
  const id = column(alias, 'vehicle_id');
  const tags = column(alias, 'tags');
  const seen = column(alias, 'last_seen_at');
  const day = column(alias, 'last_seen_day');
  const vin = column(alias, 'vin');
  const vehicle = record('vehicle', {
    id: {
      value: { type: 'text', sql: id, like: (pattern) => sql`${id} like ${pattern}::text` },
    },
    vin: {
      value: {
        like: (pattern) =>
          sql`(${vin} like ${pattern}::text or (${vin} is null and ${id} like ${pattern}::text))`,
        type: 'text',
        sql: sql`coalesce(${vin}, ${id})`,
        equals: (value) =>
          sql`(${vin} = ${value}::text or (${vin} is null and ${id} = ${value}::text))`,
      },
    },
    model: text(column(alias, 'model')),
    market: text(column(alias, 'market')),
    tags: { value: { type: 'json', sql: tags, path: { column: tags, names: [] } } },
    lastSeen: {
      value: { type: 'timestamp', sql: seen, day },
      isThere: sql`${seen} is not null`,
    },
    registered: bool(sql`${column(alias, 'primary_ecu_id')} is not null`),
    quarantined: bool(column(alias, 'quarantined')),
    ecus: { value: { type: 'list', range: ecus(id, ecuValue) } },
    hardware: { value: { type: 'list', range: ecus(id, hardwareOf) } },
    images: { value: { type: 'list', range: ecus(id, imageOf) } },
    rxswins: { value: { type: 'list', range: rxswins(id) } },
    campaigns: { value: { type: 'list', range: campaigns(id) } },
  });
  return { ...vehicle, asked };
}

function ecus(vehicleId: Sql, element: (alias: string) => Value): Range {
  return {
    from: (alias) => sql`ecu ${sql.ref(alias)} where ${column(alias, 'vehicle_id')} = ${vehicleId}`,
    element,
    filters: [],
  };
}

function ecuValue(alias: string): Value {
  const since = column(alias, 'installed_at');
  const missing = column(alias, 'missing_since');
  return record('ecu', {
    id: text(column(alias, 'ecu_id')),
    hardware: { value: hardwareOf(alias) },
    image: { value: imageOf(alias) },
    sha256: text(sql`coalesce(${column(alias, 'installed_sha256')}, '')`),
    primary: bool(column(alias, 'is_primary')),
    missing: bool(sql`${missing} is not null`),
    attacks: text(column(alias, 'attacks_detected')),
    since: { value: { type: 'timestamp', sql: since }, isThere: sql`${since} is not null` },
  });
}

function hardwareOf(alias: string): Value {
  return { type: 'text', sql: column(alias, 'hardware_id') };
}

/** Its own text where nothing is installed is empty; the index knows the column alone. */
function imageOf(alias: string): Value {
  const name = column(alias, 'installed_name');
  return {
    type: 'text',
    sql: sql`coalesce(${name}, '')`,
    equals: (value) => sql`${name} = ${value}::text`,
  };
}

function rxswins(vehicleId: Sql): Range {
  return {
    from: (alias) => sql`ecu ${sql.ref(ecu(alias))}
      cross join lateral jsonb_array_elements(${column(ecu(alias), 'rxswins')}) ${sql.ref(alias)}
      where ${column(ecu(alias), 'vehicle_id')} = ${vehicleId} and ${column(ecu(alias), 'rxswins')} <> '[]'`,
    element: (alias) => ({
      type: 'text',
      sql: sql`${column(alias, 'value')} ->> 'rxswin'`,
      equals: (value) =>
        sql`${column(alias, 'value')} ->> 'rxswin' = ${value}::text and ${column(ecu(alias), 'rxswins')} @> ${JSON.stringify([{ rxswin: value }])}::text::jsonb`,
    }),
    filters: [],
  };
}

const ecu = (alias: string): string => `${alias}_ecu`;
const place = (alias: string): string => `${alias}_place`;

function campaigns(vehicleId: Sql): Range {
  return {
    from: (alias) => sql`campaign_vehicle ${sql.ref(place(alias))}
      join campaign ${sql.ref(alias)} on ${column(alias, 'campaign_id')} = ${column(place(alias), 'campaign_id')}
      where ${column(place(alias), 'vehicle_id')} = ${vehicleId}`,
    element: (alias) =>
      record('campaign', {
        id: text(column(alias, 'campaign_id')),
        name: text(column(alias, 'name')),
        state: text(column(place(alias), 'state')),
        reason: text(sql`coalesce(${column(place(alias), 'reason')}, '')`),
        health: text(column(place(alias), 'health')),
      }),
    filters: [],
  };
}

function record(
  name: string,
  fields: Readonly<Record<string, Field>>,
): Extract<Value, { readonly type: 'record' }> {
  return { type: 'record', name, fields: new Map(Object.entries(fields)) };
}

function text(part: Sql): Field {
  return { value: { type: 'text', sql: part } };
}

function bool(part: Sql): Field {
  return { value: { type: 'bool', condition: conditionOf(part) } };
}
