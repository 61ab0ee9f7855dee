/**
 * Deltas, made when a vehicle first asks for one and then kept: known by the base's hash, the image's name and,
 * for a bank that is rewritten in place, its page; stored as blobs, and removed when they take too much, the least recently used first.
 *
 * A delta is a way to carry bytes and nothing else. Targets metadata do not name it, and a vehicle trusts the
 * image that comes out of it by the hash that they sign; where there is no delta it takes the full image (ADR 84).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, parseBlobHash, sql } from '@immota/store';
import { type InstallableName, parseInstallableName } from '@immota/uptane';
import type { CloudContext } from '../context.ts';
import type { Catalogue, StoredImage } from '../image-repository/catalogue.ts';
import { findFile, type ServedFile } from '../image-repository/find-file.ts';
import { DELTA_PENDING_MAX, DELTA_STORE_BYTES, DELTA_USE_SECONDS } from '../limits.ts';
import { parseDeltaPath, type WantedDelta } from './delta-path.ts';
import { makeStoredDelta, type StoredPair } from './make-stored-delta.ts';

/** See the head of the file. */
export interface Deltas {
  /**
   * Finds a delta by its path.
   *
   * @param path - below `targets/`, percent-encoded, from outside.
   * @param mayMake - whether one that is not there shall be made for the next who ask.
   * @returns undefined when there is none, or none yet.
   */
  find(path: string, mayMake: boolean): Promise<ServedFile | undefined>;
  /** Fulfils when nothing is waiting and nothing is being made. */
  settled(): Promise<void>;
  /** Gives up what is being made. */
  close(): Promise<void>;
}

/** What deltas need. */
export interface DeltasParts {
  readonly context: Pick<CloudContext, 'database' | 'clock' | 'entropy'>;
  readonly catalogue: Catalogue;
  readonly blobs: BlobStore;
  /** The cloud's own; a folder below it holds the work. */
  readonly folder: string;
  /** What all deltas may take; the house's limit when left out. */
  readonly storeBytes?: number | undefined;
  readonly failed: (error: unknown) => void;
}

/** Makes the finder, which begins with nothing to do. */
export function createDeltas(parts: DeltasParts): Deltas {
  return new DeltaQueue(parts);
}

