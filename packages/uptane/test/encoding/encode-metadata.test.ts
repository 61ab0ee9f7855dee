import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type JsonObject, SIGNATURE_ALGORITHMS, utf8 } from '@immota/base';
import {
  AKTUALIZR,
  advanceTargets,
  anchorRoot,
  checkThreshold,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  type Dialect,
  encodeCanonical,
  encodeEnvelope,
  keyIdOf,
  limits,
  parseMetadataVersion,
  parseTargetName,
  publicKeyFromDer,
  type RootDescription,
  rootPayload,
  signMetadata,
  snapshotPayload,
  TARGETS_ROLE,
  type TargetsDescription,
  targetsPayload,
  timestampPayload,
  TUF,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { describeTeam, EXPIRY, teamOf } from '../support/repository.ts';
import { codeOf, DIALECTS, measure, VEHICLE } from '../support/world.ts';

const HEAD = { version: 3, expires: EXPIRY };
const SPEC = { spec_version: '1.0.34' };

function teamDescription(dialect: Dialect, name = 'x'): ReturnType<typeof describeTeam> {
  return describeTeam(dialect, teamOf(name, 'classic'));
}

describe('rootPayload()', () => {
  it('spells a Root as the vehicle dialect has it {uptane B5} {uptane B6}', () => {
    const team = teamDescription(AKTUALIZR);
    const [key] = team.keys;
    assert.ok(key);
    const roles = { root: team, timestamp: team, snapshot: team, targets: team };
    const role = { keyids: [key.keyId], threshold: 1 };
    const publicHex = key.publicKeyDer.subarray(12).toHex();
    assert.deepEqual(rootPayload(AKTUALIZR, { ...HEAD, roles, consistentSnapshot: false }), {
      _type: 'Root',
      version: 3,
      expires: '2030-01-01T00:00:00Z',
      consistent_snapshot: false,
      keys: { [key.keyId]: { keytype: 'ED25519', keyval: { public: publicHex } } },
      roles: { root: role, timestamp: role, snapshot: role, targets: role },
    });
  });

  it('spells a Root as TUF has it', () => {
    const team = teamDescription(TUF);
    const [key] = team.keys;
    assert.ok(key);
    const roles = { root: team, timestamp: team, snapshot: team, targets: team };
    const role = { keyids: [key.keyId], threshold: 1 };
    const publicHex = key.publicKeyDer.subarray(12).toHex();
    const root = { ...HEAD, roles, time: team, consistentSnapshot: true };
    assert.deepEqual(rootPayload(TUF, root), {
      ...SPEC,
      _type: 'root',
      version: 3,
      expires: '2030-01-01T00:00:00Z',
      consistent_snapshot: true,
      keys: {
        [key.keyId]: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicHex } },
      },
      roles: { root: role, timestamp: role, snapshot: role, targets: role, time: role },
    });
  });

  it('lists every key of every role once', () => {
    const [a, b] = [teamDescription(TUF, 'a'), teamDescription(TUF, 'b')];
    const roles: RootDescription['roles'] = { root: a, timestamp: b, snapshot: b, targets: a };
    const { keys } = rootPayload(TUF, { ...HEAD, roles, consistentSnapshot: true }) as {
      keys: JsonObject;
    };
    const ids = [...a.keys, ...b.keys].map(({ keyId }) => keyId);
    assert.deepEqual(Object.keys(keys).toSorted(), ids.toSorted());
  });
});

describe('timestampPayload(), snapshotPayload()', () => {
  it('name version, length and hash of what is served {uptane B13} {uptane B14}', () => {
    const bytes = utf8('{"x":1}');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const info = { version: 2, length: 7, hashes: { sha256 } };
    const expires = '2030-01-01T00:00:00Z';
    const snapshot = { version: 2, bytes };
    assert.deepEqual(timestampPayload(AKTUALIZR, { ...HEAD, snapshot }), {
      _type: 'Timestamp',
      version: 3,
      expires,
      meta: { 'snapshot.json': info },
    });
    const files = new Map([[TARGETS_ROLE, snapshot]]);
    assert.deepEqual(snapshotPayload(TUF, { ...HEAD, files }), {
      ...SPEC,
      _type: 'snapshot',
      version: 3,
      expires,
      meta: { 'targets.json': info },
    });
  });

  it('cut fractions of a second off an expiry, never adding to it', () => {
    const files = new Map<typeof TARGETS_ROLE, never>();
    const expires = Temporal.Instant.from('2029-12-31T23:59:59.999Z');
    const payload = snapshotPayload(TUF, { version: 1, expires, files });
    assert.equal(payload['expires'], '2029-12-31T23:59:59Z');
  });
});

