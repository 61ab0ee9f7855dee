/** Small secrets at rest: sealed with a key that is derived from the deployment's own {uptane B11}. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { concatBytes, type Entropy, utf8 } from '@immota/base';
import { CloudFault } from './fault.ts';

/** The deployment's secret, from which keys for one use each are derived. */
export interface DeploymentSecret {
  /** Derives the key of a use: 32 to 80 bytes. */
  derive(use: string, lengthBytes: number): Uint8Array;
}

const VERSION = 1;
const NONCE_LENGTH_BYTES = 12;
const TAG_LENGTH_BYTES = 16;
const KEY_LENGTH_BYTES = 32;
/** How long the deployment's secret is. */
export const SECRET_LENGTH_BYTES = 32;

/**
 * Makes the deployment's secret of its bytes.
 *
 * @param bytes - 32 of them, drawn once and kept in a file of the cloud's own.
 * @throws CloudFault SEAL_BROKEN when they are not 32.
 */
export function openDeploymentSecret(bytes: Uint8Array): DeploymentSecret {
  if (bytes.length !== SECRET_LENGTH_BYTES) {
    throw new CloudFault(
      'SEAL_BROKEN',
      `Cannot use deployment secret: ${bytes.length} bytes instead of ${SECRET_LENGTH_BYTES}`,
    );
  }
  const secret = bytes.slice();
  return {
    derive: (use, lengthBytes) =>
      new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), `immota ${use}`, lengthBytes)),
  };
}

/** Seals and opens secrets of one use. */
export interface Sealer {
  /** Seals a secret for a name: under another name it does not open. */
  seal(name: string, secret: Uint8Array): Uint8Array;
  /** Opens a sealed secret. @throws CloudFault SEAL_BROKEN. */
  open(name: string, sealed: Uint8Array): Uint8Array;
}

/**
 * Makes a sealer: AES-256-GCM with a nonce that is drawn for each secret.
 *
 * @param use - what the secrets are for.
 */
export function createSealer(secret: DeploymentSecret, use: string, entropy: Entropy): Sealer {
  const key = secret.derive(`seal ${use}`, KEY_LENGTH_BYTES);
  const options = { authTagLength: TAG_LENGTH_BYTES };
  return {
    seal(name, plaintext) {
      const nonce = entropy.bytes(NONCE_LENGTH_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, options);
      cipher.setAAD(utf8(name));
      const sealed = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
      return concatBytes([Uint8Array.of(VERSION), nonce, ...sealed]);
    },
    open(name, sealed) {
      const body = sealed.subarray(1 + NONCE_LENGTH_BYTES);
      if (sealed[0] !== VERSION || body.length < TAG_LENGTH_BYTES) throw broken(name);
      const nonce = sealed.subarray(1, 1 + NONCE_LENGTH_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, options);
      decipher.setAAD(utf8(name));
      decipher.setAuthTag(body.subarray(-TAG_LENGTH_BYTES));
      try {
        const plaintext = decipher.update(body.subarray(0, -TAG_LENGTH_BYTES));
        return concatBytes([plaintext, decipher.final()]);
      } catch (error) {
        throw broken(name, error);
      }
    },
  };
}

function broken(name: string, cause?: unknown): CloudFault {
  return new CloudFault('SEAL_BROKEN', `Cannot open secret of "${name}": it was changed`, {
    cause,
  });
}
