import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JsonObject, type JsonValue, utf8 } from '@immota/base';
import {
  AKTUALIZR,
  decodeRoot,
  decodeSnapshot,
  decodeTimestamp,
  type Dialect,
  encodeEnvelope,
  limits,
  parseDelegatedRoleName,
  rootPayload,
  snapshotPayload,
  TARGETS_ROLE,
  timestampPayload,
  TUF,
} from '@immota/uptane';
import { describeTeam, editAt, EXPIRY, teamOf, withMember } from '../support/repository.ts';
import { codeOf, DIALECTS } from '../support/world.ts';

const HEAD = { version: 3, expires: EXPIRY };
const FILE = { version: 2, bytes: utf8('{}') };
const LENGTH_MAX = 1_000_000;

function rootOf(dialect: Dialect): JsonObject {
  const team = describeTeam(dialect, teamOf('root', 'hybrid'));
  const roles = { root: team, timestamp: team, snapshot: team, targets: team };
  return rootPayload(dialect, { ...HEAD, roles, time: team, consistentSnapshot: true });
}

function timestampOf(dialect: Dialect): JsonObject {
  return timestampPayload(dialect, { ...HEAD, snapshot: FILE });
}

function snapshotOf(dialect: Dialect): JsonObject {
  const files = new Map([
    [TARGETS_ROLE, FILE],
    [parseDelegatedRoleName('__proto__'), FILE],
  ]);
  return snapshotPayload(dialect, { ...HEAD, files });
}

const DECODERS = {
  root: decodeRoot,
  timestamp: decodeTimestamp,
  snapshot: decodeSnapshot,
} as const;
const PAYLOADS = { root: rootOf, timestamp: timestampOf, snapshot: snapshotOf } as const;
type Kind = keyof typeof DECODERS;
const KINDS: readonly Kind[] = ['root', 'timestamp', 'snapshot'];

function codeFor(kind: Kind, dialect: Dialect, signed: JsonObject): string | undefined {
  const file = encodeEnvelope(dialect, signed, []);
  return codeOf(() => DECODERS[kind](dialect, file, LENGTH_MAX));
}

/** Sets one member, which undefined takes away, and gives the code of the refusal. */
function codeWith(
  kind: Kind,
  path: string,
  value: JsonValue | undefined,
  dialect: Dialect = AKTUALIZR,
): string | undefined {
  const names = path.split('/');
  const last = names.pop() ?? '';
  const signed = editAt(PAYLOADS[kind](dialect), names, (object) =>
    withMember(object, last, value),
  );
  return codeFor(kind, dialect, signed);
}

describe('decodeRoot(), decodeTimestamp(), decodeSnapshot()', () => {
  for (const dialect of DIALECTS) {
    for (const kind of KINDS) {
      it(`read ${kind} in ${dialect.name} with role type, version and expiry {uptane B4}`, () => {
        const signed = PAYLOADS[kind](dialect);
        const file = encodeEnvelope(dialect, signed, []);
        const { body, bytes, lengthIsExact } = DECODERS[kind](dialect, file, LENGTH_MAX);
        assert.equal(body.kind, kind);
        assert.equal(body.version, 3);
        assert.ok(body.expires.equals(EXPIRY));
        assert.deepEqual(bytes, file);
        assert.equal(lengthIsExact, dialect === TUF);
      });

      it(`refuse another role as ${kind} in ${dialect.name}`, () => {
        for (const type of [...Object.values(dialect.typeNames), 'Mirror', '']) {
          const expected = type === dialect.typeNames[kind] ? undefined : 'ROLE_TYPE';
          assert.equal(codeWith(kind, '_type', type, dialect), expected);
        }
        const otherCase = dialect === TUF ? AKTUALIZR : TUF;
        assert.equal(codeWith(kind, '_type', otherCase.typeNames[kind], dialect), 'ROLE_TYPE');
        assert.equal(codeWith(kind, '_type', undefined, dialect), 'MALFORMED');
      });

      it(`refuse a head of ${kind} in ${dialect.name} that is none`, () => {
        for (const version of [0, -1, '1', undefined, null, 2 ** 53 - 1]) {
          const expected = version === 2 ** 53 - 1 ? undefined : 'MALFORMED';
          assert.equal(codeWith(kind, 'version', version, dialect), expected);
        }
        const bad = ['2030-01-01T00:00:00.000Z', '2030-01-01T00:00:00+00:00', '2030-01-01', '', 1];
        const lenient = ['2030-01-01T00:00:00Z[UTC]', '+002030-01-01T00:00:00Z'];
        const never = ['2030-02-30T00:00:00Z', '2030-01-01T25:00:00Z', '2030-13-01T00:00:00Z'];
        for (const expires of [...bad, ...lenient, ...never, undefined, 'x2030-01-01T00:00:00Z']) {
          assert.equal(codeWith(kind, 'expires', expires, dialect), 'MALFORMED', `${expires}`);
        }
        assert.equal(codeWith(kind, 'expires', '2028-02-29T23:59:59Z', dialect), undefined);
      });
    }
  }

  it('say which role they refused', () => {
    const file = encodeEnvelope(AKTUALIZR, {}, []);
    for (const kind of KINDS) {
      assert.throws(() => DECODERS[kind](AKTUALIZR, file, LENGTH_MAX), {
        role: kind,
        code: 'MALFORMED',
      });
    }
  });

  it('read their own major version of the TUF specification only', () => {
    for (const version of ['1.0', '1.0.34', '1.2.3']) {
      assert.equal(codeWith('root', 'spec_version', version, TUF), undefined);
    }
    for (const version of [
      '2.0.0',
      '0.9',
      '1',
      '1.',
      '1.0.0.0',
      '11.0',
      'x1.0',
      '1.0x',
      undefined,
    ]) {
      assert.equal(codeWith('root', 'spec_version', version, TUF), 'MALFORMED');
      assert.equal(codeWith('root', 'spec_version', version, AKTUALIZR), undefined);
    }
  });

  it('refuse more bytes than they may have', () => {
    const file = encodeEnvelope(TUF, rootOf(TUF), []);
    assert.equal(
      codeOf(() => decodeRoot(TUF, file, file.length)),
      undefined,
    );
    assert.equal(
      codeOf(() => decodeRoot(TUF, file, file.length - 1)),
      'LIMIT',
    );
  });
});

