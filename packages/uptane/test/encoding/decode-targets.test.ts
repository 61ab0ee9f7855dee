import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, JsonValue } from '@immota/base';
import {
  AKTUALIZR,
  decodeTargets,
  encodeEnvelope,
  limits,
  parseEcuIdentifier,
  parseTargetName,
  TARGETS_ROLE,
  type TargetFile,
  type TargetFiles,
  type Targets,
  targetsPayload,
} from '@immota/uptane';
import { describeTeam, editAt, EXPIRY, teamOf, withMember } from '../support/repository.ts';
import { codeOf, DIALECTS, measure, VEHICLE } from '../support/world.ts';

const A = 'a'.repeat(64);
const IMAGE = { length: 10, hashes: { sha256: A } };

/** A Targets payload with the given members in place of its own. */
function payload(members: JsonObject): JsonObject {
  return {
    _type: 'Targets',
    version: 1,
    expires: '2030-01-01T00:00:00Z',
    targets: {},
    ...members,
  };
}

function opaqueFiles(targets: JsonObject): TargetFiles {
  const options = { role: TARGETS_ROLE, lengthMax: 10_000, custom: 'opaque' } as const;
  const file = encodeEnvelope(AKTUALIZR, payload({ targets }), []);
  return decodeTargets(AKTUALIZR, file, options).body.files;
}

function decode(members: JsonObject): Targets {
  const file = encodeEnvelope(AKTUALIZR, payload(members), []);
  const options = { role: TARGETS_ROLE, lengthMax: 10_000_000 };
  return decodeTargets(AKTUALIZR, file, options).body;
}

function codeFor(members: JsonObject): string | undefined {
  return codeOf(() => decode(members));
}

function decodeFile(file: JsonObject): TargetFile {
  const found = decode({ targets: { a: file } }).files.get(parseTargetName('a'));
  assert.ok(found);
  return found;
}

function customCode(custom: JsonValue): string | undefined {
  return codeFor({ targets: { a: { ...IMAGE, custom } } });
}

