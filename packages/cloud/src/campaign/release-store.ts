/** Releases as they are kept: signed documents, checked once when they come. */
import { randomUUID } from 'node:crypto';
import { type Clock, findFaultCode } from '@immota/base';
import { StoreFault } from '@immota/store';
import {
  AKTUALIZR,
  checkThreshold,
  decodeEnvelope,
  type KeyId,
  type PublicKey,
  type RoleKeys,
} from '@immota/uptane';
import { committed } from '../context.ts';
import { sha256Hex } from '../approval/sha256.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { FIRST_TENANT } from '../inventory/fleet-scope.ts';
import {
  parseRelease,
  readStoredRelease,
  type Release,
  RELEASE_MAX_BYTES,
} from '../release/release-document.ts';
import { registerRxswins } from '../release/rxswin-register.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type ImageHashes, type ImageLengths, ReleasePlanner } from './vehicle-plan.ts';

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
   * Takes a signed release. The same document again is the same release: an answer may have been lost.
   *
   * @param document - as its signers made it.
   * @param createdBy - who brings it.
   * @param tenant - whose it is; the first one's when left out.
   * @throws UptaneFault SIGNATURE_THRESHOLD when too few release keys signed it, MALFORMED, LIMIT.
   * @throws CloudFault RELEASE_MALFORMED, also when it puts an image on hardware that the image is not for;
   * IMAGE_UNKNOWN when it names an image that is not stored. Each refusal is on record.
   */
  async create(
    document: Uint8Array,
    createdBy: string,
    tenant: string = FIRST_TENANT,
  ): Promise<StoredRelease> {
    try {
      return await this.#take(document, createdBy, tenant);
    } catch (error) {
      await this.#recordRefusal(error, createdBy, tenant);
      throw error;
    }
  }

  async #take(document: Uint8Array, createdBy: string, tenant: string): Promise<StoredRelease> {
    const { database, authority, events, clock } = this.#options;
    const envelope = decodeEnvelope(AKTUALIZR, document, RELEASE_MAX_BYTES);
    const { keys, role } = authority();
    checkThreshold(envelope, keys, role);
    const release = parseRelease(envelope.signed);
    await this.#loadImages(release, tenant);
    const { name, version } = release;
    const releaseId = await committed(database, async (tx) => {
      const known = await tx
        .selectFrom('release')
        .select('release_id')
        .where('document', '=', document)
        .where('tenant', '=', tenant)
        .executeTakeFirst();
      if (known !== undefined) return known.release_id;
      const fresh = randomUUID();
      await tx
        .insertInto('release')
        .values({
          release_id: fresh,
          name,
          version,
          document,
          body: envelope.signed,
          created_by: createdBy,
          tenant,
        })
        .execute();
      const at = clock.now();
      const sha256 = sha256Hex(document);
      const body = { releaseId: fresh, name, version, sha256, by: createdBy };
      const stream = fleetStream(tenant);
      await events.append(tx, [{ stream, kind: 'release.created', at, body }]);
      // {R156 7.1.1.3}: the register knows what stands behind an RXSWIN before any vehicle gets it.
      await registerRxswins({ tx, events, at }, { releaseId: fresh, tenant });
      return fresh;
    });
    return { releaseId, release };
  }

  async #recordRefusal(error: unknown, by: string, tenant: string): Promise<void> {
    const code = findFaultCode(error);
    if (code === undefined || error instanceof StoreFault) return;
    const { database, events, clock } = this.#options;
    const event = {
      stream: fleetStream(tenant),
      kind: 'release.refused',
      at: clock.now(),
      body: { code, by },
    } as const;
    await committed(database, (tx) => events.append(tx, [event]));
  }

  /** Finds a release. @throws CloudFault NOT_FOUND. */
  async load(releaseId: string): Promise<Release> {
    const row = await this.#options.database.kysely
      .selectFrom('release')
      .select('document')
      .where('release_id', '=', releaseId)
      .executeTakeFirst();
    if (row === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find release "${releaseId}"`);
    }
    return readStoredRelease(row.document);
  }

  /** The planner of a release, kept between vehicles. @throws CloudFault NOT_FOUND. */
  async planner(releaseId: string): Promise<ReleasePlanner> {
    const known = this.#planners.get(releaseId);
    if (known !== undefined) return known;
    const release = await this.load(releaseId);
    const { hashes, lengths } = await this.#loadImages(release);
    const planner = new ReleasePlanner(release, hashes, lengths);
    if (this.#planners.size >= PLANNERS_KEPT_MAX) this.#planners.clear();
    this.#planners.set(releaseId, planner);
    return planner;
  }

  /** @param tenant - whose images they must be; anybody's when left out. */
  async #loadImages(
    { images }: Release,
    tenant?: string,
  ): Promise<{ readonly hashes: ImageHashes; readonly lengths: ImageLengths }> {
    const names = [...new Set(images.map(({ name }) => name))];
    let select = this.#options.database.kysely
      .selectFrom('image')
      .select(['name', 'sha256', 'hardware_ids', 'length_bytes', 'cipher_length_bytes'])
      .where('name', 'in', names);
    if (tenant !== undefined) select = select.where('tenant', '=', tenant);
    const rows = await select.execute();
    const stored = new Map<string, (typeof rows)[number]>(rows.map((row) => [row.name, row]));
    for (const { name, hardwareIdentifier } of images) {
      const image = stored.get(name);
      if (image === undefined) {
        throw new CloudFault('IMAGE_UNKNOWN', `Cannot take release: image "${name}" is not stored`);
      }
      if (!image.hardware_ids.includes(hardwareIdentifier)) {
        throw new CloudFault(
          'RELEASE_MALFORMED',
          `Cannot take release: image "${name}" is not for "${hardwareIdentifier}"`,
        );
      }
    }
    return {
      hashes: new Map(rows.map(({ name, sha256 }) => [name, sha256])),
      lengths: new Map(
        rows.map((row) => [row.name, row.cipher_length_bytes ?? row.length_bytes] as const),
      ),
    };
  }
}