function keyidsCode(value: JsonValue): string | undefined {
  return codeWith('root', 'roles/targets/keyids', value);
}

function ids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `k${index}`);
}

describe('decodeRoot()', () => {
  for (const dialect of DIALECTS) {
    it(`reads keys and thresholds of every role in ${dialect.name} {uptane B5} {uptane B6}`, () => {
      const team = describeTeam(dialect, teamOf('root', 'hybrid'));
      const { body } = decodeRoot(
        dialect,
        encodeEnvelope(dialect, rootOf(dialect), []),
        LENGTH_MAX,
      );
      assert.deepEqual(
        [...body.roles.keys()],
        ['root', 'timestamp', 'snapshot', 'targets', 'time'],
      );
      for (const { keyIds, threshold } of body.roles.values()) {
        assert.deepEqual(
          [...keyIds],
          team.keys.map(({ keyId }) => keyId),
        );
        assert.equal(threshold, 2);
      }
      for (const { keyId, algorithm, publicKeyDer } of team.keys) {
        assert.equal(body.keys.get(keyId)?.algorithm, algorithm);
        assert.equal(body.keys.get(keyId)?.exportDer()?.toHex(), publicKeyDer.toHex());
      }
      assert.equal(body.consistentSnapshot, true);
    });
  }

  it('refuses a threshold that is none {uptane L6}', () => {
    const { THRESHOLD_MAX } = limits;
    for (const role of ['root', 'timestamp', 'snapshot', 'targets', 'time']) {
      const codeOfThreshold = (value: JsonValue | undefined): string | undefined =>
        codeWith('root', `roles/${role}/threshold`, value);
      for (const value of [1, THRESHOLD_MAX]) assert.equal(codeOfThreshold(value), undefined);
      for (const value of [0, -1, THRESHOLD_MAX + 1]) {
        assert.equal(codeOfThreshold(value), 'THRESHOLD_INVALID');
      }
      for (const value of ['1', undefined, null, [1]]) {
        assert.equal(codeOfThreshold(value), 'MALFORMED');
      }
    }
  });

  it('says whose threshold it refused', () => {
    const signed = editAt(rootOf(AKTUALIZR), ['roles', 'snapshot'], (role) => ({
      ...role,
      threshold: 0,
    }));
    const file = encodeEnvelope(AKTUALIZR, signed, []);
    assert.throws(() => decodeRoot(AKTUALIZR, file, LENGTH_MAX), {
      code: 'THRESHOLD_INVALID',
      role: 'snapshot',
    });
  });

  it('refuses a key identifier that stands twice in a role, and one that is none', () => {
    assert.equal(keyidsCode(['a', 'b', 'unlisted']), undefined);
    assert.equal(keyidsCode([]), undefined);
    for (const value of [['a', 'b', 'a'], [''], [1], 'a', {}]) {
      assert.equal(keyidsCode(value), 'MALFORMED');
    }
  });

  it('bounds keys and identifiers', () => {
    const { KEYS_MAX } = limits;
    const key = { keytype: 'new', keyval: { public: 'x' } };
    const keys = (count: number): JsonObject =>
      Object.fromEntries(ids(count).map((id) => [id, key]));
    assert.equal(codeWith('root', 'roles/targets/keyids', ids(KEYS_MAX)), undefined);
    assert.equal(codeWith('root', 'roles/targets/keyids', ids(KEYS_MAX + 1)), 'LIMIT');
    assert.equal(codeWith('root', 'keys', keys(KEYS_MAX)), undefined);
    assert.equal(codeWith('root', 'keys', keys(KEYS_MAX + 1)), 'LIMIT');
  });

  it('needs all four roles in TUF, and Root itself in the vehicle dialect', () => {
    for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
      assert.equal(codeWith('root', `roles/${role}`, undefined, TUF), 'MALFORMED');
      const expected = role === 'root' ? 'MALFORMED' : undefined;
      assert.equal(codeWith('root', `roles/${role}`, undefined, AKTUALIZR), expected);
    }
    for (const dialect of DIALECTS) {
      assert.equal(codeWith('root', 'roles/time', undefined, dialect), undefined);
      assert.equal(codeWith('root', 'roles/mirror', { odd: true }, dialect), undefined);
    }
  });

  it('takes consistent_snapshot for false when it is not there', () => {
    const signed = withMember(rootOf(AKTUALIZR), 'consistent_snapshot', undefined);
    const root = decodeRoot(AKTUALIZR, encodeEnvelope(AKTUALIZR, signed, []), LENGTH_MAX);
    assert.equal(root.body.consistentSnapshot, false);
    assert.equal(codeWith('root', 'consistent_snapshot', 1), 'MALFORMED');
  });

  it('refuses what has not the shape of a Root', () => {
    for (const [path, value] of [
      ['keys', undefined],
      ['keys', []],
      ['keys/a', 1],
      ['keys/a', { keytype: 'ed25519' }],
      ['keys/a', { keytype: 1, keyval: { public: '' } }],
      ['roles', undefined],
      ['roles', []],
      ['roles/root', 1],
      ['roles/root/keyids', undefined],
    ] as const) {
      assert.equal(codeWith('root', path, value), 'MALFORMED', path);
    }
  });
});