describe('targetsPayload()', () => {
  it('spells images, whose they are, and delegations {uptane B7} {uptane B8} {uptane C10}', () => {
    const team = teamDescription(AKTUALIZR);
    const [key] = team.keys;
    assert.ok(key);
    const { lengthBytes, hashes } = measure(utf8('x'));
    const payload = targetsPayload(AKTUALIZR, {
      ...HEAD,
      files: [
        { name: 'a', lengthBytes, hashes, custom: {} },
        { name: 'b', lengthBytes, hashes, custom: { uri: 'u' } },
      ],
      vehicleIdentifier: VEHICLE,
      custom: { correlationId: 'c' },
      delegations: [
        {
          ...team,
          name: 'd' as typeof TARGETS_ROLE,
          paths: ['d/*'],
          hardwareIdentifiers: ['h'],
          terminating: true,
        },
        { ...team, name: 'e' as typeof TARGETS_ROLE, paths: ['e'], terminating: false },
      ],
    });
    const image = { length: 1, hashes: Object.fromEntries(hashes) };
    const role = { keyids: [key.keyId], threshold: 1 };
    assert.deepEqual(payload, {
      _type: 'Targets',
      version: 3,
      expires: '2030-01-01T00:00:00Z',
      custom: { correlationId: 'c', vehicleIdentifier: VEHICLE },
      targets: { a: image, b: { ...image, custom: { uri: 'u' } } },
      delegations: {
        keys: { [key.keyId]: AKTUALIZR.encodeKey('ed25519', key.publicKeyDer) },
        roles: [
          { ...role, name: 'd', paths: ['d/*'], terminating: true, hardwareIds: ['h'] },
          { ...role, name: 'e', paths: ['e'], terminating: false },
        ],
      },
    });
  });

  it('spells several roles that must agree {uptane C8} {uptane C10}', () => {
    for (const dialect of DIALECTS) {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => ({
        ...teamDescription(dialect, name),
        name: name as typeof TARGETS_ROLE,
      }));
      assert.ok(a && b && c);
      const common = { paths: ['x/*'], terminating: false };
      const delegations = [
        { ...a, ...common, sharedWith: [b, c], agreeing: 2 },
        { ...a, ...common, name: 'd' as typeof TARGETS_ROLE, sharedWith: [] },
        {
          ...b,
          ...common,
          name: 'e' as typeof TARGETS_ROLE,
          sharedWith: [{ ...c, name: 'f' as typeof TARGETS_ROLE }],
        },
      ];
      const file = encodeEnvelope(
        dialect,
        targetsPayload(dialect, { ...HEAD, files: [], delegations }),
        [],
      );
      const { body } = decodeTargets(dialect, file, { role: TARGETS_ROLE, lengthMax: 1e6 });
      assert.deepEqual(
        body.delegations?.entries.map(({ roles, agreeing }) => [
          roles.map(({ name }) => name),
          agreeing,
        ]),
        [
          [['a', 'b', 'c'], 2],
          [['d'], 1],
          [['e', 'f'], 2],
        ],
      );
      assert.equal(body.delegations?.keys.size, 3);
    }
  });

  it('writes no member that has nothing in it', () => {
    for (const delegations of [undefined, []]) {
      const payload = targetsPayload(TUF, { ...HEAD, files: [], delegations });
      assert.deepEqual(Object.keys(payload).toSorted(), [
        '_type',
        'expires',
        'spec_version',
        'targets',
        'version',
      ]);
    }
  });

  it('brings every text to NFC, at any depth {uptane B1}', () => {
    const { lengthBytes, hashes } = measure(utf8('x'));
    const custom = { 'a\u0308': ['o\u0308', { deep: 'u\u0308', n: 1, t: true, z: null }] };
    const payload = targetsPayload(AKTUALIZR, {
      ...HEAD,
      files: [{ name: 'A\u0308', lengthBytes, hashes, custom }],
      custom,
    });
    const expected = { '\u00e4': ['\u00f6', { deep: '\u00fc', n: 1, t: true, z: null }] };
    assert.deepEqual(payload['custom'], expected);
    const targets = payload['targets'] as JsonObject;
    assert.deepEqual(Object.keys(targets), ['\u00c4']);
    assert.deepEqual((targets['\u00c4'] as JsonObject)['custom'], expected);
  });

  it('refuses two names that are one in NFC', () => {
    const { lengthBytes, hashes } = measure(utf8('x'));
    const file = (name: string): TargetsDescription['files'][number] => ({
      name,
      lengthBytes,
      hashes,
      custom: {},
    });
    const write = (names: readonly string[], custom: JsonObject = {}): string | undefined =>
      codeOf(() => targetsPayload(TUF, { ...HEAD, files: names.map(file), custom }));
    assert.equal(write(['a', 'b', '__proto__']), undefined);
    assert.equal(write(['a', 'a']), 'MALFORMED');
    assert.equal(write(['\u00e4', 'a\u0308']), 'MALFORMED');
    assert.equal(write([], { '\u00e4': 1, 'a\u0308': 2 }), 'MALFORMED');
  });
});

