/** Facts in the state, each described by a schema. */
import type { JsonValue } from '@immota/base';
import type { z } from 'zod';
import type { StateValue } from '../state/value-table.ts';

/** A fact with the schema that describes it. */
export interface JsonStateValue<Value> extends StateValue<Value> {
  readonly schema: z.ZodType<Value>;
}

/** Describes a fact: its name, and what it looks like. */
export function jsonValue<Value extends JsonValue>(
  name: string,
  schema: z.ZodType<Value>,
): JsonStateValue<Value> {
  return {
    name,
    schema,
    encode: (value) => value,
    decode: (json) => {
      const result = schema.safeParse(json);
      return result.success ? result.data : undefined;
    },
  };
}