describe('decodeTargets()', () => {
  it('reads what was written, in both dialects {uptane B7}', () => {
    for (const dialect of DIALECTS) {
      const { lengthBytes, hashes } = measure(new Uint8Array(7));
      const signed = targetsPayload(dialect, {
        version: 4,
        expires: EXPIRY,
        files: [{ name: 'a/b.bin', lengthBytes, hashes, custom: {} }],
        vehicleIdentifier: VEHICLE,
        custom: { correlationId: 'urn:x' },
      });
      const file = encodeEnvelope(dialect, signed, []);
      const { body } = decodeTargets(dialect, file, { role: TARGETS_ROLE, lengthMax: 10_000 });
      assert.equal(body.kind, 'targets');
      assert.equal(body.version, 4);
      assert.equal(body.vehicleIdentifier, VEHICLE);
      assert.equal(body.custom['correlationId'], 'urn:x');
      assert.equal(body.delegations, undefined);
      const found = body.files.get(parseTargetName('a/b.bin'));
      assert.equal(found?.lengthBytes, 7);
      assert.deepEqual(found?.hashes, hashes);
    }
  });

  it('names the role that it refuses', () => {
    const file = encodeEnvelope(AKTUALIZR, {}, []);
    const options = { role: TARGETS_ROLE, lengthMax: 1000 };
    assert.throws(() => decodeTargets(AKTUALIZR, file, options), {
      code: 'MALFORMED',
      role: 'targets',
    });
    const long = { role: TARGETS_ROLE, lengthMax: file.length - 1 };
    assert.equal(
      codeOf(() => decodeTargets(AKTUALIZR, file, long)),
      'LIMIT',
    );
  });

  it('keeps images apart whatever their names', () => {
    const names = ['__proto__', 'constructor', '../x', '🚗', 'toString', ' '];
    const targets = Object.fromEntries(names.map((name, length) => [name, { ...IMAGE, length }]));
    const { files } = decode({ targets });
    for (const [index, name] of names.entries()) {
      assert.equal(files.get(parseTargetName(name))?.lengthBytes, index);
    }
    assert.equal(files.get(parseTargetName('hasOwnProperty')), undefined);
  });

  it('refuses an image without length or hash {uptane B7}', () => {
    for (const file of [
      1,
      {},
      { length: 1 },
      { hashes: { sha256: A } },
      { length: -1, hashes: { sha256: A } },
      { length: '1', hashes: { sha256: A } },
      { length: 1, hashes: {} },
      { length: 1, hashes: [] },
      { length: 1, hashes: { md5: A } },
      { length: 1, hashes: { sha256: 'x' } },
      { length: 1, hashes: { sha256: A, sha512: A } },
    ]) {
      assert.equal(codeFor({ targets: { a: file } }), 'MALFORMED', JSON.stringify(file));
    }
    assert.equal(
      codeFor({ targets: { a: { length: 0, hashes: { sha256: A, md5: 'x' } } } }),
      undefined,
    );
    assert.equal(codeFor({ targets: [] }), 'MALFORMED');
    assert.equal(codeFor({ targets: { '': IMAGE } }), 'MALFORMED');
    assert.equal(codeFor({ targets: { ['a'.repeat(1025)]: IMAGE } }), 'MALFORMED');
  });

  it('reads who installs an image {uptane B12}', () => {
    const ecuIdentifiers = { __proto__x: { hardwareId: 'h' }, ['__proto__']: { hardwareId: 'p' } };
    const { ecus } = decodeFile({ ...IMAGE, custom: { ecuIdentifiers } });
    assert.equal(ecus.size, 2);
    assert.equal(ecus.get(parseEcuIdentifier('__proto__'))?.hardwareIdentifier, 'p');
    assert.equal(decodeFile(IMAGE).ecus.size, 0);
    for (const odd of [
      1,
      [],
      { a: 1 },
      { a: {} },
      { a: { hardwareId: '' } },
      { '': { hardwareId: 'h' } },
    ]) {
      assert.equal(customCode({ ecuIdentifiers: odd }), 'MALFORMED', JSON.stringify(odd));
    }
  });

  it('bounds the ECUs and the hardware of one image', () => {
    const { ECUS_MAX } = limits;
    assert.equal(customCode({ ecuIdentifiers: ecusOf(ECUS_MAX) }), undefined);
    assert.equal(customCode({ ecuIdentifiers: ecusOf(ECUS_MAX + 1) }), 'LIMIT');
    assert.equal(customCode({ hardwareIds: many(ECUS_MAX, (index) => `h${index}`) }), undefined);
    assert.equal(customCode({ hardwareIds: many(ECUS_MAX + 1, (index) => `h${index}`) }), 'LIMIT');
  });

  it('reads hardware, release counter, must-match part and address {uptane B9} {uptane B10}', () => {
    const mustMatch = { releaseCounter: 7, line: 'x' };
    const custom = { hardwareIds: ['h1', 'h2'], mustMatch, uri: 'https://x/', other: 1 };
    const file = decodeFile({ ...IMAGE, custom });
    assert.deepEqual(file.hardwareIdentifiers, ['h1', 'h2']);
    assert.equal(file.releaseCounter, 7);
    assert.deepEqual(file.mustMatch, mustMatch);
    assert.equal(file.uri, 'https://x/');
    assert.deepEqual(file.custom, custom);
    const bare = decodeFile(IMAGE);
    assert.deepEqual(bare.hardwareIdentifiers, []);
    assert.equal(bare.releaseCounter, undefined);
    assert.deepEqual([bare.mustMatch, bare.custom, bare.uri], [{}, {}, undefined]);
    for (const odd of [
      { hardwareIds: 'h' },
      { hardwareIds: [''] },
      { hardwareIds: [1] },
      { mustMatch: 1 },
      { mustMatch: { releaseCounter: -1 } },
      { mustMatch: { releaseCounter: '1' } },
      { uri: 1 },
    ]) {
      assert.equal(customCode(odd), 'MALFORMED', JSON.stringify(odd));
    }
    assert.equal(customCode({ mustMatch: { releaseCounter: 0 } }), undefined);
  });

  it('reads nothing of the custom parts where they are the business of others', () => {
    const custom = { ecuIdentifiers: 1, hardwareIds: 'x', mustMatch: [], uri: 1, encryption: 'x' };
    const members = { targets: { a: { ...IMAGE, custom } }, custom: { vehicleIdentifier: 1 } };
    const file = encodeEnvelope(AKTUALIZR, payload(members), []);
    const options = { role: TARGETS_ROLE, lengthMax: 10_000 };
    assert.equal(
      codeOf(() => decodeTargets(AKTUALIZR, file, options)),
      'MALFORMED',
    );
    const { body } = decodeTargets(AKTUALIZR, file, { ...options, custom: 'opaque' });
    assert.equal(body.vehicleIdentifier, undefined);
    assert.deepEqual(body.custom, { vehicleIdentifier: 1 });
    const hashes = new Map([['sha256', A]]);
    assert.deepEqual(body.files.get(parseTargetName('a')), {
      lengthBytes: 10,
      hashes,
      ecus: new Map(),
      hardwareIdentifiers: [],
      releaseCounter: undefined,
      mustMatch: {},
      uri: undefined,
      encrypted: undefined,
      custom,
    });
    const bare = encodeEnvelope(
      AKTUALIZR,
      payload({ targets: { a: { ...IMAGE, custom: 1 } } }),
      [],
    );
    const read = decodeTargets(AKTUALIZR, bare, { ...options, custom: 'opaque' });
    assert.deepEqual(read.body.files.get(parseTargetName('a'))?.custom, {});
  });

  it('checks every file and lists all, where the custom parts are the business of others', () => {
    const files = opaqueFiles({ b: IMAGE, __proto: IMAGE });
    assert.equal(files.size, 2);
    const lengths = new Map([...files].map(([name, { lengthBytes }]) => [name, lengthBytes]));
    assert.deepEqual(Object.fromEntries(lengths), { __proto: 10, b: 10 });
    assert.equal(files.get(parseTargetName('constructor')), undefined);
    for (const odd of [
      1,
      {},
      { ...IMAGE, length: -1 },
      { ...IMAGE, hashes: {} },
      { ...IMAGE, hashes: { sha256: 'zz' } },
      { ...IMAGE, hashes: { sha1: A } },
    ]) {
      assert.equal(
        codeOf(() => opaqueFiles({ a: IMAGE, b: odd })),
        'MALFORMED',
        JSON.stringify(odd),
      );
    }
    assert.equal(
      codeOf(() => opaqueFiles({ '': IMAGE })),
      'MALFORMED',
    );
  });

  it('takes a custom part that is no object for none', () => {
    for (const custom of [null, 1, 'x', []]) {
      assert.deepEqual(decodeFile({ ...IMAGE, custom }).custom, {});
    }
  });

  it('reads the encrypted form and the key that reaches each ECU {uptane B11}', () => {
    const encryption = {
      ...IMAGE,
      filename: 'a.enc',
      method: 'aes-256-gcm-chunks',
      keys: { e1: { method: 'hpke-x25519', value: 'AQID' } },
    };
    const ecuIdentifiers = { e1: { hardwareId: 'h' }, e2: { hardwareId: 'h' } };
    const { encrypted, ecus } = decodeFile({ ...IMAGE, custom: { ecuIdentifiers, encryption } });
    assert.equal(encrypted?.name, 'a.enc');
    assert.equal(encrypted?.method, 'aes-256-gcm-chunks');
    assert.equal(encrypted?.lengthBytes, 10);
    assert.equal(encrypted?.hashes.get('sha256'), A);
    assert.deepEqual(ecus.get(parseEcuIdentifier('e1'))?.wrappedKey, {
      method: 'hpke-x25519',
      value: Uint8Array.of(1, 2, 3),
    });
    assert.equal(ecus.get(parseEcuIdentifier('e2'))?.wrappedKey, undefined);
    assert.equal(decodeFile(IMAGE).encrypted, undefined);
    for (const edit of [
      { filename: undefined },
      { filename: '' },
      { method: undefined },
      { length: undefined },
      { hashes: undefined },
      { keys: 1 },
      { keys: { e1: 1 } },
      { keys: { e1: { method: 'x' } } },
      { keys: { e1: { value: 'AQID' } } },
      { keys: { e1: { method: 'x', value: '!' } } },
    ]) {
      const [[name, value] = ['', undefined]] = Object.entries(edit);
      const odd = withMember(encryption, name, value);
      assert.equal(
        customCode({ ecuIdentifiers, encryption: odd }),
        'MALFORMED',
        JSON.stringify(edit),
      );
    }
    const keyless = withMember(encryption, 'keys', undefined);
    assert.equal(customCode({ ecuIdentifiers, encryption: keyless }), undefined);
  });

  it('reads whose they are {uptane B8}', () => {
    assert.equal(decode({ custom: { vehicleIdentifier: VEHICLE } }).vehicleIdentifier, VEHICLE);
    assert.equal(decode({ custom: {} }).vehicleIdentifier, undefined);
    assert.equal(decode({}).vehicleIdentifier, undefined);
    for (const odd of [1, '', 'a b', null]) {
      assert.equal(codeFor({ custom: { vehicleIdentifier: odd } }), 'MALFORMED');
    }
    assert.equal(codeFor({ custom: 1 }), 'MALFORMED');
  });
});

