/** Length and hashes of bytes that pass by: what Uptane metadata says about an image. */
import { createHash } from 'node:crypto';

/** What a stream of bytes was. Hashes are lower-case hexadecimal. */
export interface ImageDigest {
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly sha512?: string;
}

/** Which hashes to compute beside SHA-256. */
export interface HashOptions {
  /** SHA-512 costs twice as much as SHA-256; leave it off where the metadata has none. */
  readonly sha512: boolean;
}

/** Sees bytes pass and tells at the end what they were. */
export interface HashTap {
  /** Takes the next bytes; it keeps none. */
  update(bytes: Uint8Array): void;
  /** Ends it and returns the same digest however often it is asked. Bytes may not follow. */
  digest(): ImageDigest;
}

/**
 * Begins to hash.
 *
 * @param options - which hashes; SHA-256 is always computed.
 */
export function createHashTap(options: HashOptions): HashTap {
  const sha256 = createHash('sha256');
  const sha512 = options.sha512 ? createHash('sha512') : undefined;
  let lengthBytes = 0;
  let digest: ImageDigest | undefined;
  return {
    update(bytes): void {
      lengthBytes += bytes.length;
      sha256.update(bytes);
      sha512?.update(bytes);
    },
    digest(): ImageDigest {
      digest ??= {
        lengthBytes,
        sha256: sha256.digest('hex'),
        ...(sha512 === undefined ? {} : { sha512: sha512.digest('hex') }),
      };
      return digest;
    },
  };
}

/**
 * Passes a stream on unchanged while a tap looks.
 *
 * @param source - the bytes.
 * @param tap - sees each part before the consumer does.
 * @yields the same bytes.
 */
export async function* tapHashes(
  source: AsyncIterable<Uint8Array>,
  tap: HashTap,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of source) {
    tap.update(bytes);
    yield bytes;
  }
}
