/** What vehicles say of themselves unsigned: kept apart, and without the secrets that come with it. */
import { isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { sql } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { storableText, storableValue } from '../storable.ts';

/** The parts of it. */
export type InformationPart = 'hardware' | 'installed' | 'network' | 'configuration';

/** Names whose values are secrets in a client's configuration, whatever section they stand in. */
const SECRET_NAME = /pass|(?:^|[^a-z])pin(?:[^a-z]|$)|secret|token|private|credential/i;
const REDACTED = '[redacted]';

/**
 * Stores a part of a vehicle's information; the same again is no news.
 *
 * @param value - as it came, without secrets.
 */
export async function saveInformation(
  context: CloudContext,
  vehicleId: string,
  { part, value }: { readonly part: InformationPart; readonly value: JsonValue },
): Promise<void> {
  const at = context.clock.now();
  const text = JSON.stringify(storableValue(value));
  await committed(context.database, async (tx) => {
    const { rows } = await sql`update vehicle
      set information = information || jsonb_build_object(${part}::text, ${text}::jsonb)
      where vehicle_id = ${vehicleId} and information -> ${part} is distinct from ${text}::jsonb
      returning vehicle_id`.execute(tx);
    if (rows.length === 0) return;
    await context.events.append(tx, [
      { stream: vehicleId, kind: 'client.information', at, body: { part } },
    ]);
  });
}

/**
 * Takes the secrets out of a client's configuration, which is TOML: `p12_password`, the PIN of the
 * token under `[p11]`, and whatever else is named like a secret.
 *
 * A whole TOML parser would have to be trusted with the secret; here each line that is no plain
 * assignment of a value that ends on it is dropped, and only assignments of other names stay.
 */
export function redactConfiguration(text: string): string {
  const kept: string[] = [];
  let closing: string | undefined;
  for (const line of text.split('\n')) {
    if (closing !== undefined) {
      if (line.includes(closing)) closing = undefined;
      continue;
    }
    const assignment = /^\s*([\w.-]+|"[^"\\]*")\s*=\s*(.*?)\s*$/.exec(line);
    if (assignment === null) {
      if (/^\s*(?:\[\[?[\w.\s"-]+\]\]?)?\s*$/.test(line)) kept.push(line);
      continue;
    }
    const [, name = '', value = ''] = assignment;
    const [quotes] = /^(?:"""|''')/.exec(value) ?? [];
    if (quotes !== undefined && !value.slice(quotes.length).includes(quotes)) closing = quotes;
    const isPlain = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|true|false|[-+\d.:eETZ_]+)$/.test(value);
    if (SECRET_NAME.test(name)) kept.push(`${name} = "${REDACTED}"`);
    else if (isPlain) kept.push(`${name} = ${value}`);
    else kept.push(`${name} = "[dropped]"`);
  }
  return storableText(kept.join('\n'));
}

/** Takes the values of members that are named like secrets out of a JSON document. */
export function redactValue(value: JsonValue): JsonValue {
  if (isJsonObject(value)) return redactObject(value);
  return Array.isArray(value)
    ? (value as readonly JsonValue[]).map((item) => redactValue(item))
    : value;
}

function redactObject(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && typeof value === 'string' ? REDACTED : redactValue(value),
    ]),
  );
}
