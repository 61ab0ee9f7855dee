/** Images: their formats and address maps, their encryption, and the keys of their recipients. */
export { detectFormat, type ImageFormat } from './format/detect-format.ts';
export { createIntelHexReader, encodeIntelHex } from './format/intel-hex.ts';
export {
  buildLayout,
  type ImageLayout,
  LAYOUT_LIMITS,
  type LayoutLimits,
  type Segment,
} from './format/layout.ts';
export {
  createRawReader,
  type LayoutOfFile,
  readLayout,
  type ReadLayoutOptions,
} from './format/read-layout.ts';
export type { LayoutReader } from './format/record-text.ts';
export { createSRecordReader, encodeSRecord } from './format/s-record.ts';
export { applyDelta, type ApplyDeltaOptions, rewriteInPlace } from './delta/apply-delta.ts';
export type { DeltaBank, RewriteOptions, RewritePosition } from './delta/apply-delta.ts';
export type { DeltaBase } from './delta/base-reader.ts';
export {
  decodeDeltaHeader,
  DELTA_HEADER_LENGTH_BYTES,
  type DeltaHeader,
  encodeDeltaHeader,
  type ImageIdentity,
} from './delta/delta-header.ts';
export { deltaSourceOf, type DeltaPair, type DeltaSource } from './delta/delta-source.ts';
export { makeDelta, type MakeDeltaOptions } from './delta/make-delta.ts';
export {
  chunkOffset,
  type ChunkPosition,
  encryptedLength,
  openChunk,
  releaseBytes,
  TAG_LENGTH_BYTES,
} from './encrypt/chunk.ts';
export {
  type ContentKey,
  encodeContentKey,
  generateContentKey,
  parseContentKey,
} from './encrypt/content-key.ts';
export {
  HEADER_LENGTH_BYTES,
  type ImageKeys,
  isEncryptedImage,
  openHeader,
} from './encrypt/header.ts';
export { createOpener, type Opener, type OpenOptions, type ResumePoint } from './encrypt/opener.ts';
export {
  createSealer,
  type EncryptedImageSummary,
  type EncryptOptions,
  type Sealer,
} from './encrypt/sealer.ts';
export {
  type EncryptedImage,
  encryptImage,
  type LendOptions,
  type OpenedImage,
  openImage,
  type OpenStreamOptions,
} from './encrypt/stream.ts';
export {
  createHashTap,
  type HashOptions,
  type HashTap,
  type ImageDigest,
  tapHashes,
} from './hashing.ts';
export { ImageFault, type ImageFaultCode } from './image-fault.ts';
export {
  type DecryptionKey,
  encodeDecryptionKey,
  generateDecryptionKey,
  parseDecryptionKey,
} from './wrap/decryption-key.ts';
export { type EncryptionProfile, parseEncryptionProfile } from './wrap/profile.ts';
export { parseRecipientPublicKey, profileOf, type RecipientPublicKey } from './wrap/recipient.ts';
export { unwrapContentKey, wrapContentKey, type WrapContext } from './wrap/wrap-content-key.ts';
