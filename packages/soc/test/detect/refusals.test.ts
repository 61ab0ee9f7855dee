import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRules, SocFault, type SocFaultCode } from '@immota/soc';
import { ruleText } from '../support/rules.ts';

function refuses(source: string, code: SocFaultCode): SocFault {
  try {
    parseRules(source);
  } catch (error) {
    assert.ok(error instanceof SocFault);
    assert.equal(error.code, code);
    return error;
  }
  return assert.fail('it was taken');
}

describe('parseRules()', () => {
  const cases: readonly (readonly [what: string, source: string, code: SocFaultCode])[] = [
    ['what is no YAML', 'a: [', 'RULE_MALFORMED'],
    ['an empty file', '', 'RULE_MALFORMED'],
    ['a rule without a title', 'id: x\n', 'RULE_MALFORMED'],
    ['a rule without a detection', 'title: x\nlogsource: {}\n', 'RULE_MALFORMED'],
    ['a condition that names nothing', ruleText('s: {a: 1}\ncondition: t'), 'RULE_MALFORMED'],
    ['a condition that is cut off', ruleText('s: {a: 1}\ncondition: s and'), 'RULE_MALFORMED'],
    ['an open parenthesis', ruleText('s: {a: 1}\ncondition: (s'), 'RULE_MALFORMED'],
    ['a modifier that is not known', ruleText('s: {a|magic: 1}\ncondition: s'), 'RULE_UNSUPPORTED'],
    ['an old aggregation', ruleText('s: {a: 1}\ncondition: s | count() > 5'), 'RULE_UNSUPPORTED'],
    ['an old timeframe', ruleText('s: {a: 1}\ntimeframe: 5m\ncondition: s'), 'RULE_UNSUPPORTED'],
    [
      'an expression that looks back',
      ruleText("s: {a|re: '(a)\\1'}\ncondition: s"),
      'RULE_UNSUPPORTED',
    ],
    ['no network', ruleText('s: {a|cidr: 10.0.0.0/99}\ncondition: s'), 'RULE_MALFORMED'],
    ['no number', ruleText('s: {a|gt: many}\ncondition: s'), 'RULE_MALFORMED'],
    [
      'a condition that nests without end',
      ruleText(`s: {a: 1}\ncondition: ${'('.repeat(100)}s${')'.repeat(100)}`),
      'RULE_LIMIT',
    ],
    [
      'more values than anybody reads',
      ruleText(`s: {a: [${'1,'.repeat(10_001)}]}\ncondition: s`),
      'RULE_LIMIT',
    ],
    ['a file without end', `title: ${'x'.repeat(300_000)}`, 'RULE_LIMIT'],
    [
      'a correlation over a hundred years',
      'title: c\ncorrelation: {type: event_count, rules: [x], timespan: 36500d, condition: {gte: 1}}',
      'RULE_MALFORMED',
    ],
    [
      'a correlation that counts values of nothing',
      'title: c\ncorrelation: {type: value_count, rules: [x], timespan: 5m, condition: {gte: 1}}',
      'RULE_MALFORMED',
    ],
  ];
  for (const [what, source, code] of cases) {
    it(`refuses ${what}`, () => {
      refuses(source, code);
    });
  }

  it('names every reason at once', () => {
    const { reasons } = refuses(
      ruleText('s: {a|magic: 1}\nt: {b|gt: many}\ncondition: s and t'),
      'RULE_UNSUPPORTED',
    );
    assert.equal(reasons.length, 2);
  });
});
