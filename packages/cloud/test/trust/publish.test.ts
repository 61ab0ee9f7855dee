import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import {
  AKTUALIZR,
  type DelegationDescription,
  type Dialect,
  keyIdOf,
  parseDelegatedRoleName,
  parseHardwareIdentifier,
  parseTargetName,
  rootPayload,
  signMetadata,
  TUF,
} from '@immota/uptane';
import type { Signer } from '@immota/base';
import { type CloudSchema, FLEET_STREAM, MIGRATIONS } from '../../src/index.ts';
import { verifyStream } from '../../src/event-log/verify-stream.ts';
import { initialiseRepositories } from '../../src/trust/initialise.ts';
import { describeRole, generateKeys, createKeystore } from '../../src/trust/keystore.ts';
import { expiryOf } from '../../src/trust/lifetimes.ts';
import { type OfferedFile, publishMetadata } from '../../src/trust/publish.ts';
import { refreshRepositories } from '../../src/trust/refresh.ts';
import { consultedRoles, findSigned, isCovered } from '../../src/trust/search.ts';
import { openTrustStore } from '../../src/trust/trust-store.ts';
import {
  describeImage,
  insertImage,
  signTargets,
  type TestImage,
  type TestTrust,
  testTrust,
} from '../support/repositories.ts';

let test: TestDatabase<CloudSchema>;
let trust: TestTrust;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
});
after(() => test.drop());
beforeEach(async () => {
  const { kysely } = test.database;
  for (const table of ['metadata_file', 'image', 'event'] as const) {
    await kysely.deleteFrom(table).execute();
  }
  trust = testTrust(test.database);
  await initialiseRepositories(trust);
});

function unexpected(error: unknown): void {
  assert.ifError(error);
}

const firmware: TestImage = {
  name: 'tbox/fw-2.bin',
  bytes: Buffer.from('firmware 2'),
  hardwareIds: ['tbox-hw'],
};
const brake: TestImage = {
  name: 'sup1/brake/fw-3.bin',
  bytes: Buffer.from('brake 3'),
  hardwareIds: ['brake-hw'],
};
const supplier = generateSigner('ed25519');
const SUPPLIER = parseDelegatedRoleName('supplier1');

function delegateTo(
  signer: Signer,
  paths: readonly string[],
  options: Partial<DelegationDescription> = {},
): (dialect: Dialect) => readonly DelegationDescription[] {
  return (dialect) => {
    const { algorithm, publicKeyDer } = signer;
    const keyId = keyIdOf(dialect, algorithm, publicKeyDer);
    const keys = [{ keyId, algorithm, publicKeyDer }];
    return [{ name: SUPPLIER, keys, threshold: 1, paths, terminating: false, ...options }];
  };
}

async function versionsOf(dialect: Dialect): Promise<Readonly<Record<string, number>>> {
  const store = await openTrustStore(trust, unexpected);
  const { root, timestamp, snapshot, targets } = store.image(dialect.name);
  await store.close();
  return {
    root: root.body.version,
    timestamp: timestamp?.body.version ?? 0,
    snapshot: snapshot?.body.version ?? 0,
    ...Object.fromEntries([...targets].map(([role, file]) => [role, file.body.version])),
  };
}

describe('initialiseRepositories()', () => {
  it('publishes Roots, empty Targets, Snapshot and Timestamp {uptane A5} {uptane C4}', async () => {
    const first = { root: 1, timestamp: 1, snapshot: 1, targets: 1 };
    assert.deepEqual(await versionsOf(AKTUALIZR), first);
    assert.deepEqual(await versionsOf(TUF), first);
  });

  it('refuses to begin anew', async () => {
    await assert.rejects(initialiseRepositories(trust), { code: 'REPOSITORY_STATE' });
  });

  it('needs every key', async () => {
    await test.database.kysely.deleteFrom('metadata_file').execute();
    const keystore = createKeystore(new Map([...trust.keys].slice(0, 3)));
    await assert.rejects(initialiseRepositories({ ...trust, keystore }), { code: 'KEY_MISSING' });
  });

  it('signs with both keys of the hybrid profile', async () => {
    await test.database.kysely.deleteFrom('metadata_file').execute();
    trust = testTrust(test.database, 'hybrid');
    await initialiseRepositories(trust);
    const store = await openTrustStore(trust, unexpected);
    assert.equal(store.image('tuf').root.body.roles.get('targets')?.threshold, 2);
    await store.close();
  });
});

