/** Conditions of a fleet query, written for people who pick them from lists. */

/** What can be picked; the words of the query language stand in the guide on campaigns. */
export const FIELDS = [
  'model',
  'market',
  'hardware',
  'image',
  'tag',
  'rxswin',
  'reason',
  'silent',
] as const;
/** One of them. */
export type Field = (typeof FIELDS)[number];

/**
 * Writes one condition.
 *
 * @param value - of a tag `name=value`, or its name alone for one that is simply there.
 */
export function conditionFor(field: Field, value: string): string {
  switch (field) {
    case 'hardware':
      return `${quote(value)} in vehicle.hardware`;
    case 'image':
      return `${quote(value)} in vehicle.images`;
    case 'rxswin':
      return `${quote(value)} in vehicle.rxswins`;
    case 'reason':
      return `vehicle.campaigns.exists(c, c.reason == ${quote(value)})`;
    case 'silent':
      return `vehicle.lastSeen < now - duration(${quote(`${String(Number(value) * 24)}h`)})`;
    case 'tag':
      return tagCondition(value);
    case 'model':
    case 'market':
      return `vehicle.${field} == ${quote(value)}`;
  }
}

/** Adds a condition to a query; what stood there is kept together by brackets where it has an "or". */
export function addCondition(query: string, condition: string): string {
  const before = query.trim();
  if (before === '' || before === 'true') return condition;
  return before.includes('||') ? `(${before}) && ${condition}` : `${before} && ${condition}`;
}

function tagCondition(value: string): string {
  const at = value.indexOf('=');
  const name = at === -1 ? value : value.slice(0, at);
  const member = /^[a-z_]\w*$/i.test(name)
    ? `vehicle.tags.${name}`
    : `vehicle.tags[${quote(name)}]`;
  const wanted = at === -1 ? 'true' : value.slice(at + 1);
  return wanted === 'true' || wanted === 'false'
    ? `${member} == ${wanted}`
    : `${member} == ${quote(wanted)}`;
}

/** A text of CEL; its escapes are those of JSON for all that can stand in a name. */
function quote(value: string): string {
  return JSON.stringify(value);
}