const ROLE = { name: 'd', keyids: ['k'], threshold: 1, paths: ['x/*'] };

function delegate(role: JsonValue, more: JsonObject = {}): JsonObject {
  return { delegations: { keys: {}, roles: [role], ...more } };
}

function roleCode(members: Readonly<Record<string, JsonValue | undefined>>): string | undefined {
  let role: JsonObject = ROLE;
  for (const [name, value] of Object.entries(members)) role = withMember(role, name, value);
  return codeFor(delegate(role));
}

function many(count: number, item: (index: number) => JsonValue): readonly JsonValue[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

function ecusOf(count: number): JsonObject {
  const ecus = Array.from({ length: count }, (_, index) => [`e${index}`, { hardwareId: 'h' }]);
  return Object.fromEntries(ecus) as JsonObject;
}

function isTerminating(role: JsonValue): unknown {
  return decode(delegate(role)).delegations?.entries[0]?.terminating;
}

function succinct(members: JsonObject): JsonObject {
  const own = { keyids: ['k'], threshold: 1, bit_length: 4, name_prefix: 'bin' };
  return { delegations: { keys: {}, succinct_roles: { ...own, ...members } } };
}

describe('decodeTargets() of delegations', () => {
  it('reads names, hardware, keys and order {uptane C10} {uptane C5}', () => {
    for (const dialect of DIALECTS) {
      const team = teamOf('x', 'hybrid');
      const role = describeTeam(dialect, team);
      const signed = targetsPayload(dialect, {
        version: 1,
        expires: EXPIRY,
        files: [],
        delegations: ['z', 'a', '__proto__'].map((name, index) => ({
          ...role,
          name: name as typeof TARGETS_ROLE,
          paths: [`${name}/*`, 'b?'],
          hardwareIdentifiers: index === 0 ? ['h'] : undefined,
          terminating: index === 1,
        })),
      });
      const file = encodeEnvelope(dialect, signed, []);
      const { delegations } = decodeTargets(dialect, file, {
        role: TARGETS_ROLE,
        lengthMax: 1e6,
      }).body;
      assert.deepEqual(
        delegations?.entries.map((entry) => entry.roles.map(({ name }) => name)),
        [['z'], ['a'], ['__proto__']],
      );
      const [first, second] = delegations?.entries ?? [];
      assert.deepEqual(first?.names, { kind: 'paths', patterns: ['z/*', 'b?'] });
      assert.deepEqual([...(first?.hardwareIdentifiers ?? [])], ['h']);
      assert.equal(second?.hardwareIdentifiers, undefined);
      assert.deepEqual([first?.terminating, second?.terminating], [false, true]);
      assert.equal(first?.roles[0]?.threshold, 2);
      assert.deepEqual(
        [...(delegations?.keys.keys() ?? [])].toSorted(),
        role.keys.map(({ keyId }) => keyId).toSorted(),
      );
    }
  });

  it('is not terminating unless it says so {uptane C7}', () => {
    assert.equal(isTerminating(ROLE), false);
    assert.equal(isTerminating({ ...ROLE, terminating: true }), true);
    assert.equal(roleCode({ terminating: 'yes' }), 'MALFORMED');
  });

  it('takes no delegations for none, and an empty list for a list', () => {
    assert.equal(decode({}).delegations, undefined);
    assert.equal(decode({ delegations: {} }).delegations, undefined);
    assert.deepEqual(decode({ delegations: { keys: {}, roles: [] } }).delegations?.entries, []);
  });

  it('refuses a delegation that is none', () => {
    for (const members of [
      { name: undefined },
      { name: 'targets' },
      { name: 'Root' },
      { keyids: undefined },
      { keyids: ['a', 'a'] },
      { threshold: undefined },
      { threshold: '1' },
      { paths: undefined },
      { paths: 'x' },
      { paths: [1] },
      { paths: ['x'.repeat(1025)] },
      { path_hash_prefixes: ['00'] },
      { hardwareIds: 'h' },
      { hardwareIds: [''] },
    ]) {
      assert.equal(roleCode(members), 'MALFORMED', JSON.stringify(members));
    }
    for (const threshold of [0, -1, 1001]) {
      assert.equal(roleCode({ threshold }), 'THRESHOLD_INVALID');
    }
    assert.equal(roleCode({ paths: ['x'.repeat(1024)] }), undefined);
    const { paths: _, ...unnamed } = ROLE;
    const [hashed] =
      decode(delegate({ ...unnamed, path_hash_prefixes: ['00', 'f'] })).delegations?.entries ?? [];
    assert.deepEqual(hashed?.names, { kind: 'hash-prefixes', prefixes: ['00', 'f'] });
    assert.equal(roleCode({ hardwareIds: [] }), undefined);
    for (const delegations of [
      1,
      { keys: {} },
      { roles: [] },
      { keys: [], roles: [] },
      { keys: {}, roles: [1] },
    ]) {
      assert.equal(codeFor({ delegations }), 'MALFORMED', JSON.stringify(delegations));
    }
  });

  it('says whose threshold it refused', () => {
    const file = encodeEnvelope(AKTUALIZR, payload(delegate({ ...ROLE, threshold: 0 })), []);
    const options = { role: TARGETS_ROLE, lengthMax: 1000 };
    assert.throws(() => decodeTargets(AKTUALIZR, file, options), {
      code: 'THRESHOLD_INVALID',
      role: 'd',
    });
  });

  it('refuses a role under two delegations {uptane C5}', () => {
    const twice = (second: JsonValue): string | undefined =>
      codeFor({ delegations: { keys: {}, roles: [ROLE, second] } });
    assert.equal(twice({ ...ROLE, name: 'e' }), undefined);
    assert.equal(twice(ROLE), 'MALFORMED');
    const { paths: _, ...bare } = ROLE;
    const several = { paths: ['y'], min_roles_in_agreement: 1, roles: [bare] };
    assert.equal(twice(several), 'MALFORMED');
    const own = {
      ...several,
      roles: [
        { ...bare, name: 'e' },
        { ...bare, name: 'e' },
      ],
    };
    assert.equal(twice(own), 'MALFORMED');
  });

  it('reads several roles that must agree {uptane C8}', () => {
    const roles = ['e', 'f', 'g'].map((name) => ({ name, keyids: ['k'], threshold: 1 }));
    const several = (agreeing: JsonValue | undefined, listed: JsonValue = roles): JsonObject =>
      delegate(withMember({ paths: ['x'], roles: listed }, 'min_roles_in_agreement', agreeing));
    const [entry] = decode(several(2)).delegations?.entries ?? [];
    assert.equal(entry?.agreeing, 2);
    assert.deepEqual(
      entry?.roles.map(({ name }) => name),
      ['e', 'f', 'g'],
    );
    assert.equal(codeFor(several(3)), undefined);
    assert.equal(codeFor(several(1)), undefined);
    assert.equal(codeFor(several(4)), 'THRESHOLD_INVALID');
    assert.equal(codeFor(several(0)), 'THRESHOLD_INVALID');
    assert.equal(codeFor(several(1, [])), 'THRESHOLD_INVALID');
    for (const bad of [several('2'), several(undefined), several(1, {}), several(1, [1])]) {
      assert.equal(codeFor(bad), 'MALFORMED');
    }
  });

  it('reads succinct roles within their bounds', () => {
    const [entry] = decode(succinct({})).delegations?.entries ?? [];
    assert.deepEqual(entry?.names, { kind: 'succinct', bitLength: 4, namePrefix: 'bin' });
    assert.equal(entry?.terminating, true);
    assert.equal(entry?.agreeing, 1);
    assert.equal(entry?.hardwareIdentifiers, undefined);
    for (const [bits, code] of [
      [0, 'MALFORMED'],
      [1, undefined],
      [32, undefined],
      [33, 'MALFORMED'],
    ] as const) {
      assert.equal(codeFor(succinct({ bit_length: bits })), code);
    }
    for (const odd of [
      { name_prefix: 1 },
      { name_prefix: '' },
      { bit_length: '4' },
      { keyids: 1 },
    ]) {
      assert.equal(codeFor(succinct(odd)), 'MALFORMED');
    }
    assert.equal(codeFor(succinct({ threshold: 0 })), 'THRESHOLD_INVALID');
    const both = editAt(succinct({}), ['delegations'], (object) => ({ ...object, roles: [] }));
    assert.equal(codeFor(both), 'MALFORMED');
  });
});
