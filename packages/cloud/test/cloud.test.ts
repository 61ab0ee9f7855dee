import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { AKTUALIZR, type Dialect, rootPayload, signMetadata, TUF } from '@immota/uptane';
import {
  type Cloud,
  type CloudSchema,
  createKeystore,
  describeRole,
  draftTargets,
  expiryOf,
  generateKeys,
  initialiseCloud,
  type InitialiseOptions,
  LIFETIMES,
  type OfferedFile,
  openCloud,
  startCloud,
} from '../src/index.ts';
import { signersOf } from '../src/trust/keystore.ts';
import { standingClock } from './support/ports.ts';

let test: TestDatabase<CloudSchema>;
let folder: string;
let options: InitialiseOptions;
before(async () => {
  test = await openTestDatabase<CloudSchema>();
  folder = await mkdtemp(join(tmpdir(), 'immota-cloud-'));
  options = {
    folder: join(folder, 'data'),
    databaseUrl: test.url,
    clock: standingClock(Temporal.Now.instant().toString()),
    entropy: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    organization: 'Test Motors',
    profile: 'hybrid',
    withOfflineKeys: false,
  };
});
after(async () => {
  await test.drop();
  await rm(folder, { recursive: true });
});

describe('a cloud whose offline keys are elsewhere', () => {
  /** What the people of the ceremony hold. */
  const offline = generateKeys('hybrid', ['director-root', 'image-root', 'image-targets']);

  it('does not open before it is made', async () => {
    await assert.rejects(openCloud(options), { code: 'DATA_FOLDER' });
  });

  it('is made once, with files that only its owner reads', async () => {
    await initialiseCloud(options);
    await assert.rejects(initialiseCloud(options), { code: 'DATA_FOLDER' });
    const names = await readdir(join(options.folder, 'keys'));
    assert.ok(names.includes('deployment.secret'));
    assert.ok(!names.some((name) => /^(?:(?:director|image)-root|image-targets)/.test(name)));
    for (const name of names) {
      const { mode } = await stat(join(options.folder, 'keys', name));
      assert.equal(mode & 0o077, 0, name);
    }
  });

  it('serves nothing before its first Roots are there', async () => {
    await assert.rejects(startCloud(options), { code: 'REPOSITORY_STATE' });
  });

  it('takes what the ceremony signed, and serves', async () => {
    const cloud = await openCloud(options);
    await cloud.publish(await ceremony(cloud));
    await cloud.close();
    const running = await startCloud(options);
    assert.equal(running.cloud.store.image('tuf').targets.get('targets' as never)?.body.version, 1);
    await running.close();
  });

  async function ceremony(cloud: Cloud): Promise<readonly OfferedFile[]> {
    const { keystore, trust } = cloud;
    const all = createKeystore(
      new Map([
        ...offline,
        ...(['director', 'image'] as const).flatMap((repository) =>
          (['targets', 'snapshot', 'timestamp', 'time'] as const).flatMap((role) => {
            const name = `${repository}-${role}` as const;
            if (name === 'image-time' || name === 'image-targets') return [];
            return [[name, keystore.signers(name)] as const];
          }),
        ),
      ]),
    );
    const root = async (
      repository: 'director' | 'image',
      dialect: Dialect,
    ): Promise<OfferedFile> => {
      const payload = rootPayload(dialect, {
        version: 1,
        expires: expiryOf(trust.clock.now(), LIFETIMES.rootHours),
        consistentSnapshot: true,
        roles: {
          root: describeRole(dialect, all, `${repository}-root`),
          targets: describeRole(dialect, all, `${repository}-targets`),
          snapshot: describeRole(dialect, all, `${repository}-snapshot`),
          timestamp: describeRole(dialect, all, `${repository}-timestamp`),
        },
        time: repository === 'director' ? describeRole(dialect, all, 'director-time') : undefined,
      });
      const bytes = await signMetadata(dialect, payload, signersOf(all, `${repository}-root`));
      return { repository, dialect: dialect.name, role: 'root', bytes };
    };
    const targets = async (dialect: Dialect): Promise<OfferedFile> => {
      const payload = draftTargets(trust, dialect, { current: undefined });
      const bytes = await signMetadata(dialect, payload, signersOf(all, 'image-targets'));
      return { repository: 'image', dialect: dialect.name, role: 'targets', bytes };
    };
    return await Promise.all([
      root('director', AKTUALIZR),
      root('image', AKTUALIZR),
      root('image', TUF),
      targets(AKTUALIZR),
      targets(TUF),
    ]);
  }
});
