import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DetectionEngine, type FieldValue, parseRules, SocFault } from '@immota/soc';
import { event, ruleText } from '../support/rules.ts';

const MINUTE_MS = 60_000;
const BASE = ['denied', 'entered', 'left']
  .map((kind) => ruleText(`s: {kind: ${kind}}\ncondition: s`, kind))
  .join('---\n');

function engineOf(correlation: string, options = {}): DetectionEngine {
  const lines = correlation
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return new DetectionEngine(
    parseRules(`${BASE}---\ntitle: joined\nid: joined\ncorrelation:\n${lines}\n`),
    options,
  );
}

type Told = readonly [minute: number, fields: Readonly<Record<string, FieldValue>>];

/** Tells an engine events by minutes. @returns the minutes at which the joined rule told. */
function tell(engine: DetectionEngine, told: readonly Told[]): readonly number[] {
  return told.flatMap(([minute, fields]) =>
    engine
      .take(event(fields, minute * MINUTE_MS))
      .filter(({ ruleId }) => ruleId === 'joined')
      .map(() => minute),
  );
}

const denied = (by: string, more: Readonly<Record<string, FieldValue>> = {}) => ({
  kind: 'denied',
  by,
  ...more,
});

const vinsOf = (names: readonly string[]): readonly Told[] =>
  names.map((vin, index) => [index / 10, denied('eve', { vin })]);

const temporal = (type: string): string =>
  `type: ${type}\nrules: [denied, entered]\ngroup-by: [by]\ntimespan: 5m`;

const overSizes = (type: string, condition: string): string =>
  `type: ${type}\nrules: [denied]\ngroup-by: [by]\ntimespan: 9m\ncondition: {field: size, ${condition}}`;

const deniedThenEntered = (user: string): readonly Told[] => [
  [0, denied('eve')],
  [1, { kind: 'entered', user }],
];

const generating = (generate: boolean): string =>
  `type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 9}\ngenerate: ${String(generate)}`;

