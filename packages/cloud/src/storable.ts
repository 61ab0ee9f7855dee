/** What PostgreSQL cannot hold in text: the NUL character. */
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';

/**
 * Replaces what cannot be stored in a text by U+FFFD. Lone surrogates never come this far: `parseJson`
 * refuses them.
 */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}

/** Does the same in a whole object, names included. */
export function storableObject(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [storableText(name), storableValue(value)]),
  );
}

/** Does the same in any value. Bounded by the depth that `parseJson` allows. */
export function storableValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (isJsonObject(value)) return storableObject(value);
  if (typeof value !== 'object' || value === null) return value;
  return value.map((item) => storableValue(item));
}
