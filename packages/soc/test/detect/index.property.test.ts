import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DetectionEngine, parseRules } from '@immota/soc';
import { event, ruleText } from '../support/rules.ts';

const FIELDS = ['kind', 'path', 'count'] as const;
const word = fc.constantFrom(
  'a',
  'ab',
  'abcd',
  'bcde',
  'abcdef',
  'cdef',
  'x*z',
  '?bcd',
  '',
  '12',
  'ABCD',
);
const modifier = fc.constantFrom(
  '',
  '|contains',
  '|startswith',
  '|endswith',
  '|contains|all',
  '|re',
  '|gt',
  '|exists',
);

const test = fc
  .record({
    field: fc.constantFrom(...FIELDS),
    modifier,
    words: fc.array(word, { minLength: 1, maxLength: 5 }),
  })
  .map(({ field, modifier: how, words }) => {
    const values =
      how === '|gt'
        ? [5]
        : how === '|exists'
          ? [words.length > 2]
          : how === '|re'
            ? words.map((one) => one.replaceAll(/[*?]/g, '.'))
            : words;
    return `${field}${how}: ${JSON.stringify(values)}`;
  });
const condition = fc.constantFrom(
  's',
  's and t',
  's or t',
  's and not t',
  'not s',
  '1 of *',
  'not (s and t)',
);
const rule = fc
  .record({ s: test, t: test, condition })
  .map((parts) => `s:\n  ${parts.s}\nt:\n  ${parts.t}\ncondition: ${parts.condition}`);
const value = fc.oneof(
  word,
  fc.tuple(word, word).map(([left, right]) => left + right),
  fc.integer({ min: 0, max: 12 }),
  fc.constant(null),
  fc.boolean(),
);
const fields = fc.dictionary(fc.constantFrom(...FIELDS), value);

describe('the index', () => {
  it('finds exactly what a look at every rule finds', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 8 }),
        fc.array(fields, { minLength: 1, maxLength: 10 }),
        (texts, events) => {
          const rules = parseRules(
            texts.map((text, index) => ruleText(text, `rule-${index}`)).join('---\n'),
          );
          const [indexed, naive] = [true, false].map(
            (isIndexed) => new DetectionEngine(rules, { isIndexed }),
          );
          for (const one of events) {
            const asked = event(one);
            assert.deepEqual(
              indexed?.take(asked).map(({ ruleId }) => ruleId),
              naive?.take(asked).map(({ ruleId }) => ruleId),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