describe('decodeTimestamp()', () => {
  it('reads version, length and hashes of the Snapshot {uptane B14}', () => {
    for (const dialect of DIALECTS) {
      const file = encodeEnvelope(dialect, timestampOf(dialect), []);
      const { snapshot } = decodeTimestamp(dialect, file, LENGTH_MAX).body;
      assert.equal(snapshot.version, 2);
      assert.equal(snapshot.lengthBytes, 2);
      assert.match(snapshot.hashes?.get('sha256') ?? '', /^44136fa355b3678a/);
    }
  });

  it('needs a hash in the vehicle dialect, where TUF needs none', () => {
    assert.equal(
      codeWith('timestamp', 'meta/snapshot.json/hashes', undefined, AKTUALIZR),
      'MALFORMED',
    );
    assert.equal(codeWith('timestamp', 'meta/snapshot.json/hashes', undefined, TUF), undefined);
  });

  it('refuses a Snapshot entry that is none', () => {
    for (const dialect of DIALECTS) {
      for (const [path, value] of [
        ['meta', undefined],
        ['meta/snapshot.json', undefined],
        ['meta/snapshot.json', []],
        ['meta/snapshot.json/version', 0],
        ['meta/snapshot.json/version', '1'],
        ['meta/snapshot.json/version', undefined],
        ['meta/snapshot.json/length', 0],
        ['meta/snapshot.json/length', -1],
        ['meta/snapshot.json/length', '2'],
        ['meta/snapshot.json/hashes', {}],
        ['meta/snapshot.json/hashes', { md5: 'x' }],
        ['meta/snapshot.json/hashes', { sha256: 'x' }],
      ] as const) {
        assert.equal(codeWith('timestamp', path, value, dialect), 'MALFORMED', path);
      }
      assert.equal(codeWith('timestamp', 'meta/snapshot.json/length', 1, dialect), undefined);
      assert.equal(
        codeWith('timestamp', 'meta/snapshot.json/length', undefined, dialect),
        undefined,
      );
    }
  });
});

describe('decodeSnapshot()', () => {
  it('reads every Targets file with its version {uptane B13}', () => {
    for (const dialect of DIALECTS) {
      const file = encodeEnvelope(dialect, snapshotOf(dialect), []);
      const { files } = decodeSnapshot(dialect, file, LENGTH_MAX).body;
      assert.deepEqual([...files.keys()].toSorted(), ['__proto__', 'targets']);
      assert.equal(files.get(TARGETS_ROLE)?.version, 2);
    }
  });

  it('passes over what is not for Snapshot to fix', () => {
    for (const name of ['root.json', 'timestamp.json', 'snapshot.json']) {
      const signed = editAt(snapshotOf(AKTUALIZR), ['meta'], (meta) => ({ ...meta, [name]: 1 }));
      const file = encodeEnvelope(AKTUALIZR, signed, []);
      assert.equal(decodeSnapshot(AKTUALIZR, file, LENGTH_MAX).body.files.size, 2);
    }
  });

  it('refuses a file name that is no role, or near a top-level role', () => {
    const info = { version: 1 };
    for (const name of ['a.json', '.json.json', 'a.b.json']) {
      assert.equal(codeWith('snapshot', `meta/${name}`, info), undefined, name);
    }
    for (const name of [
      '.json',
      'a',
      'Root.json',
      'TIMESTAMP.json',
      'Targets.json',
      'a.JSON',
      '',
    ]) {
      assert.equal(codeWith('snapshot', `meta/${name}`, info), 'MALFORMED', name);
    }
    for (const odd of [1, null, {}, { version: 0 }, { version: 1, length: 0 }]) {
      assert.equal(codeWith('snapshot', 'meta/a.json', odd), 'MALFORMED');
    }
    assert.equal(codeWith('snapshot', 'meta', []), 'MALFORMED');
  });
});
