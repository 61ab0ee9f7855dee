import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENTS } from '@immota/api';
import { addressOf, fillPath } from '../../src/web/client/address.ts';
import { problemOf, readProblem } from '../../src/web/client/problem.ts';
import { routesRefreshedBy } from '../../src/web/client/refresh.ts';
import { type Answer, type Input, routeConfig } from '../../src/web/client/routes.ts';

describe('fillPath()', () => {
  it('escapes parameters and leaves out what is empty', () => {
    const path = fillPath('/a/{id}/b', {
      params: { id: 'x/../y' },
      query: { q: 'a&b', r: '', n: 3 },
    });
    assert.equal(path, '/a/x%2F..%2Fy/b?q=a%26b&n=3');
  });
});

describe('addressOf()', () => {
  it('writes the address of an export', () => {
    const address = addressOf('exportMembers', { params: { campaignId: 'c 1' }, query: {} });
    assert.equal(address, '/api/v1/campaigns/c%201/export');
  });

  it('takes what the contract takes and nothing else', () => {
    const right: Input<'getCampaign'> = { params: { campaignId: 'c' } };
    // @ts-expect-error a campaign is asked for by its id
    const wrong: Input<'getCampaign'> = {};
    // @ts-expect-error a route answers what its schema says
    const answer: Answer<'wakeVehicle'> = { isSent: 'yes' };
    assert.notDeepEqual([right, answer], [wrong]);
  });
});

describe('routeConfig()', () => {
  it('parses an answer by the schema of the route, and refuses another', () => {
    const { parseAnswer } = routeConfig('wakeVehicle');
    assert.deepEqual(parseAnswer({ isSent: true }), { isSent: true });
    assert.throws(() => parseAnswer({ isSent: 'yes' }), { name: 'ZodError' });
  });

  it('parses the answers of routes that create', () => {
    assert.throws(() => routeConfig('createToken').parseAnswer({}), { name: 'ZodError' });
  });
});

describe('readProblem()', () => {
  it('keeps the code of a refusal', () => {
    const body = { type: 'urn:x', title: 'NOT_FOUND', status: 404, code: 'NOT_FOUND' };
    assert.equal(problemOf(readProblem(404, body)).code, 'NOT_FOUND');
  });

  it('gives what is no problem document a code of its own', () => {
    assert.equal(problemOf(readProblem(502, '<html>')).code, 'UNEXPECTED_ANSWER');
    assert.equal(problemOf(new RangeError('x')).code, 'CONSOLE_FAULT');
  });
});

describe('routesRefreshedBy()', () => {
  it('knows what every event about campaigns, vehicles and releases makes old', () => {
    const known = Object.keys(EVENTS).filter((kind) =>
      /^(?:campaign|vehicle|ecu|update|release|metadata|token|consent)\./.test(kind),
    );
    for (const kind of known) assert.notEqual(routesRefreshedBy(kind).length, 0, kind);
  });

  it('lets nothing be asked again for a kind that it does not know', () => {
    assert.deepEqual(routesRefreshedBy('weather.changed'), []);
  });
});
