/** Rules and events of the tests. */
import { DetectionEngine, type FieldValue, parseRules, type SecurityEvent } from '@immota/soc';

let count = 0;

/** Makes an event. */
export function event(
  fields: Readonly<Record<string, FieldValue>>,
  atMs = 0,
  logSource: SecurityEvent['logSource'] = { product: 'ota-cloud' },
): SecurityEvent {
  count += 1;
  return { id: `event-${count}`, atMs, logSource, fields: new Map(Object.entries(fields)) };
}

/** Writes a rule around a detection. */
export function ruleText(detection: string, id = 'rule'): string {
  const indented = detection
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return `title: ${id}\nid: ${id}\nlogsource:\n  product: ota-cloud\ndetection:\n${indented}\n`;
}

/** Tells whether a detection matches an event. */
export function matches(detection: string, fields: Readonly<Record<string, FieldValue>>): boolean {
  const rules = parseRules(ruleText(detection));
  const answers = [true, false].map(
    (isIndexed) => new DetectionEngine(rules, { isIndexed }).take(event(fields)).length > 0,
  );
  if (answers[0] !== answers[1])
    throw new TypeError('the index finds other rules than a look at all');
  return answers[0] ?? false;
}
