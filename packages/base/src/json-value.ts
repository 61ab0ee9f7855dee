/** What JSON can say. */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Its members are found with `member` or `Object.entries` only. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