class DeltaQueue implements Deltas {
  readonly #parts: DeltasParts;
  readonly #folder: string;
  readonly #stop = new AbortController();
  /** By base and image: what waits or is being made. */
  readonly #pending = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  constructor(parts: DeltasParts) {
    this.#parts = parts;
    this.#folder = join(parts.folder, 'deltas');
    // What a crash has left: images in the clear must not lie about.
    this.#last = rm(this.#folder, { recursive: true, force: true }).catch(parts.failed);
  }

  async find(path: string, mayMake: boolean): Promise<ServedFile | undefined> {
    const wanted = parseDeltaPath(path);
    if (wanted === undefined) return undefined;
    const { catalogue } = this.#parts;
    const image = (await findFile(catalogue, wanted.path))?.image;
    if (image === undefined || image.sha256 === wanted.baseSha256) return undefined;
    const row = await this.#load(wanted, image.name);
    if (row === undefined) {
      if (mayMake) await this.#order(wanted, image);
      return undefined;
    }
    const { blob_sha256: blob, length_bytes: lengthBytes } = row;
    return blob === null ? undefined : { blob: parseBlobHash(blob), lengthBytes };
  }

  async settled(): Promise<void> {
    while (this.#pending.size > 0) await this.#last;
    await this.#last;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#last;
  }

  async #load(
    { baseSha256, pageBytes }: WantedDelta,
    name: InstallableName,
  ): Promise<{ blob_sha256: string | null; length_bytes: number } | undefined> {
    const { database, clock } = this.#parts.context;
    const row = await database.kysely
      .selectFrom('delta')
      .select(['blob_sha256', 'length_bytes', 'used_at'])
      .where('base_sha256', '=', baseSha256)
      .where('image_name', '=', name)
      .where('page_bytes', '=', pageBytes)
      .executeTakeFirst();
    const now = clock.now();
    if (row !== undefined && now.since(row.used_at).total('seconds') > DELTA_USE_SECONDS) {
      await database.kysely
        .updateTable('delta')
        .set({ used_at: now })
        .where('base_sha256', '=', baseSha256)
        .where('image_name', '=', name)
        .where('page_bytes', '=', pageBytes)
        .execute();
    }
    return row;
  }

  /** One after the other: what does not fit into the queue is asked for again by the next vehicle. */
  async #order({ baseSha256, pageBytes }: WantedDelta, image: StoredImage): Promise<void> {
    const key = `${baseSha256} ${pageBytes} ${image.name}`;
    if (this.#pending.has(key) || this.#pending.size >= DELTA_PENDING_MAX) return;
    this.#pending.add(key);
    const base = await this.#findBase(baseSha256, image);
    if (base === undefined || this.#stop.signal.aborted) {
      this.#pending.delete(key);
      return;
    }
    this.#last = this.#last.then(async () => {
      try {
        if (!this.#stop.signal.aborted) await this.#make({ base, image, pageBytes });
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#parts.failed(error);
      } finally {
        this.#pending.delete(key);
      }
    });
  }

  /**
   * The base is an image for some of the same hardware. One that is secret gives no delta to one that is not:
   * the differences would tell of it.
   */
  async #findBase(baseSha256: string, image: StoredImage): Promise<StoredImage | undefined> {
    const { context, catalogue } = this.#parts;
    const { rows } = await sql<{ name: string }>`select base.name from image as base
      join image on image.name = ${image.name} and base.hardware_ids && image.hardware_ids
      where base.sha256 = ${baseSha256}
      order by base.created_at limit 1`.execute(context.database.kysely);
    const [row] = rows;
    if (row === undefined) return undefined;
    const name = parseInstallableName(row.name);
    const base = (await catalogue.load(new Set([name]))).get(name);
    return base?.encrypted !== undefined && image.encrypted === undefined ? undefined : base;
  }

  async #make(pair: StoredPair): Promise<void> {
    const { base, image, pageBytes } = pair;
    const { context, blobs } = this.#parts;
    const { entropy, database, clock } = context;
    const making = { blobs, entropy, folder: this.#folder, signal: this.#stop.signal };
    const made = await makeStoredDelta(making, pair);
    const saved = await database.kysely
      .insertInto('delta')
      .values({
        base_sha256: base.sha256,
        image_name: image.name,
        page_bytes: pageBytes,
        blob_sha256: made?.blob ?? null,
        length_bytes: made?.lengthBytes ?? 0,
        used_at: clock.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('image_name')
      .executeTakeFirst();
    // Another process was faster.
    if (saved === undefined && made !== undefined) await this.#removeBlob(made.blob);
    await this.#makeRoom();
  }

  /** Removes what was not used for longest until the rest fits. */
  async #makeRoom(): Promise<void> {
    const { storeBytes = DELTA_STORE_BYTES, context } = this.#parts;
    const { rows } = await sql<{ blob_sha256: string }>`delete from delta
      using (
        select base_sha256, image_name, page_bytes,
          sum(length_bytes) over (order by used_at desc, base_sha256, image_name, page_bytes) as total
        from delta where blob_sha256 is not null
      ) as used
      where delta.base_sha256 = used.base_sha256 and delta.image_name = used.image_name
        and delta.page_bytes = used.page_bytes and used.total > ${storeBytes}
      returning delta.blob_sha256`.execute(context.database.kysely);
    for (const { blob_sha256: blob } of rows) await this.#removeBlob(blob);
  }

  /** Equal deltas, and an image that happens to have these bytes, keep the blob. */
  async #removeBlob(blob: string): Promise<void> {
    const { context, blobs } = this.#parts;
    const { rows } = await sql`select from delta where blob_sha256 = ${blob}
      union all select from image where sha256 = ${blob} or cipher_sha256 = ${blob}
      limit 1`.execute(context.database.kysely);
    if (rows.length === 0) await blobs.delete(parseBlobHash(blob));
  }
}