describe('publishMetadata()', () => {
  it('takes the next Targets in both dialects and makes Snapshot and Timestamp {uptane B13} {uptane B14}', async () => {
    await insertImage(test.database, firmware);
    await publishMetadata(
      trust,
      await signTargets(trust, 'targets', { add: [describeImage(firmware)] }),
    );
    const next = { root: 1, timestamp: 2, snapshot: 2, targets: 2 };
    assert.deepEqual(await versionsOf(AKTUALIZR), next);
    assert.deepEqual(await versionsOf(TUF), next);
    const { sequence } = await verifyStream(test.database, FLEET_STREAM);
    assert.ok(sequence > 0);
  });

  const refusals: Readonly<
    Record<string, readonly [code: string, offer: () => Promise<readonly OfferedFile[]>]>
  > = {
    'an image that was not uploaded': [
      'METADATA_REFUSED',
      () => signTargets(trust, 'targets', { add: [describeImage(firmware)] }),
    ],
    'an image with other bytes than were uploaded': [
      'METADATA_REFUSED',
      async () => {
        await insertImage(test.database, firmware);
        const other = { ...firmware, bytes: Buffer.from('another') };
        return await signTargets(trust, 'targets', { add: [describeImage(other)] });
      },
    ],
    'one dialect alone': [
      'METADATA_REFUSED',
      async () => (await signTargets(trust, 'targets', {})).slice(0, 1),
    ],
    'two stories in two dialects': [
      'METADATA_REFUSED',
      async () => {
        await insertImage(test.database, firmware);
        const add = [describeImage(firmware)];
        const [first] = await signTargets(trust, 'targets', { add });
        const [, second] = await signTargets(trust, 'targets', {});
        return [first, second].filter((file) => file !== undefined);
      },
    ],
    'a version that was there {uptane L10}': [
      'METADATA_REFUSED',
      () => signTargets(trust, 'targets', { spoil: (payload) => ({ ...payload, version: 1 }) }),
    ],
    'a version that skips one': [
      'METADATA_REFUSED',
      () => signTargets(trust, 'targets', { spoil: (payload) => ({ ...payload, version: 3 }) }),
    ],
    'the key of another role {uptane D2}': [
      'SIGNATURE_THRESHOLD',
      () => signTargets(trust, 'targets', { signers: trust.keys.get('image-snapshot') ?? [] }),
    ],
    'metadata that has run out': [
      'EXPIRED',
      () =>
        signTargets(trust, 'targets', {
          spoil: (payload) => ({ ...payload, expires: '2026-11-22T09:59:59Z' }),
        }),
    ],
    'a role that nobody delegates to': [
      'METADATA_REFUSED',
      () => signTargets(trust, 'supplier1', { signers: [supplier] }),
    ],
    'a delegation to a role without a file {uptane L11}': [
      'METADATA_REFUSED',
      () => signTargets(trust, 'targets', { delegations: delegateTo(supplier, ['sup1/*']) }),
    ],
    'what is no metadata': [
      'MALFORMED',
      async () => [
        { repository: 'image', dialect: 'tuf', role: 'targets', bytes: Buffer.from('{') },
      ],
    ],
    'the Director in a dialect that is not served': [
      'METADATA_REFUSED',
      async () => [
        {
          repository: 'director',
          dialect: 'tuf',
          role: 'root',
          bytes: await nextRoot(TUF, trust.keys.get('director-root') ?? []),
        },
      ],
    ],
  };
  for (const [what, [code, offer]] of Object.entries(refusals)) {
    it(`refuses ${what}, changes nothing, and puts it on record`, async () => {
      const offered = await offer();
      const untouched = await versionsOf(AKTUALIZR);
      await assert.rejects(publishMetadata(trust, offered), { code });
      assert.deepEqual(await versionsOf(AKTUALIZR), untouched);
      const refused = await test.database.kysely
        .selectFrom('event')
        .select('body')
        .where('kind', '=', 'metadata.refused')
        .execute();
      assert.deepEqual(
        refused.map(({ body }) => body['code']),
        [code],
      );
    });
  }

  it('publishes a supplier with its delegation, and finds its image {uptane C10}', async () => {
    await insertImage(test.database, brake, 'supplier1');
    const top = await signTargets(trust, 'targets', {
      delegations: delegateTo(supplier, ['sup1/brake/*'], { hardwareIdentifiers: ['brake-hw'] }),
    });
    const own = await signTargets(trust, 'supplier1', {
      signers: [supplier],
      add: [describeImage(brake)],
    });
    await publishMetadata(trust, [...own, ...top]);
    const store = await openTrustStore(trust, unexpected);
    for (const dialect of [AKTUALIZR, TUF]) {
      const { targets } = store.image(dialect.name);
      const name = parseTargetName(brake.name);
      const query = { name, hardwareIdentifiers: [parseHardwareIdentifier('brake-hw')] };
      assert.equal(findSigned(dialect, targets, query)?.role, 'supplier1');
      assert.ok(isCovered(dialect, targets, { role: SUPPLIER, query }));
      const elsewhere = { ...query, name: parseTargetName('sup2/fw.bin') };
      assert.ok(!isCovered(dialect, targets, { role: SUPPLIER, query: elsewhere }));
      const otherHardware = { name, hardwareIdentifiers: [parseHardwareIdentifier('tbox-hw')] };
      assert.ok(!isCovered(dialect, targets, { role: SUPPLIER, query: otherHardware }));
      assert.deepEqual([...consultedRoles(dialect, targets, query)], ['targets', 'supplier1']);
    }
    await store.close();
  });

  it('takes a new Root that the old keys and its own vouch for {uptane L6}', async () => {
    const keys = generateKeys('classic');
    const signers = [...(trust.keys.get('image-root') ?? []), ...(keys.get('image-root') ?? [])];
    const offered = await Promise.all(
      [AKTUALIZR, TUF].map(async (dialect) => ({
        repository: 'image' as const,
        dialect: dialect.name,
        role: 'root',
        bytes: await nextRoot(dialect, signers, keys.get('image-root')),
      })),
    );
    await publishMetadata(trust, offered);
    assert.deepEqual(await versionsOf(TUF), { root: 2, timestamp: 2, snapshot: 2, targets: 1 });
  });

  it('refuses a new Root that the old keys do not vouch for {uptane L6}', async () => {
    const keys = generateKeys('classic');
    const offered = await Promise.all(
      [AKTUALIZR, TUF].map(async (dialect) => ({
        repository: 'image' as const,
        dialect: dialect.name,
        role: 'root',
        bytes: await nextRoot(dialect, keys.get('image-root') ?? [], keys.get('image-root')),
      })),
    );
    await assert.rejects(publishMetadata(trust, offered), { code: 'SIGNATURE_THRESHOLD' });
  });
});

