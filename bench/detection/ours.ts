/**
 * Runs events through parse, rules and windows, in a process of its own. Prints CPU seconds for a thousand
 * events, findings, and MiB at the most.
 *
 * Usage: node ours.ts fleet|process indexed|naive SECONDS, or: node ours.ts windows GROUPS
 */
import { readFileSync } from 'node:fs';
import { isJsonObject, parseJson, utf8 } from '@immota/base';
import { DetectionEngine, type FieldValue, parseRules, type SecurityEvent } from '@immota/soc';
import { fleetEvents, fleetRules, processEvents, processRules } from './workload.ts';

const EVENT_MAX_BYTES = 65_536;
const [what = '', how = '', seconds = ''] = process.argv.slice(2);
if (what === 'windows') fillWindows(Number(how));
else measure();

function measure(): void {
  const isFleet = what === 'fleet';
  const logSource = isFleet
    ? { product: 'ota-cloud' }
    : { product: 'windows', category: 'process_creation' };
  const lines = (isFleet ? fleetEvents() : processEvents()).map((line) => utf8(line));
  // The files are bounded; the whole set is read in parts.
  const rules = splitRules(isFleet ? fleetRules() : processRules()).flatMap((part) => [
    ...parseRules(part),
  ]);
  const engine = new DetectionEngine(rules, { isIndexed: how === 'indexed' });
  const run = (from: number, count: number): number => {
    let found = 0;
    for (let index = from; index < from + count; index += 1) {
      const line = lines[index % lines.length];
      if (line !== undefined) found += engine.take(readEvent(line, logSource)).length;
    }
    return found;
  };
  const step = how === 'indexed' ? 2000 : 50;
  run(0, step);
  const begun = process.cpuUsage();
  const end = performance.now() + Number(seconds) * 1000;
  let events = 0;
  let found = 0;
  while (performance.now() < end) {
    found += run(events, step);
    events += step;
  }
  const { user, system } = process.cpuUsage(begun);
  process.stdout.write(`${(user + system) / 1e6 / (events / 1000)} ${found} ${peakMib()}`);
}

/** A million vehicles, each with something to remember. */
function fillWindows(groups: number): void {
  const before = peakMib();
  const engine = new DetectionEngine(
    parseRules(`title: refused
id: refused
logsource: { product: ota-cloud }
detection:
  kind: { kind: manifest.refused }
  condition: kind
---
title: many refusals
id: many
correlation: { type: event_count, rules: [refused], group-by: [vehicleId], timespan: 1d, condition: { gte: 5 } }
`),
  );
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < groups; index += 1) {
      const fields = new Map<string, FieldValue>([
        ['kind', 'manifest.refused'],
        ['vehicleId', `VIN${String(index).padStart(14, '0')}`],
      ]);
      const event: SecurityEvent = {
        id: `${round}-${index}`,
        atMs: 1_700_000_000_000 + round * 1000,
        logSource: { product: 'ota-cloud' },
        fields,
      };
      engine.take(event);
    }
  }
  process.stdout.write(`${engine.correlator.groupCount} ${before} ${peakMib()}`);
}

function readEvent(line: Uint8Array, logSource: SecurityEvent['logSource']): SecurityEvent {
  const parsed = parseJson(line, EVENT_MAX_BYTES);
  if (!isJsonObject(parsed)) throw new TypeError('an event is an object');
  const { id, at, fields } = parsed;
  if (typeof id !== 'string' || typeof at !== 'number' || !isJsonObject(fields)) {
    throw new TypeError('an event has an id, an instant and fields');
  }
  const values = new Map<string, FieldValue>();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'object') values.set(name, value);
  }
  return { id, atMs: at, logSource, fields: values };
}

function splitRules(text: string): readonly string[] {
  const all = text.split('---\n');
  return Array.from({ length: Math.ceil(all.length / 50) }, (_, part) =>
    all.slice(part * 50, part * 50 + 50).join('---\n'),
  );
}

/** The most memory that this process ever had. */
function peakMib(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
