/**
 * What an ECU has verified of an image, in one form of bytes: what its seal signs, and what its records
 * hold. Two statements are the same image when their bytes are the same.
 */
import { createHash } from 'node:crypto';
import { utf8 } from '@immota/base';
import { type HashFunction, parseDigest, parseTargetName, UptaneFault } from '@immota/uptane';
import type { SlotImage } from '../slots/image-slots.ts';
import { Packer, type Unpacker, UnpackError } from './pack.ts';

const SHA256 = 1;
const SHA512 = 2;

/** Puts an image's name, length, release counter and hashes into bytes. */
export function packImage(packer: Packer, image: SlotImage): void {
  const { name, lengthBytes, releaseCounter, hashes } = image;
  const sha256 = hashes.get('sha256');
  const sha512 = hashes.get('sha512');
  packer.block(utf8(name)).counter(lengthBytes).counter(releaseCounter);
  packer.bytes((sha256 === undefined ? 0 : SHA256) + (sha512 === undefined ? 0 : SHA512));
  for (const digest of [sha256, sha512]) {
    if (digest !== undefined) packer.raw(Uint8Array.fromHex(digest));
  }
}

/** Takes an image out of bytes again. */
export function unpackImage(unpacker: Unpacker): SlotImage {
  const nameBytes = unpacker.block();
  const lengthBytes = unpacker.counter();
  const releaseCounter = unpacker.counter();
  const listed = unpacker.choice(SHA256 + SHA512 + 1);
  const hashes = new Map<HashFunction, string>();
  if ((listed & SHA256) > 0) hashes.set('sha256', digestOf('sha256', unpacker.raw(32)));
  if ((listed & SHA512) > 0) hashes.set('sha512', digestOf('sha512', unpacker.raw(64)));
  if (hashes.size === 0) throw new UnpackError('an image without a hash');
  try {
    const name = parseTargetName(new TextDecoder('utf-8', { fatal: true }).decode(nameBytes));
    return { name, lengthBytes, releaseCounter, hashes };
  } catch (error) {
    const isMalformed = error instanceof UptaneFault || error instanceof TypeError;
    if (isMalformed) throw new UnpackError('a name that is none');
    throw error;
  }
}

/** Tells how many bytes an image takes. */
export function packedLength(image: SlotImage): number {
  return packedImage(image).length;
}

/** Tells two images apart by all that was verified of them. */
export function identityOf(image: SlotImage): Uint8Array {
  return new Uint8Array(createHash('sha256').update(packedImage(image)).digest());
}

/** Tells whether two descriptions are of one image. */
export function isSameImage(left: SlotImage | undefined, right: SlotImage | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  return Buffer.compare(packedImage(left), packedImage(right)) === 0;
}

function packedImage(image: SlotImage): Uint8Array {
  const packer = new Packer();
  packImage(packer, image);
  return packer.packed();
}

function digestOf(hashFunction: HashFunction, bytes: Uint8Array): string {
  return parseDigest(hashFunction, bytes.toHex());
}
