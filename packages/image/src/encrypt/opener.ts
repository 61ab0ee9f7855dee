/** Opens an encrypted image as its bytes come. */
import { assert } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { ENCRYPTED_LENGTH_MAX_BYTES } from '../limits.ts';
import { chunkOffset, openChunk, TAG_LENGTH_BYTES, tryOpenChunk } from './chunk.ts';
import type { ContentKey } from './content-key.ts';
import { createGatherer, type Gatherer } from './gather.ts';
import { HEADER_LENGTH_BYTES, type ImageKeys, openHeader } from './header.ts';

/** Where opening goes on after an interruption. */
export interface ResumePoint {
  /** The first 76 bytes of the encrypted image. */
  readonly header: Uint8Array;
  /** The first chunk that will be pushed. */
  readonly chunkIndex: number;
}

/** How to open. */
export interface OpenOptions {
  /** The image's content key. */
  readonly key: ContentKey;
  /** The length of the encrypted image that signed metadata announced. */
  readonly lengthMaxBytes: number;
  /** Left out, the image is opened from its beginning. */
  readonly resume?: ResumePoint;
}

/** Opens what is pushed into it. After a fault it refuses everything with the same fault. */
export interface Opener {
  /**
   * Takes the next bytes of the encrypted image; keeps no reference to them.
   *
   * @returns the chunks that were found genuine, in memory of their own.
   * @throws ImageFault HEADER_MALFORMED, HEADER_AUTHENTICATION, CHUNK_AUTHENTICATION,
   * TRAILING_DATA or LENGTH_LIMIT.
   */
  push(bytes: Uint8Array): readonly Uint8Array[];
  /**
   * Says that the encrypted image has ended.
   *
   * @returns the last chunk, which has no bytes when the image has none.
   * @throws ImageFault TRUNCATED when more chunks belong to it, or CHUNK_AUTHENTICATION.
   */
  finish(): readonly Uint8Array[];
  /**
   * Tells how to go on from here in another run, once the header is known: the point to hand to
   * `resume`, and where its chunk begins in the encrypted image.
   */
  position(): { readonly resume: ResumePoint; readonly offsetBytes: number } | undefined;
}

interface Body {
  readonly header: Uint8Array;
  readonly keys: ImageKeys;
  readonly gatherer: Gatherer;
}

/**
 * Begins to open an encrypted image. No byte leaves before its chunk is authenticated in its place;
 * memory is that of one chunk, allocated after the header is authenticated.
 *
 * @param options - the key, the limit, and where to go on.
 * @throws ImageFault HEADER_MALFORMED or HEADER_AUTHENTICATION when `resume` has a wrong header.
 */
export function createOpener(options: OpenOptions): Opener {
  const heading = new Uint8Array(HEADER_LENGTH_BYTES);
  let headingBytes = 0;
  let body: Body | undefined;
  let index = 0;
  let receivedBytes = 0;
  let fault: ImageFault | undefined;
  let isFinished = false;

  const begin = (header: Uint8Array): Body => {
    const keys = openHeader(options.key, header);
    return { header, keys, gatherer: createGatherer(keys.chunkSizeBytes + TAG_LENGTH_BYTES) };
  };
  if (options.resume !== undefined) {
    body = begin(Uint8Array.from(options.resume.header));
    index = options.resume.chunkIndex;
    assert(Number.isInteger(index) && index >= 0, 'a chunk index counts from zero');
    receivedBytes = chunkOffset(body.keys.chunkSizeBytes, index);
  }

  const pushChecked = (bytes: Uint8Array): readonly Uint8Array[] => {
    receivedBytes += bytes.length;
    if (receivedBytes > Math.min(options.lengthMaxBytes, ENCRYPTED_LENGTH_MAX_BYTES)) {
      throw new ImageFault(
        'LENGTH_LIMIT',
        `Cannot open image: more than the ${options.lengthMaxBytes} bytes announced`,
      );
    }
    let rest = bytes;
    if (body === undefined) {
      const part = bytes.subarray(0, HEADER_LENGTH_BYTES - headingBytes);
      heading.set(part, headingBytes);
      headingBytes += part.length;
      rest = bytes.subarray(part.length);
      if (headingBytes < HEADER_LENGTH_BYTES) return [];
      body = begin(heading);
    }
    const { keys, gatherer } = body;
    const opened: Uint8Array[] = [];
    gatherer.push(rest, (sealed) => {
      opened.push(openInner(keys, index, sealed));
      index += 1;
    });
    return opened;
  };

  /** A machine that has refused stays closed: what follows a forged chunk is not looked at. */
  const guarded = (step: () => readonly Uint8Array[]): readonly Uint8Array[] => {
    assert(!isFinished, 'nothing follows finish');
    if (fault !== undefined) throw fault;
    try {
      return step();
    } catch (error) {
      if (error instanceof ImageFault) fault = error;
      throw error;
    }
  };

  return {
    push: (bytes) => guarded(() => pushChecked(bytes)),
    finish: () =>
      guarded(() => {
        const last = openLast(body, index);
        isFinished = true;
        return [last];
      }),
    position: () =>
      body === undefined
        ? undefined
        : {
            resume: { header: body.header, chunkIndex: index },
            offsetBytes: chunkOffset(body.keys.chunkSizeBytes, index),
          },
  };
}

function openInner(keys: ImageKeys, index: number, sealed: Uint8Array): Uint8Array {
  const plaintext = tryOpenChunk(keys, { index, isLast: false }, sealed);
  if (plaintext !== undefined) return plaintext;
  // Only after the refusal, and only to name it: a genuine last chunk with more behind it.
  if (tryOpenChunk(keys, { index, isLast: true }, sealed) !== undefined) {
    throw new ImageFault(
      'TRAILING_DATA',
      `Cannot open image: bytes follow its last chunk ${index}`,
    );
  }
  return openChunk(keys, { index, isLast: false }, sealed);
}

function openLast(body: Body | undefined, index: number): Uint8Array {
  if (body === undefined) {
    throw new ImageFault('TRUNCATED', 'Cannot open image: it ends within its header');
  }
  const sealed = body.gatherer.rest();
  const plaintext = tryOpenChunk(body.keys, { index, isLast: true }, sealed);
  if (plaintext !== undefined) return plaintext;
  // A cut leaves nothing, an inner chunk, or too little for one; a flip leaves another length.
  const isCut =
    sealed.length < TAG_LENGTH_BYTES ||
    tryOpenChunk(body.keys, { index, isLast: false }, sealed) !== undefined;
  if (isCut) {
    throw new ImageFault('TRUNCATED', `Cannot open image: it ends before chunk ${index} does`);
  }
  return openChunk(body.keys, { index, isLast: true }, sealed);
}