describe('keyIdOf()', () => {
  it('covers algorithm, scheme and value together {uptane B2}', () => {
    for (const dialect of DIALECTS) {
      const ids = SIGNATURE_ALGORITHMS.flatMap((algorithm) =>
        ['a', 'b'].map((name) =>
          keyIdOf(dialect, algorithm, signerOf(name, algorithm).publicKeyDer),
        ),
      );
      assert.equal(new Set(ids).size, ids.length);
      for (const id of ids) assert.match(id, /^[0-9a-f]{64}$/);
    }
  });

  it('is the SHA-256 of the canonical key object', () => {
    for (const dialect of DIALECTS) {
      for (const algorithm of SIGNATURE_ALGORITHMS) {
        const { publicKeyDer } = signerOf('a', algorithm);
        const object = dialect.encodeKey(algorithm, publicKeyDer);
        const digest = createHash('sha256').update(encodeCanonical(object, dialect.canonicalForm));
        assert.equal(keyIdOf(dialect, algorithm, publicKeyDer), digest.digest('hex'));
      }
    }
  });
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value), onlyIntegers) as unknown);

/** Signed JSON holds integers only. */
function onlyIntegers(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.trunc(value % 1e15) : value;
}

describe('metadata', () => {
  for (const dialect of DIALECTS) {
    it(`comes back from its file as it was described, ${dialect.name}`, async () => {
      const signer = signerOf('signer');
      const keyId = keyIdOf(dialect, 'ed25519', signer.publicKeyDer);
      const keys = new Map([[keyId, publicKeyFromDer('ed25519', signer.publicKeyDer)]]);
      const roleKeys = { keyIds: new Set([keyId]), threshold: 1 };
      await fc.assert(
        fc.asyncProperty(
          fc.maxSafeNat().map((version) => Math.max(1, version)),
          fc.uniqueArray(fc.tuple(text, fc.maxSafeNat(), json), {
            selector: ([name]) => name.normalize('NFC'),
            maxLength: 6,
          }),
          async (version, images) => {
            const { hashes } = measure(utf8('x'));
            const files = images.map(([name, lengthBytes, note]) => ({
              name,
              lengthBytes,
              hashes,
              custom: { note: note as string },
            }));
            let payload: JsonObject;
            try {
              payload = targetsPayload(dialect, { version, expires: EXPIRY, files });
            } catch {
              return fc.pre(false);
            }
            const bytes = await signMetadata(dialect, payload, [signer]);
            const signed = decodeTargets(dialect, bytes, { role: TARGETS_ROLE, lengthMax: 1e6 });
            checkThreshold(signed, keys, roleKeys);
            assert.equal(signed.body.version, version);
            assert.equal(signed.body.files.size, files.length);
            for (const { name, lengthBytes, custom } of files) {
              const found = signed.body.files.get(parseTargetName(name.normalize('NFC')));
              assert.equal(found?.lengthBytes, lengthBytes);
              assert.deepEqual(found?.hashes, hashes);
              const form = dialect.canonicalForm;
              const normal = JSON.parse(JSON.stringify(custom).normalize('NFC')) as JsonObject;
              assert.deepEqual(
                encodeCanonical(found?.custom ?? {}, form),
                encodeCanonical(normal, form),
              );
            }
            return undefined;
          },
        ),
        { numRuns: 60 },
      );
    });

    it(`is what its hashes and lengths say, ${dialect.name}`, async () => {
      const team = teamOf('all', 'hybrid');
      const role = describeTeam(dialect, team);
      const roles = { root: role, timestamp: role, snapshot: role, targets: role };
      const root = anchorRoot(
        decodeRoot(
          dialect,
          await signMetadata(
            dialect,
            rootPayload(dialect, { ...HEAD, roles, consistentSnapshot: true }),
            team.signers,
          ),
          limits.ROOT_MAX_BYTES,
        ),
      );
      const targets = await signMetadata(
        dialect,
        targetsPayload(dialect, { ...HEAD, files: [] }),
        team.signers,
      );
      const files = new Map([[TARGETS_ROLE, { version: 3, bytes: targets }]]);
      const snapshot = await signMetadata(
        dialect,
        snapshotPayload(dialect, { ...HEAD, files }),
        team.signers,
      );
      const timestamp = await signMetadata(
        dialect,
        timestampPayload(dialect, { ...HEAD, snapshot: { version: 3, bytes: snapshot } }),
        team.signers,
      );
      const named = decodeTimestamp(dialect, timestamp, 1e6).body.snapshot;
      assert.equal(named.lengthBytes, snapshot.length);
      const info = decodeSnapshot(dialect, snapshot, 1e6).body.files.get(TARGETS_ROLE);
      const signed = decodeTargets(dialect, targets, { role: TARGETS_ROLE, lengthMax: 1e6 });
      assert.equal(
        named.hashes?.get('sha256'),
        createHash('sha256')
          .update(decodeSnapshot(dialect, snapshot, 1e6).digestInput())
          .digest('hex'),
      );
      const roleKeys = root.body.roles.get('targets');
      assert.ok(roleKeys && info);
      const context = {
        role: TARGETS_ROLE,
        keys: root.body.keys,
        roleKeys,
        info,
        current: undefined,
      };
      assert.equal(advanceTargets(context, signed).body.version, parseMetadataVersion(3));
    });
  }
});
