/**
 * AES-128-CMAC (RFC 4493, NIST SP 800-38B), by the platform's own cryptography.
 *
 * The types of Node do not name `createMac` yet; what is declared here is what is used of it.
 */
import {
  createCipheriv,
  createMac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { Brand } from '@immota/base';
import { SecocFault } from './secoc-fault.ts';

declare module 'node:crypto' {
  interface Mac {
    update(data: Uint8Array): this;
    final(): Buffer;
  }
  // oxlint-disable-next-line no-shadow -- it is the same function, and this is its type
  function createMac(
    algorithm: 'cmac',
    key: KeyObject,
    options: { readonly cipher: 'aes-128-cbc' },
  ): Mac;
}

/** Holding an `AesKey` tells you: it is 128 bits of a secret that does not print itself. */
export type AesKey = Brand<KeyObject, 'AesKey'>;

/** Bytes of a key, a block and a whole authenticator. */
export const BLOCK_BYTES = 16;

/**
 * Takes a key.
 *
 * @param bytes - 16 of them; they are copied, and the caller may erase them.
 * @throws SecocFault KEY_LENGTH.
 */
export function importAesKey(bytes: Uint8Array): AesKey {
  if (bytes.length !== BLOCK_BYTES) {
    throw new SecocFault('KEY_LENGTH', `Cannot take key: ${bytes.length} bytes instead of 16`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return createSecretKey(bytes) as AesKey;
}

/** Computes the whole authenticator of a message given in parts. */
export function computeCmac(key: AesKey, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createMac('cmac', key, { cipher: 'aes-128-cbc' });
  for (const part of parts) mac.update(part);
  return mac.final();
}

/** Encrypts whole blocks, each alone (ECB), as SHE does with a single one. */
export function encryptBlock(key: AesKey, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return cipher.update(block);
}

/** Compares authenticators in a time that depends on their lengths alone. */
export function isSameMac(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
