import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRules, testRules } from '@immota/soc';
import { ruleText } from '../support/rules.ts';

const OWN = `x-immota:
  tests:
    - name: a denial
      fires: true
      events: [{ fields: { kind: denied, by: eve } }]
    - name: an entry
      fires: false
      events: [{ fields: { kind: entered, by: eve } }]
`;
const RULE = ruleText('s: {kind: denied}\ncondition: s', 'denied') + OWN;
const JOINED = `title: many
id: many
correlation: { type: event_count, rules: [denied], group-by: [by], timespan: 5m, condition: { gte: 2 } }
x-immota:
  tests:
    - fires: true
      events:
        - { fields: { kind: denied, by: eve } }
        - { after: 4m, fields: { kind: denied, by: eve } }
    - fires: false
      events:
        - { fields: { kind: denied, by: eve } }
        - { after: 6m, fields: { kind: denied, by: eve } }
`;

describe('testRules()', () => {
  it('runs what rules bring, those that correlations keep to themselves too', () => {
    const results = testRules(parseRules(`${RULE}---\n${JOINED}`));
    assert.equal(results.length, 4);
    assert.deepEqual(
      results.filter(({ isRight }) => !isRight),
      [],
    );
  });

  it('says which test is wrong', () => {
    const wrong = RULE.replace('kind: denied, by', 'kind: left, by');
    const problem = testRules(parseRules(wrong)).find(({ isRight }) => !isRight);
    assert.equal(problem?.name, 'a denial');
    assert.equal(problem?.problem, 'it did not fire');
  });

  it('takes no rule for tested that has no test of either kind', () => {
    const results = testRules(parseRules(ruleText('s: {a: 1}\ncondition: s')));
    assert.deepEqual(
      results.map(({ name, isRight }) => [name, isRight]),
      [
        ['must fire', false],
        ['must not fire', false],
      ],
    );
  });
});
