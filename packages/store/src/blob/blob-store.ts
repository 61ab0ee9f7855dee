/** The port behind which blobs are kept: in a folder, or in an object store such as S3. */
import type { Readable } from 'node:stream';
import type { Brand } from '@immota/base';
import { StoreFault } from '../fault.ts';

/** Holding a BlobHash tells you: it is a SHA-256 in 64 lower-case hexadecimal digits, so a safe file name. */
export type BlobHash = Brand<string, 'BlobHash'>;

/** Holding an UploadId tells you: it is 32 lower-case hexadecimal digits, so a safe file name. */
export type UploadId = Brand<string, 'UploadId'>;

/** A part of a blob: from `startBytes` up to, and not with, `endBytes`. */
export interface BlobRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** An open blob. */
export interface BlobBody {
  /** Of the whole blob. */
  readonly lengthBytes: number;
  /** The bytes of the range. Read it to the end or destroy it. */
  readonly body: Readable;
}

/**
 * Keeps byte strings under their SHA-256. What is stored under a hash has that hash and never changes.
 *
 * All methods throw StoreFault BLOB_STORAGE when the storage beneath fails.
 */
export interface BlobStore {
  /**
   * Stores a stream whose hash is known. Storing what is there again is fine.
   *
   * @param hash - what the bytes must have.
   * @param source - read once; its own errors come out unchanged, and nothing is kept.
   * @param lengthMaxBytes - how long it may be.
   * @returns its length, once it is durable.
   * @throws StoreFault BLOB_MISMATCH, BLOB_TOO_LONG; then nothing is kept.
   */
  put(hash: BlobHash, source: AsyncIterable<Uint8Array>, lengthMaxBytes: number): Promise<number>;
  /**
   * Opens a blob, or a part of it.
   *
   * @throws StoreFault BLOB_MISSING, BLOB_RANGE.
   */
  get(hash: BlobHash, range?: BlobRange): Promise<BlobBody>;
  /** Finds a blob's length in bytes, or undefined when it is not stored. */
  size(hash: BlobHash): Promise<number | undefined>;
  /** Tells whether a blob is stored. */
  has(hash: BlobHash): Promise<boolean>;
  /** Removes a blob. Whoever is reading it may finish. Removing what is not there is fine. */
  delete(hash: BlobHash): Promise<void>;
  /** Lists what is stored, in the order of hashes. */
  list(): AsyncIterable<BlobHash>;

  /** Begins an upload that may take several requests, crashes and days. */
  beginUpload(): Promise<UploadId>;
  /**
   * Tells how many bytes of an upload are durable: where to go on.
   *
   * @throws StoreFault UPLOAD_MISSING.
   */
  uploadOffset(id: UploadId): Promise<number>;
  /**
   * Adds bytes to an upload. What arrived before an error is kept.
   *
   * @param id - the upload.
   * @param offsetBytes - where these bytes begin: where the upload ends.
   * @param source - read once; its own errors come out unchanged.
   * @param lengthMaxBytes - how long the whole upload may become.
   * @returns the new offset, once it is durable.
   * @throws StoreFault UPLOAD_MISSING, UPLOAD_BUSY, UPLOAD_OFFSET, BLOB_TOO_LONG.
   */
  appendUpload(
    id: UploadId,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    lengthMaxBytes: number,
  ): Promise<number>;
  /**
   * Makes an upload a blob.
   *
   * @param id - gone afterwards, also when the hash is wrong: its bytes are of no use.
   * @param hash - what the bytes must have.
   * @returns its length, once it is durable.
   * @throws StoreFault UPLOAD_MISSING, UPLOAD_BUSY, BLOB_MISMATCH.
   */
  finishUpload(id: UploadId, hash: BlobHash): Promise<number>;
  /**
   * Throws an upload away. Throwing away what is not there is fine.
   *
   * @throws StoreFault UPLOAD_BUSY.
   */
  abandonUpload(id: UploadId): Promise<void>;
  /**
   * Throws away uploads and remains of crashes that nobody touched for long.
   *
   * @param before - what was last written before this instant goes.
   * @returns how many went.
   */
  sweep(before: Temporal.Instant): Promise<number>;
}

/**
 * Reads a blob's hash.
 *
 * @throws StoreFault BLOB_HASH_MALFORMED.
 */
export function parseBlobHash(value: unknown): BlobHash {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new StoreFault(
      'BLOB_HASH_MALFORMED',
      'Cannot read blob hash: expected 64 lower-case hexadecimal digits',
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as BlobHash;
}

/**
 * Reads an upload's id.
 *
 * @throws StoreFault UPLOAD_ID_MALFORMED.
 */
export function parseUploadId(value: unknown): UploadId {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) {
    throw new StoreFault(
      'UPLOAD_ID_MALFORMED',
      'Cannot read upload id: expected 32 lower-case hexadecimal digits',
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as UploadId;
}