/** The second Root of the Image repository, with other root keys when given. */
async function nextRoot(
  dialect: Dialect,
  signers: readonly Signer[],
  rootKeys: readonly Signer[] = trust.keys.get('image-root') ?? [],
): Promise<Uint8Array> {
  const { keystore, clock, lifetimes } = trust;
  const rootOnly = createKeystore(new Map([['image-root', rootKeys]]));
  const payload = rootPayload(dialect, {
    version: 2,
    expires: expiryOf(clock.now(), lifetimes.rootHours),
    consistentSnapshot: true,
    roles: {
      root: describeRole(dialect, rootOnly, 'image-root'),
      targets: describeRole(dialect, keystore, 'image-targets'),
      snapshot: describeRole(dialect, keystore, 'image-snapshot'),
      timestamp: describeRole(dialect, keystore, 'image-timestamp'),
    },
  });
  return await signMetadata(dialect, payload, signers);
}

describe('refreshRepositories()', () => {
  it('leaves alone what is good for long', async () => {
    assert.equal(await refreshRepositories(trust), false);
  });

  it('signs Timestamp, and then Snapshot, anew before they run out', async () => {
    trust.clock.advance({ hours: 25 });
    assert.equal(await refreshRepositories(trust), true);
    assert.deepEqual(await versionsOf(TUF), { root: 1, timestamp: 2, snapshot: 1, targets: 1 });
    trust.clock.advance({ hours: 24 * 4 });
    assert.equal(await refreshRepositories(trust), true);
    assert.deepEqual(await versionsOf(AKTUALIZR), {
      root: 1,
      timestamp: 3,
      snapshot: 2,
      targets: 1,
    });
    assert.equal(await refreshRepositories(trust), false);
  });

  it('announces once that offline files end soon', async () => {
    trust.clock.advance({ hours: 24 * 170 });
    await refreshRepositories(trust);
    await refreshRepositories(trust);
    const expiring = await test.database.kysely
      .selectFrom('event')
      .select('body')
      .where('kind', '=', 'metadata.expiring')
      .execute();
    assert.deepEqual(
      new Set(expiring.map(({ body }) => JSON.stringify([body['dialect'], body['role']]))),
      new Set(['["aktualizr","targets"]', '["tuf","targets"]']),
    );
    assert.equal(expiring.length, 2);
  });

  it('refuses to sign with keys that the Root does not name', async () => {
    const keystore = createKeystore(generateKeys('classic'));
    trust.clock.advance({ hours: 25 });
    await assert.rejects(refreshRepositories({ ...trust, keystore }), {
      code: 'SIGNATURE_THRESHOLD',
    });
  });
});