describe('a correlation', () => {
  it('counts events of a group within its time', () => {
    const text =
      'type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 3}';
    const told: readonly Told[] = [0, 1, 2].map((minute) => [minute, denied('eve')]);
    assert.deepEqual(tell(engineOf(text), told), [2]);
    const others: readonly Told[] = [0, 1, 2].map((minute) => [minute, denied(`eve ${minute}`)]);
    assert.deepEqual(tell(engineOf(text), others), []);
    const slow: readonly Told[] = [0, 3, 6, 9].map((minute) => [minute, denied('eve')]);
    assert.deepEqual(tell(engineOf(text), slow), []);
  });

  it('tells once of what goes on, and again when it comes back', () => {
    const text =
      'type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 2}';
    const told: readonly Told[] = [0, 1, 2, 3, 30, 31].map((minute) => [minute, denied('eve')]);
    assert.deepEqual(tell(engineOf(text), told), [1, 31]);
  });

  it('counts different values', () => {
    const text =
      'type: value_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {field: vin, gte: 3}';
    assert.equal(tell(engineOf(text), vinsOf(['a', 'b', 'c'])).length, 1);
    assert.equal(tell(engineOf(text), vinsOf(['a', 'b', 'a', 'b', 'a'])).length, 0);
  });

  it('waits for all of its rules in any order, or in theirs', () => {
    const there: readonly Told[] = [
      [0, denied('eve')],
      [1, { kind: 'entered', by: 'eve' }],
    ];
    const back: readonly Told[] = [
      [0, { kind: 'entered', by: 'eve' }],
      [1, denied('eve')],
    ];
    assert.deepEqual(tell(engineOf(temporal('temporal')), there), [1]);
    assert.deepEqual(tell(engineOf(temporal('temporal')), back), [1]);
    assert.deepEqual(tell(engineOf(temporal('temporal_ordered')), there), [1]);
    assert.deepEqual(tell(engineOf(temporal('temporal_ordered')), back), []);
  });

  it('puts an event that comes late to its place', () => {
    const text = 'type: temporal_ordered\nrules: [denied, entered]\ngroup-by: [by]\ntimespan: 5m';
    const told: readonly Told[] = [
      [2, { kind: 'entered', by: 'eve' }],
      [1, denied('eve')],
    ];
    assert.deepEqual(tell(engineOf(text), told), [1]);
  });

  it('sums, averages and ranks values', () => {
    const told: readonly Told[] = [1, 2, 9].map((size, index) => [index, denied('eve', { size })]);
    assert.deepEqual(tell(engineOf(overSizes('value_sum', 'gte: 12')), told), [2]);
    assert.deepEqual(tell(engineOf(overSizes('value_sum', 'gte: 13')), told), []);
    assert.deepEqual(tell(engineOf(overSizes('value_avg', 'gte: 4')), told), [2]);
    assert.deepEqual(tell(engineOf(overSizes('value_avg', 'gt: 4')), told), []);
    assert.deepEqual(tell(engineOf(overSizes('value_median', 'gte: 2')), told), [2]);
    assert.deepEqual(
      tell(engineOf(overSizes('value_percentile', 'percentile: 99, gte: 9')), told),
      [2],
    );
  });

  it('tells of what does not come, when its time is over', () => {
    const text =
      'type: temporal\nrules: [entered, left]\ngroup-by: [by]\ntimespan: 60m\ncondition: entered and not left';
    const silent = engineOf(text);
    assert.deepEqual(tell(silent, [[0, { kind: 'entered', by: 'eve' }]]), []);
    assert.equal(silent.advance(59 * MINUTE_MS).length, 0);
    const [finding] = silent.advance(61 * MINUTE_MS);
    assert.equal(finding?.ruleId, 'joined');
    assert.equal(finding.fields.get('by'), 'eve');
    assert.equal(silent.advance(200 * MINUTE_MS).length, 0);

    const heard = engineOf(text);
    tell(heard, [
      [0, { kind: 'entered', by: 'eve' }],
      [30, { kind: 'left', by: 'eve' }],
    ]);
    assert.equal(heard.advance(200 * MINUTE_MS).length, 0);
  });

  it('finds its groups by other names where a rule calls them so', () => {
    const text =
      'type: temporal\nrules: [denied, entered]\ngroup-by: [who]\ntimespan: 5m\naliases:\n  who:\n    denied: by\n    entered: user';
    assert.deepEqual(tell(engineOf(text), deniedThenEntered('eve')), [1]);
    assert.deepEqual(tell(engineOf(text), deniedThenEntered('bob')), []);
  });

  it('keeps the findings of its rules to itself unless it is told otherwise', () => {
    assert.equal(engineOf(generating(false)).take(event(denied('eve'))).length, 0);
    assert.equal(engineOf(generating(true)).take(event(denied('eve'))).length, 1);
  });

  it('counts the groups that it forgets', () => {
    const text =
      'type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 2}';
    const engine = engineOf(text, { groupsMax: 10 });
    for (let index = 0; index < 15; index += 1) engine.take(event(denied(`eve ${index}`)));
    assert.equal(engine.correlator.counts().evictedGroups, 5);
    assert.equal(engine.correlator.groupCount, 10);
  });

  it('counts what comes too late', () => {
    const text =
      'type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 2}';
    const engine = engineOf(text, { latenessMs: MINUTE_MS });
    tell(engine, [
      [100, denied('eve')],
      [93, denied('eve')],
    ]);
    assert.equal(engine.correlator.counts().late, 1);
  });

  it('goes on after a restart where it was', () => {
    const text =
      'type: event_count\nrules: [denied]\ngroup-by: [by]\ntimespan: 5m\ncondition: {gte: 2}';
    const before = engineOf(text);
    tell(before, [[0, denied('eve')]]);
    const kept = JSON.parse(JSON.stringify([...before.correlator.keep()]));
    const after = engineOf(text);
    after.correlator.restore(kept);
    assert.deepEqual(tell(after, [[1, denied('eve')]]), [1]);
    // What was told before is not told twice.
    const again = engineOf(text);
    again.correlator.restore(JSON.parse(JSON.stringify([...after.correlator.keep()])));
    assert.deepEqual(tell(again, [[2, denied('eve')]]), []);
  });

  it('refuses to join what is not there, and to go round in a circle', () => {
    const code = 'RULE_MALFORMED';
    const isIt = (error: unknown): boolean => error instanceof SocFault && error.code === code;
    assert.throws(() => engineOf('type: temporal\nrules: [denied, nobody]\ntimespan: 5m'), isIt);
    assert.throws(() => engineOf('type: temporal\nrules: [joined]\ntimespan: 5m'), isIt);
  });
});
