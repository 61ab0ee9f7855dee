/** What the Director may choose from: images that offline keys have signed and that are stored here. */
import { sql } from '@immota/store';
import { type ContentKey, parseContentKey } from '@immota/image';
import {
  AKTUALIZR,
  type Hashes,
  type HardwareIdentifier,
  type InstallableName,
  type TargetFile,
} from '@immota/uptane';
import { CATALOGUE_CACHE_ENTRIES } from '../limits.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { Sealer } from '../seal.ts';
import { findSigned } from '../trust/search.ts';
import type { TrustStore } from '../trust/trust-store.ts';

/** The stored form of an image: in the clear, or encrypted. */
export interface StoredImage {
  readonly name: InstallableName;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly sha512: string;
  readonly encrypted:
    | {
        readonly lengthBytes: number;
        readonly hashes: Hashes;
        readonly contentKey: ContentKey;
      }
    | undefined;
}

/** Finds images. */
export interface Catalogue {
  /** Loads how images are stored. Names that are not stored are absent. */
  load(names: ReadonlySet<InstallableName>): Promise<ReadonlyMap<InstallableName, StoredImage>>;
  /** Finds what the Image repository signs of an image for some hardware; undefined when nothing. */
  findSigned(name: InstallableName, hardware: HardwareIdentifier): TargetFile | undefined;
}

interface ImageColumns {
  readonly name: InstallableName;
  readonly length_bytes: number;
  readonly sha256: string;
  readonly sha512: string;
  readonly cipher_length_bytes: number | null;
  readonly cipher_sha256: string | null;
  readonly cipher_sha512: string | null;
  readonly sealed_content_key: Uint8Array | null;
}

/**
 * Makes the catalogue. Images never change, so what was loaded stays.
 *
 * @param sealer - of content keys.
 */
export function createCatalogue(
  database: CloudDatabase,
  trust: TrustStore,
  sealer: Sealer,
): Catalogue {
  const known = new Map<InstallableName, StoredImage>();
  return {
    async load(names) {
      const missing = [...names].filter((name) => !known.has(name));
      if (missing.length > 0) {
        const { rows } = await sql<ImageColumns>`select name, length_bytes, sha256, sha512,
          cipher_length_bytes, cipher_sha256, cipher_sha512, sealed_content_key
          from image where name = any(${missing})`.execute(database.kysely);
        if (known.size + rows.length > CATALOGUE_CACHE_ENTRIES) known.clear();
        for (const row of rows) known.set(row.name, toImage(row, sealer));
      }
      return known;
    },
    findSigned(name, hardware) {
      const { targets } = trust.image('aktualizr');
      return findSigned(AKTUALIZR, targets, { name, hardwareIdentifiers: [hardware] })?.file;
    },
  };
}

function toImage(row: ImageColumns, sealer: Sealer): StoredImage {
  const { name, length_bytes: lengthBytes, sha256, sha512 } = row;
  const plain = { name, lengthBytes, sha256, sha512 };
  const {
    cipher_length_bytes: cipherLength,
    cipher_sha256: cipher256,
    cipher_sha512: cipher512,
  } = row;
  const { sealed_content_key: sealed } = row;
  if (sealed === null || cipherLength === null || cipher256 === null || cipher512 === null) {
    return { ...plain, encrypted: undefined };
  }
  const contentKey = parseContentKey(sealer.open(name, sealed));
  const hashes: Hashes = new Map([
    ['sha256', cipher256],
    ['sha512', cipher512],
  ]);
  return { ...plain, encrypted: { lengthBytes: cipherLength, hashes, contentKey } };
}
