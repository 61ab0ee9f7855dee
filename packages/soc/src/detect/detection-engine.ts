/** Rules, events in, findings out. */
import { Correlator, type CorrelatorOptions, type Finding } from './correlator.ts';
import { Detector, type DetectorOptions } from './detector.ts';
import type { SecurityEvent } from './security-event.ts';
import type { RuleTest, SigmaRule } from './sigma-rule.ts';

/** See the head of the file. */
export class DetectionEngine {
  readonly detector: Detector;
  readonly correlator: Correlator;

  /** @throws SocFault as the detector's and the correlator's constructors. */
  constructor(rules: readonly SigmaRule[], options: DetectorOptions & CorrelatorOptions = {}) {
    this.detector = new Detector(rules, options);
    this.correlator = new Correlator(rules, options);
  }

  /** Takes an event. @returns what it brings to light. */
  take(event: SecurityEvent): readonly Finding[] {
    const matches = this.detector.evaluate(event);
    return matches.length === 0 ? [] : this.correlator.observe(matches);
  }

  /** Moves time on, for what does not come. */
  advance(nowMs: number): readonly Finding[] {
    return this.correlator.advance(nowMs);
  }
}

/** How a rule's own test went. */
export interface RuleTestResult {
  readonly ruleId: string;
  readonly name: string;
  readonly isRight: boolean;
  /** In words, where it is not right. */
  readonly problem: string | undefined;
}

/** An instant far from any limit of time. */
const EPOCH_MS = 1_700_000_000_000;

/**
 * Runs the tests that rules carry with them, each on an engine of its own.
 *
 * @param rules - all of them, so that correlations find what they join.
 * @returns one result a test, and one for each rule that must fire or must not and has no test of it.
 */
export function testRules(rules: readonly SigmaRule[]): readonly RuleTestResult[] {
  return rules.flatMap((rule): readonly RuleTestResult[] => {
    if (rule.kind === 'filter') return [];
    const results = rule.tests.map((test, index) => runTest(rules, rule, { test, index }));
    const lacking = ([true, false] as const)
      .filter((fires) => !rule.tests.some((test) => test.fires === fires))
      .map((fires) => ({
        ruleId: rule.id,
        name: fires ? 'must fire' : 'must not fire',
        isRight: false,
        problem: `it has no test in which it ${fires ? 'fires' : 'does not fire'}`,
      }));
    return [...results, ...lacking];
  });
}

function runTest(
  rules: readonly SigmaRule[],
  rule: SigmaRule,
  { test, index }: { readonly test: RuleTest; readonly index: number },
): RuleTestResult {
  const engine = new DetectionEngine(rules, { tellsAll: true });
  const logSource = sourceOf(rules, rule);
  const found: Finding[] = [];
  let lastMs = EPOCH_MS;
  for (const [at, { afterMs, fields }] of test.events.entries()) {
    lastMs = EPOCH_MS + afterMs;
    const own = fields.get('logsource.category');
    const category = typeof own === 'string' ? own : logSource.category;
    const event = {
      id: `test-${at}`,
      atMs: lastMs,
      logSource: { ...logSource, category },
      fields,
    };
    found.push(...engine.take(event));
  }
  const spanMs = rule.kind === 'correlation' ? rule.timespanMs : 0;
  found.push(...engine.advance(lastMs + 2 * spanMs + 1));
  const fired = found.some(({ ruleId }) => ruleId === rule.id);
  return {
    ruleId: rule.id,
    name: test.name === '' ? `test ${index + 1}` : test.name,
    isRight: fired === test.fires,
    problem: fired === test.fires ? undefined : fired ? 'it fired' : 'it did not fire',
  };
}

function sourceOf(rules: readonly SigmaRule[], rule: SigmaRule): SecurityEvent['logSource'] {
  if (rule.kind !== 'correlation') return rule.logSource;
  const first = rules.find(
    (one) => rule.rules.includes(one.id) || rule.rules.includes(one.name ?? ''),
  );
  return first === undefined || first === rule ? {} : sourceOf(rules, first);
}
