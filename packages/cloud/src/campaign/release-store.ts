/** Releases as they are kept: signed documents, checked once when they come. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '@immota/base';
import {
  AKTUALIZR,
  checkThreshold,
  decodeEnvelope,
  type KeyId,
  type PublicKey,
  type RoleKeys,
} from '@immota/uptane';
import type { EventSink } from '../event-log/event-sink.ts';
import { FLEET_STREAM } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { parseRelease, type Release, RELEASE_MAX_BYTES } from '../release/release-document.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type ImageHashes, ReleasePlanner } from './vehicle-plan.ts';

/** Whose signatures make a release. */
export interface ReleaseAuthority {
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly role: RoleKeys;
}

/** A release that is stored. */
export interface StoredRelease {
  readonly releaseId: string;
  readonly release: Release;
}

/** What the release store works with. */
export interface ReleaseStoreOptions {
  readonly database: CloudDatabase;
  /** Asked each time: the keys are rotated while the store is in use. */
  readonly authority: () => ReleaseAuthority;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** Releases kept in memory: those of running campaigns are asked for at every check-in. */
const PLANNERS_KEPT_MAX = 64;

/** Takes, keeps and finds releases. */
export class ReleaseStore {
  readonly #options: ReleaseStoreOptions;
  readonly #planners = new Map<string, ReleasePlanner>();

  constructor(options: ReleaseStoreOptions) {
    this.#options = options;
  }

  /**
   * Takes a signed release.
   *
   * @param document - as its signers made it.
   * @param createdBy - who brings it.
   * @throws UptaneFault SIGNATURE_THRESHOLD when too few release keys signed it, MALFORMED.
   * @throws CloudFault RELEASE_MALFORMED; IMAGE_UNKNOWN when it names an image that is not stored.
   */
  async create(document: Uint8Array, createdBy: string): Promise<StoredRelease> {
    const { database, authority, events, clock } = this.#options;
    const envelope = decodeEnvelope(AKTUALIZR, document, RELEASE_MAX_BYTES);
    const { keys, role } = authority();
    checkThreshold(envelope, keys, role);
    const release = parseRelease(envelope.signed);
    await this.#loadHashes(release);
    const releaseId = randomUUID();
    const { name, version } = release;
    await database.kysely.transaction().execute(async (tx) => {
      await tx
        .insertInto('release')
        .values({
          release_id: releaseId,
          name,
          version,
          document,
          body: envelope.signed,
          created_by: createdBy,
        })
        .execute();
      const body = { releaseId, name, version, by: createdBy };
      await events.append(tx, [
        { stream: FLEET_STREAM, kind: 'release.created', at: clock.now(), body },
      ]);
    });
    return { releaseId, release };
  }

  /** Finds a release. @throws CloudFault NOT_FOUND. */
  async load(releaseId: string): Promise<Release> {
    const row = await this.#options.database.kysely
      .selectFrom('release')
      .select('body')
      .where('release_id', '=', releaseId)
      .executeTakeFirst();
    if (row === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find release "${releaseId}"`);
    }
    return parseRelease(row.body);
  }

  /** The planner of a release, kept between vehicles. @throws CloudFault NOT_FOUND. */
  async planner(releaseId: string): Promise<ReleasePlanner> {
    const known = this.#planners.get(releaseId);
    if (known !== undefined) return known;
    const release = await this.load(releaseId);
    const planner = new ReleasePlanner(release, await this.#loadHashes(release));
    if (this.#planners.size >= PLANNERS_KEPT_MAX) this.#planners.clear();
    this.#planners.set(releaseId, planner);
    return planner;
  }

  async #loadHashes(release: Release): Promise<ImageHashes> {
    const names = release.images.map(({ name }) => name);
    const rows = await this.#options.database.kysely
      .selectFrom('image')
      .select(['name', 'sha256'])
      .where('name', 'in', names)
      .execute();
    const hashes = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
    for (const name of names) {
      if (!hashes.has(name)) {
        throw new CloudFault('IMAGE_UNKNOWN', `Cannot take release: image "${name}" is not stored`);
      }
    }
    return hashes;
  }
}
