import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CONSENT_ROLES,
  CONSENT_STEPS,
  ConsentFault,
  DEFAULT_AUTHORITY,
  DEFAULT_RULES,
  parseAuthority,
} from '@immota/vehicle';
import { decidersOf, mayDecide, parseConsentRole } from '../../src/consent/authority.ts';
import { checkAnswer } from '../../src/consent/check-answer.ts';
import { requestFor } from '../support/consent-request.ts';
import { NOW } from '../support/surroundings.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'taken';
  } catch (error) {
    assert.ok(error instanceof ConsentFault);
    return error.code;
  }
}

function check(
  request: Parameters<typeof checkAnswer>[0],
  answer: Parameters<typeof checkAnswer>[1],
  isParked = true,
): string {
  const rules = { ...DEFAULT_RULES, isParked: () => isParked };
  return codeOf(() => checkAnswer(request, answer, rules, NOW));
}

describe('DEFAULT_AUTHORITY', () => {
  it('says of every role and step whether it decides', () => {
    const table = CONSENT_ROLES.map((role) => [
      role,
      CONSENT_STEPS.filter((step) => mayDecide(DEFAULT_AUTHORITY, role, step)),
    ]);
    assert.deepEqual(Object.fromEntries(table), {
      owner: ['download', 'install', 'activate'],
      driver: ['activate'],
      fleet: ['download', 'install', 'activate'],
      workshop: ['download', 'install', 'activate'],
      renter: [],
      valet: [],
    });
  });
});

describe('parseAuthority()', () => {
  const all = [...CONSENT_STEPS];
  it('reads which role decides on which step', () => {
    const authority = parseAuthority({ fleet: all, driver: ['download'] });
    assert.deepEqual(decidersOf(authority, 'download'), ['driver', 'fleet']);
    assert.deepEqual(decidersOf(authority, 'install'), ['fleet']);
    assert.equal(mayDecide(authority, 'owner', 'install'), false);
  });
  it('refuses what is none, what lends rights to guests, and what leaves nobody to decide', () => {
    const broken = {
      text: 'owner',
      step: { owner: ['drive'] },
      stranger: { owner: all, neighbour: all },
      renter: { owner: all, renter: ['activate'] },
      valet: { owner: all, valet: ['activate'] },
      nobody: {},
      'nobody for one step': { owner: ['download', 'install'] },
    };
    for (const [name, value] of Object.entries(broken)) {
      assert.equal(
        codeOf(() => parseAuthority(value)),
        'AUTHORITY_MALFORMED',
        name,
      );
    }
  });
});

describe('parseConsentRole()', () => {
  it('knows its roles and no others', () => {
    for (const role of CONSENT_ROLES) assert.equal(parseConsentRole(role), role);
    for (const odd of ['Owner', '', 7, '__proto__']) {
      assert.equal(
        codeOf(() => parseConsentRole(odd)),
        'ROLE_UNKNOWN',
      );
    }
  });
});

describe('checkAnswer()', () => {
  const soon = NOW.add({ hours: 2 });
  const yes = { decision: 'accepted', actor: 'owner' } as const;

  it('takes an answer of whoever may decide, and of nobody else, for every role and step', () => {
    for (const role of CONSENT_ROLES) {
      for (const step of CONSENT_STEPS) {
        for (const decision of ['accepted', 'declined', 'postponed'] as const) {
          const may = mayDecide(DEFAULT_AUTHORITY, role, step);
          const code = check(requestFor({}, { step }), { decision, actor: role });
          assert.equal(code, may ? 'taken' : 'NOT_AUTHORISED', `${role} ${step} ${decision}`);
        }
      }
    }
  });
  it('takes none while the vehicle is not known to be parked; a rule needs no parking', () => {
    assert.equal(check(requestFor({}), yes, false), 'DRIVING');
    assert.equal(check(requestFor({}), { ...yes, actor: 'policy' }, false), 'taken');
  });
  it('takes an answer to the words that are asked, in the language that was read', () => {
    const notice = { title: { en: 'Brakes', de: 'Bremsen' } };
    const english = requestFor(notice);
    const german = requestFor(notice, { locale: 'de' }).question.sha256;
    assert.equal(check(english, { ...yes, textSha256: english.question.sha256 }), 'taken');
    assert.equal(check(english, { ...yes, locale: 'de', textSha256: german }), 'taken');
    assert.equal(check(english, { ...yes, textSha256: german }), 'TEXT_CHANGED');
  });
  it('takes a time for what can wait, within its bounds', () => {
    const until = NOW.add({ hours: 100 });
    const bounded = requestFor({ postpone: { times: 1, until: until.toString() } });
    assert.equal(check(bounded, { ...yes, startAt: until }), 'taken');
    assert.equal(
      check(bounded, { ...yes, startAt: until.add({ seconds: 1 }) }),
      'TIME_NOT_ALLOWED',
    );
    assert.equal(check(bounded, { ...yes, startAt: NOW }), 'TIME_NOT_ALLOWED');
    assert.equal(check(bounded, { ...yes, askAgainAt: soon }), 'TIME_NOT_ALLOWED');
    const download = requestFor({}, { step: 'download' });
    assert.equal(check(download, { ...yes, startAt: soon }), 'TIME_NOT_ALLOWED');
    const later = { decision: 'postponed', actor: 'owner', askAgainAt: soon } as const;
    assert.equal(check(download, later), 'taken');
  });
  it('puts nothing off beyond the budget, where a no is as good as ever', () => {
    const record = { postponements: 3, firstAskedAt: NOW };
    const spent = requestFor({ postpone: { times: 3 } }, { record });
    assert.equal(check(spent, { decision: 'postponed', actor: 'owner' }), 'POSTPONE_BUDGET');
    assert.equal(check(spent, { decision: 'declined', actor: 'owner' }), 'taken');
    const left = requestFor({ postpone: { times: 4 } }, { record });
    assert.equal(check(left, { decision: 'postponed', actor: 'owner' }), 'taken');
  });
});
