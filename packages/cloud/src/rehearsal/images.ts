/** What the images of a release weigh, in full and as deltas, and what they demand of ECUs. */
import { sql } from '@immota/store';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { Release } from '../release/release-document.ts';

/** What a delta comes to where none was made yet: the third part, what real firmware comes to on average. */
const DELTA_PART = 1 / 3;

/** An image that is stored. */
interface KnownImage {
  readonly lengthBytes: number;
  readonly isEncrypted: boolean;
  readonly releaseCounter: number;
}

/** Bytes that are transferred. */
export interface Transfer {
  readonly full: number;
  readonly delta: number;
  /** Of `delta`, what no delta was made for yet. */
  readonly estimated: number;
}

/** See the head of the file. */
export class ImageFacts {
  readonly #images: ReadonlyMap<string, KnownImage>;
  readonly #deltas: ReadonlyMap<string, number | undefined>;
  readonly #counters: ReadonlyMap<string, number>;

  constructor(
    images: ReadonlyMap<string, KnownImage>,
    deltas: ReadonlyMap<string, number | undefined>,
    counters: ReadonlyMap<string, number>,
  ) {
    this.#images = images;
    this.#deltas = deltas;
    this.#counters = counters;
  }

  /** Weighs one image for an ECU that runs another. @param base - its SHA-256; empty for nothing. */
  transfer(name: string, base: string): Transfer {
    const image = this.#images.get(name);
    if (image === undefined) return { full: 0, delta: 0, estimated: 0 };
    const { lengthBytes: full } = image;
    const key = keyOf(base, name);
    if (this.#deltas.has(key)) return { full, delta: this.#deltas.get(key) ?? full, estimated: 0 };
    if (base === '') return { full, delta: full, estimated: 0 };
    const estimated = Math.ceil(full * DELTA_PART);
    return { full, delta: estimated, estimated };
  }

  isEncrypted(name: string): boolean {
    return this.#images.get(name)?.isEncrypted === true;
  }

  /** Whether an ECU that runs an image refuses another as older. */
  isOlder(name: string, running: string): boolean {
    const next = this.#images.get(name)?.releaseCounter;
    const floor = this.#counters.get(running);
    return next !== undefined && floor !== undefined && next < floor;
  }
}

function keyOf(base: string, name: string): string {
  return `${base}\n${name}`;
}

/** Loads what is known of a release's images, of what may run before them, and of deltas between. */
export async function loadImageFacts(
  reader: CloudDatabase['kysely'] | CloudTransaction,
  release: Release,
): Promise<ImageFacts> {
  const names = [...new Set(release.images.map(({ name }) => name as string))];
  const hardware = [...release.goal.keys()];
  const { rows: images } = await sql<{
    readonly name: string;
    readonly length_bytes: number;
    readonly is_encrypted: boolean;
    readonly release_counter: number;
    readonly is_own: boolean;
  }>`
    select name, coalesce(cipher_length_bytes, length_bytes) as length_bytes,
      cipher_sha256 is not null as is_encrypted, release_counter, name = any(${names}::text[]) as is_own
    from image where name = any(${names}::text[]) or hardware_ids && ${hardware}::text[]`.execute(
    reader,
  );
  const { rows: deltas } = await sql<{
    readonly base_sha256: string;
    readonly image_name: string;
    readonly length_bytes: number | null;
  }>`
    select base_sha256, image_name, case when blob_sha256 is not null then length_bytes end as length_bytes
    from delta where image_name = any(${names}::text[])`.execute(reader);
  const own = images.filter(({ is_own: isOwn }) => isOwn);
  return new ImageFacts(
    new Map(
      own.map((image) => [
        image.name,
        {
          lengthBytes: image.length_bytes,
          isEncrypted: image.is_encrypted,
          releaseCounter: image.release_counter,
        },
      ]),
    ),
    new Map(
      deltas.map((row) => [keyOf(row.base_sha256, row.image_name), row.length_bytes ?? undefined]),
    ),
    new Map(images.map((image) => [image.name, image.release_counter])),
  );
}
