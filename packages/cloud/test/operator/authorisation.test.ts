import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { API_ROLES, OPERATOR_ROUTES, PROBLEM_MEDIA_TYPE, problemSchema } from '@immota/api';
import { createToken, revokeToken } from '../../src/index.ts';
import {
  type ApiAnswer,
  type ApiAsk,
  startTestPlatform,
  type TestPlatform,
} from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform();
});
after(() => world.close());

/** Sends what every route refuses once it has let the caller in, or answers without a change. */
async function send(name: keyof typeof OPERATOR_ROUTES, ask: ApiAsk): Promise<ApiAnswer> {
  const { method, path } = OPERATOR_ROUTES[name].config;
  const filled = path
    .replace('{repository}', 'image')
    .replace('{serial}', '00')
    .replaceAll(/\{\w+\}/g, 'nobody');
  const body = method === 'get' || method === 'delete' ? {} : { json: {} };
  return await world.ask(method.toUpperCase(), filled, { ...body, ...ask });
}

function checkProblem({ status, headers, json }: ApiAnswer, code?: string): void {
  assert.equal(headers.get('content-type'), PROBLEM_MEDIA_TYPE);
  const refusal = problemSchema.parse(json);
  assert.equal(refusal.status, status);
  assert.equal(refusal.code, code ?? refusal.code);
}

const strangers: Readonly<Record<string, () => Promise<string | undefined>>> = {
  'no token': () => Promise.resolve(undefined),
  'a token of somebody else’s making': () => Promise.resolve(`Bearer immota_${'A'.repeat(43)}`),
  'a token in another scheme': () => Promise.resolve(`Basic ${world.tokens.get('admin') ?? ''}`),
  'half a token': () => Promise.resolve(`Bearer ${(world.tokens.get('admin') ?? '').slice(0, -1)}`),
  'a token that is over': async () => {
    const { context } = world.platform.cloud;
    const description = { name: 'over', role: 'admin', uploadsFor: [], ttlDays: 1 } as const;
    const { token } = await createToken(context, description).catch(() => ({ token: '' }));
    expired ||= token;
    world.clock.advance({ hours: expired === token ? 24 : 0 });
    return `Bearer ${expired}`;
  },
  'a token that was revoked': async () => {
    const { context } = world.platform.cloud;
    const description = { name: 'revoked', role: 'admin', uploadsFor: [], ttlDays: 1 } as const;
    const { token } = await createToken(context, description);
    await revokeToken(context, 'revoked');
    return `Bearer ${token}`;
  },
};
let expired = '';

describe('the operator API', () => {
  for (const name of Object.keys(OPERATOR_ROUTES) as (keyof typeof OPERATOR_ROUTES)[]) {
    const { roles } = OPERATOR_ROUTES[name];
    for (const role of API_ROLES) {
      if (roles.includes(role)) {
        it(`lets a ${role} do ${name}`, async () => {
          const answer = await send(name, { as: role });
          assert.notEqual(answer.status, 401);
          assert.notEqual(answer.json['code'], 'FORBIDDEN');
          assert.ok(answer.status < 500, JSON.stringify(answer.json));
          if (answer.status >= 400) checkProblem(answer);
        });
      } else {
        it(`does not let a ${role} do ${name}`, async () => {
          const answer = await send(name, { as: role });
          assert.equal(answer.status, 403);
          checkProblem(answer, 'FORBIDDEN');
        });
      }
    }
    for (const [what, make] of Object.entries(strangers)) {
      it(`does not let ${what} do ${name}`, async () => {
        const authorization = await make();
        const answer = await send(name, authorization === undefined ? {} : { authorization });
        assert.equal(answer.status, 401);
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
        checkProblem(answer, 'UNAUTHENTICATED');
      });
    }
  }
});
