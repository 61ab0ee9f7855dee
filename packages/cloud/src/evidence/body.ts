/** Reads members of a line's body; what is missing is a malformed line. */
import { isJsonObject, type JsonObject, type JsonValue, member } from '@immota/base';
import { EvidenceFault } from './evidence-fault.ts';

/** A member that is a text. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function textOf(body: JsonObject, name: string): string {
  const value = member(body, name);
  if (typeof value === 'string') return value;
  throw malformed(name);
}

/** A member that is a text, or absent. */
export function findText(body: JsonObject, name: string): string | undefined {
  const value = member(body, name);
  return typeof value === 'string' ? value : undefined;
}

/** A member that is a whole number. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function numberOf(body: JsonObject, name: string): number {
  const value = member(body, name);
  if (typeof value === 'number') return value;
  throw malformed(name);
}

/** A member that is an object. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function objectOf(body: JsonObject, name: string): JsonObject {
  const value = member(body, name);
  if (isJsonObject(value)) return value;
  throw malformed(name);
}

/** A member that is a list of objects. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function listOf(body: JsonObject, name: string): readonly JsonObject[] {
  const value = member(body, name);
  if (!Array.isArray(value)) throw malformed(name);
  return (value as readonly JsonValue[]).map((item) => {
    if (isJsonObject(item)) return item;
    throw malformed(name);
  });
}

/** A member in base64. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function bytesOf(body: JsonObject, name: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(textOf(body, name));
  } catch {
    throw malformed(name);
  }
}

/** A member that is a hash in hex. @throws EvidenceFault EVIDENCE_MALFORMED. */
export function hashOf(body: JsonObject, name: string): Uint8Array {
  const text = textOf(body, name);
  if (/^[0-9a-f]{64}$/.test(text)) return Uint8Array.fromHex(text);
  throw malformed(name);
}

function malformed(name: string): EvidenceFault {
  return new EvidenceFault(
    'EVIDENCE_MALFORMED',
    `Cannot read line: "${name}" is not what it must be`,
  );
}
