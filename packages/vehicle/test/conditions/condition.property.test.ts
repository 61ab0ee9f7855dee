import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as holds,
  boolean,
  constantFrom,
  double,
  letrec,
  oneof,
  property,
  string,
  tuple,
} from 'fast-check';
import {
  ACTIVATE_CONDITIONS,
  ConditionFault,
  findUnmetConditions,
  parseConditions,
} from '@immota/vehicle';
import { ConditionWorld } from '../support/condition-world.ts';

const NAMES = [...new Set(ACTIVATE_CONDITIONS.flatMap(({ signals }) => signals))];

const WORDS =
  'Vehicle .Speed == && || ! ( ) [ ] "ON" 1 0.5 in - ? : { } , size has .all x / < .IsMoving true'.split(
    ' ',
  );

/** Questions that are well-formed, and what they ought to say of a vehicle with which all is well. */
const { question } = letrec<{ question: readonly [string, boolean] }>((tie) => ({
  question: oneof(
    { maxDepth: 4 },
    constantFrom<readonly [string, boolean]>(
      ['Vehicle.Speed == 0.0', true],
      ['Vehicle.Speed > 1.0', false],
      ['Vehicle.Body.Hood.IsOpen', false],
      ['Vehicle.LowVoltageSystemState in ["OFF"]', true],
      ['Vehicle.LowVoltageBattery.CurrentVoltage >= 12.8', true],
      ['Vehicle.Powertrain.Transmission.SelectedGear != 126', false],
    ),
    tuple(tie('question'), tie('question')).map(
      ([left, right]) => [`(${left[0]} && ${right[0]})`, left[1] && right[1]] as const,
    ),
    tuple(tie('question'), tie('question')).map(
      ([left, right]) => [`(${left[0]} || ${right[0]})`, left[1] || right[1]] as const,
    ),
    tie('question').map((inner) => [`!(${inner[0]})`, !inner[1]] as const),
  ),
}));

describe('parseConditions()', () => {
  it('answers any text with conditions or a coded fault', () => {
    const word = constantFrom(...WORDS);
    const text = oneof(
      string({ maxLength: 60 }),
      array(word, { maxLength: 24 }).map((all) => all.join('')),
    );
    holds(
      property(text, (expression) => {
        try {
          parseConditions([{ id: 'a', wanted: 'x', expression }]);
        } catch (error) {
          assert.ok(error instanceof ConditionFault, String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('reads whatever is well-formed, and answers it right', () => {
    const world = new ConditionWorld();
    holds(
      property(question, ([expression, expected]) => {
        if (expression.length > 1000) return;
        const conditions = parseConditions([{ id: 'a', wanted: 'x', expression }]);
        const unmet = findUnmetConditions(conditions, world, world.atMs);
        assert.equal(unmet.length === 0, expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('findUnmetConditions()', () => {
  it('is never content with a signal that cannot be believed, whatever the others say', () => {
    const value = oneof(boolean(), double(), string({ maxLength: 4 }));
    holds(
      property(question, constantFrom(...NAMES), value, ([expression], lost, odd) => {
        if (expression.length > 1000) return;
        const conditions = parseConditions([{ id: 'a', wanted: 'x', expression }]);
        const isAsked = conditions.some(({ signals }) => signals.includes(lost));
        const world = new ConditionWorld();
        world.lose(lost);
        const [unmet] = findUnmetConditions(conditions, world, world.atMs);
        assert.equal(unmet?.why === 'signal', isAsked);
        // Any value at all is judged without a crash.
        world.set(lost, odd);
        findUnmetConditions(ACTIVATE_CONDITIONS, world, world.atMs);
      }),
      { numRuns: 300 },
    );
  });
});
