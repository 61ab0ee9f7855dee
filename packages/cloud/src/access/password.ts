/** Passwords of local accounts: scrypt with a salt and a cost of their own {OWASP Password Storage}. */
import { scrypt, timingSafeEqual } from 'node:crypto';
import type { Entropy } from '@immota/base';
import { CloudFault } from '../fault.ts';

/** N = 2^15, r = 8, p = 3: 32 MiB and a tenth of a second, as OWASP recommends. */
const COST = { log2: 15, blockSize: 8, parallel: 3 } as const;
const KEY_LENGTH_BYTES = 32;
const SALT_LENGTH_BYTES = 16;
/** Room for scrypt's table and what it needs beside it. */
const MEMORY_MAX_BYTES = 64 * 1024 * 1024;
/** NIST SP 800-63B asks for 8 at least and takes 64; no rules on which characters. */
const PASSWORD_MIN_LENGTH = 12;
/** Longer ones gain nothing and cost time. */
const PASSWORD_MAX_LENGTH = 256;
/** Derivations at once: more would take the machine's memory. */
const AT_ONCE_MAX = 4;

const FORM = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;
/** Of nobody: what an unknown address is held against, so that it takes as long as a known one. */
const NOBODY = `scrypt$15$8$3$${'A'.repeat(22)}$${'A'.repeat(43)}`;

let running = 0;

/**
 * Checks that a password may be chosen.
 *
 * @throws CloudFault REQUEST_MALFORMED when it is too short, too long, or the address itself.
 */
export function checkNewPassword(password: string, email: string): void {
  const { length } = password;
  if (length < PASSWORD_MIN_LENGTH || length > PASSWORD_MAX_LENGTH) {
    throw new CloudFault(
      'REQUEST_MALFORMED',
      `Cannot take password: ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} characters`,
    );
  }
  if (password.toLowerCase().includes(email.toLowerCase())) {
    throw new CloudFault('REQUEST_MALFORMED', 'Cannot take password: it holds your address');
  }
}

/** Makes what is kept of a password. @throws CloudFault RATE_LIMIT when too many are at it. */
export async function hashPassword(password: string, entropy: Entropy): Promise<string> {
  const salt = entropy.bytes(SALT_LENGTH_BYTES);
  const key = await derive(password, salt, COST);
  const { log2, blockSize, parallel } = COST;
  return `scrypt$${log2}$${blockSize}$${parallel}$${text(salt)}$${text(key)}`;
}

/**
 * Tells whether a password is the one that was kept.
 *
 * @param kept - undefined for nobody: it takes as long, and is never right.
 * @throws CloudFault RATE_LIMIT when too many are at it.
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const [, log2, blockSize, parallel, salt = '', key = ''] = FORM.exec(kept ?? NOBODY) ?? [];
  const cost = { log2: Number(log2), blockSize: Number(blockSize), parallel: Number(parallel) };
  const derived = await derive(
    password.slice(0, PASSWORD_MAX_LENGTH),
    Buffer.from(salt, 'base64url'),
    cost,
  );
  return timingSafeEqual(derived, Buffer.from(key, 'base64url')) && kept !== undefined;
}

async function derive(
  password: string,
  salt: Uint8Array,
  { log2, blockSize, parallel }: { log2: number; blockSize: number; parallel: number },
): Promise<Uint8Array> {
  if (running >= AT_ONCE_MAX) {
    throw new CloudFault('RATE_LIMIT', 'Cannot check password: too many sign in at once');
  }
  running += 1;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const options = { N: 2 ** log2, r: blockSize, p: parallel, maxmem: MEMORY_MAX_BYTES };
  // The same letters written in another way are the same password {NIST SP 800-63B}.
  scrypt(password.normalize('NFKC'), salt, KEY_LENGTH_BYTES, options, (error, key) => {
    running -= 1;
    if (error === null) resolve(new Uint8Array(key));
    else reject(error);
  });
  return await promise;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
