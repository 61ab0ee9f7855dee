import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENTS, problem, problemSchema, REASONS, UPDATED, wakeTopic } from '@immota/api';

describe('REASONS', () => {
  it('say for each reason what it means, what comes next, and who must act', () => {
    for (const [code, text] of Object.entries({ ...REASONS, UPDATED })) {
      assert.match(text.meaning, /^[A-Z].*\.$/, code);
      assert.match(text.nextStep, /^[A-Z].*\.$/, code);
      // Whom nobody has to help either is done or waits for a time that comes by itself.
      if (text.actor === 'nobody') assert.match(text.nextStep, /^(?:None\.|Wait\b.*\.)$/, code);
      else assert.notEqual(text.nextStep, 'None.', code);
    }
  });
});

describe('EVENTS', () => {
  it('mean each something else', () => {
    const meanings = Object.values(EVENTS).map(({ meaning }) => meaning);
    assert.equal(new Set(meanings).size, meanings.length);
  });
});

describe('problem()', () => {
  it('makes a refusal of its schema', () => {
    const refusal = problem(409, 'TOKEN_EXISTS', 'Cannot create token');
    assert.deepEqual(problemSchema.parse(refusal), refusal);
    assert.equal(refusal.type, 'urn:immota:problem:token_exists');
  });
});

describe('wakeTopic()', () => {
  it('gives each vehicle a topic of its own', () => {
    assert.equal(wakeTopic('veh-1'), 'vehicles/veh-1/wake');
  });
});
