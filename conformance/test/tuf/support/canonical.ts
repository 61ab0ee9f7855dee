/** OLPC canonical JSON, written a second time so that a mistake in ours cannot hide behind itself. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Encodes canonically: members by code point, `"` and `\` escaped and nothing else. */
export function canonicalBytes(value: Json): Buffer {
  return Buffer.from(canonicalText(value));
}

function canonicalText(value: Json): string {
  if (typeof value === 'string') return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const names = Object.keys(value).toSorted(byCodePoint);
  return `{${names.map((name) => `${canonicalText(name)}:${canonicalText(value[name] ?? null)}`).join()}}`;
}

function byCodePoint(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => Array.from(text, (c) => c.codePointAt(0) ?? 0));
  for (const [index, point] of (a ?? []).entries()) {
    const other = b?.[index];
    if (other === undefined) return 1;
    if (point !== other) return point - other;
  }
  return (a?.length ?? 0) - (b?.length ?? 0);
}
