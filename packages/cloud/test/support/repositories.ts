/** Repositories with all keys at hand, and images that are listed in them. */
import { createHash } from 'node:crypto';
import type { JsonObject, Signer } from '@immota/base';
import { AKTUALIZR, type Dialect, signMetadata, type TargetDescription, TUF } from '@immota/uptane';
import { eventLog } from '../../src/event-log/event-log.ts';
import type { CloudDatabase } from '../../src/schema/database.ts';
import { draftTargets, type TargetsChange } from '../../src/trust/initialise.ts';
import {
  type CloudRole,
  createKeystore,
  generateKeys,
  type SigningProfile,
} from '../../src/trust/keystore.ts';
import { LIFETIMES } from '../../src/trust/lifetimes.ts';
import type { OfferedFile, TrustContext } from '../../src/trust/publish.ts';
import { standingClock, type TestClock } from './ports.ts';

/** What a test publishes with. */
export interface TestTrust extends TrustContext {
  readonly clock: TestClock;
  readonly keys: ReadonlyMap<CloudRole, readonly Signer[]>;
}

/** Makes keys for every role. */
export function testTrust(database: CloudDatabase, profile: SigningProfile = 'classic'): TestTrust {
  const keys = generateKeys(profile);
  return {
    database,
    keys,
    keystore: createKeystore(keys),
    lifetimes: LIFETIMES,
    clock: standingClock(),
    events: eventLog,
  };
}

/** An image of a test. */
export interface TestImage {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter?: number;
}

/** Describes an image as Targets lists it. */
export function describeImage(image: TestImage): TargetDescription {
  const { name, bytes, hardwareIds, releaseCounter = 1 } = image;
  return {
    name,
    lengthBytes: bytes.length,
    hashes: new Map([
      ['sha256', createHash('sha256').update(bytes).digest('hex')],
      ['sha512', createHash('sha512').update(bytes).digest('hex')],
    ]),
    custom: {
      hardwareIds,
      version: String(releaseCounter),
      targetFormat: 'BINARY',
      mustMatch: { releaseCounter, hardwareIds },
    },
  };
}

/** Puts an image's row there as an upload would. */
export async function insertImage(
  database: CloudDatabase,
  image: TestImage,
  role = 'targets',
): Promise<void> {
  const { name, lengthBytes, hashes } = describeImage(image);
  await database.kysely
    .insertInto('image')
    .values({
      name,
      role,
      length_bytes: lengthBytes,
      sha256: hashes.get('sha256') ?? '',
      sha512: hashes.get('sha512') ?? '',
      hardware_ids: image.hardwareIds,
      version: '1',
      release_counter: image.releaseCounter ?? 1,
      cipher_length_bytes: null,
      cipher_sha256: null,
      cipher_sha512: null,
      sealed_content_key: null,
      uploaded_by: 'test',
    })
    .execute();
}

/** Finds the newest file of an Image role as it is published. */
async function loadPublished(
  { database }: Pick<TrustContext, 'database'>,
  dialect: Dialect,
  role: string,
): Promise<Uint8Array | undefined> {
  const row = await database.kysely
    .selectFrom('metadata_file')
    .select('bytes')
    .where('repository', '=', 'image')
    .where('dialect', '=', dialect.name)
    .where('role', '=', role)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.bytes;
}

/** Signs the next version of an Image role in both dialects. */
export async function signTargets(
  trust: TestTrust,
  role: string,
  change: Omit<TargetsChange, 'current' | 'delegations'> & {
    readonly signers?: readonly Signer[];
    readonly delegations?: (dialect: Dialect) => TargetsChange['delegations'];
    /** Changes the payload before it is signed. */
    readonly spoil?: (payload: JsonObject, dialect: Dialect) => JsonObject;
  },
): Promise<readonly OfferedFile[]> {
  const { signers = trust.keys.get('image-targets') ?? [], spoil = (payload) => payload } = change;
  return await Promise.all(
    [AKTUALIZR, TUF].map(async (dialect) => {
      const current = await loadPublished(trust, dialect, role);
      const delegations = change.delegations?.(dialect);
      const payload = draftTargets(trust, dialect, { ...change, current, delegations });
      const bytes = await signMetadata(dialect, spoil(payload, dialect), signers);
      return { repository: 'image', dialect: dialect.name, role, bytes } as const;
    }),
  );
}
