/** Reads members of answers for printing. */
import { isJsonObject, type JsonObject, type JsonValue, member } from '@immota/base';

/** A member as a text; what is absent is empty. */
export function text(parent: JsonObject, name: string): string {
  return show(member(parent, name));
}

/** A member as an object; what is none is empty. */
export function object(parent: JsonObject, name: string): JsonObject {
  const value = member(parent, name);
  return isJsonObject(value) ? value : {};
}

/** A member as a list of objects. */
export function objects(parent: JsonObject, name: string): readonly JsonObject[] {
  const value = member(parent, name);
  if (!Array.isArray(value)) return [];
  return (value as readonly JsonValue[]).filter((item) => isJsonObject(item));
}

/** A value in words. */
export function show(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (isJsonObject(value)) {
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${show(inner)}`)
      .join(', ');
  }
  return typeof value === 'object' ? value.map(show).join(', ') : String(value);
}
