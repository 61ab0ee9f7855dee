import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, JsonValue } from '@immota/base';
import { AKTUALIZR, decodeTargets, encodeEnvelope, limits, TARGETS_ROLE } from '@immota/uptane';
import { codeOf } from '../support/world.ts';

const ROLE = { name: 'd', keyids: ['k'], threshold: 1, paths: ['x/*'] };

function codeFor(delegations: JsonObject): string | undefined {
  const head = { _type: 'Targets', version: 1, expires: '2030-01-01T00:00:00Z', targets: {} };
  const file = encodeEnvelope(AKTUALIZR, { ...head, delegations }, []);
  const options = { role: TARGETS_ROLE, lengthMax: 10_000_000 };
  return codeOf(() => decodeTargets(AKTUALIZR, file, options));
}

function roleCode(role: JsonObject): string | undefined {
  return codeFor({ keys: {}, roles: [role] });
}

function many<Item extends JsonValue>(count: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

describe('decodeTargets()', () => {
  for (const [what, extra, code] of [
    ['takes as much as its bounds allow', 0, undefined],
    ['refuses one more than its bounds allow', 1, 'LIMIT'],
  ] as const) {
    it(what, () => {
      const { DELEGATIONS_MAX, ECUS_MAX, KEYS_MAX } = limits;
      const { paths: _, ...hashed } = ROLE;
      const texts = many(KEYS_MAX + extra, (index) => `k${index}`);
      assert.equal(roleCode({ ...ROLE, paths: texts }), code);
      assert.equal(roleCode({ ...hashed, path_hash_prefixes: texts }), code);
      assert.equal(roleCode({ ...ROLE, keyids: texts }), code);
      const hardwareIds = many(ECUS_MAX + extra, (index) => `h${index}`);
      assert.equal(roleCode({ ...ROLE, hardwareIds }), code);
      const roles = texts.map((name) => ({ name, keyids: [], threshold: 1 }));
      assert.equal(roleCode({ paths: [], roles, min_roles_in_agreement: 1 }), code);
      const listed = many(DELEGATIONS_MAX + extra, (index) => ({ ...ROLE, name: `r${index}` }));
      assert.equal(codeFor({ keys: {}, roles: listed }), code);
      const key = { keytype: 'new', keyval: { public: 'x' } };
      const keys = Object.fromEntries(listed.map(({ name }) => [name, key]));
      assert.equal(codeFor({ keys, roles: [] }), code);
    });
  }
});
