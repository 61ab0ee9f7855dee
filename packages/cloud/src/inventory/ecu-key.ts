/** The identity keys of ECUs: as vehicles register them, and as the inventory keeps them. */
import { type JsonObject, SIGNATURE_ALGORITHMS } from '@immota/base';
import { AKTUALIZR, type PublicKey, publicKeyFromDer } from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import { KEY_CACHE_ENTRIES } from '../limits.ts';

/** An ECU's key as the inventory keeps it. */
export interface EcuKey {
  /** A signature algorithm, or `unknown` when the ECU could not be reached at its registration. */
  readonly algorithm: string;
  /** SubjectPublicKeyInfo, DER; empty when unknown. */
  readonly publicKeyDer: Uint8Array;
}

const UNKNOWN: EcuKey = { algorithm: 'unknown', publicKeyDer: new Uint8Array() };

/**
 * Reads a key as a vehicle registers it: Ed25519 in upper-case hex, RSA and others in PEM.
 *
 * @returns a key without bytes for `unknown`: what the client sends for a Secondary it cannot reach.
 * @throws CloudFault ECU_MALFORMED when it is no key.
 */
export function parseEcuKey(ecuIdentifier: string, key: JsonObject): EcuKey {
  if (key['keytype'] === 'unknown') return UNKNOWN;
  const decoded = AKTUALIZR.decodeKey(key);
  const publicKeyDer = decoded.exportDer();
  if (publicKeyDer === undefined || decoded.algorithm === undefined) {
    throw new CloudFault('ECU_MALFORMED', `Cannot register "${ecuIdentifier}": its key is none`);
  }
  return { algorithm: decoded.algorithm, publicKeyDer };
}

/** Tells whether a key can verify anything. */
export function isKnownKey({ algorithm }: EcuKey): boolean {
  return algorithm !== UNKNOWN.algorithm;
}

/** An ECU as its vehicle registers it. */
export interface RegisteredEcu extends EcuKey {
  readonly ecuId: string;
  readonly hardwareId: string;
  readonly isPrimary: boolean;
}

/** Makes keys ready to verify with, and keeps the last used: making one costs a tenth of a verification. */
export class EcuKeyCache {
  readonly #keys = new Map<string, PublicKey>();

  /** Gives the key of some bytes; one that verifies nothing when the algorithm is unknown. */
  get({ algorithm, publicKeyDer }: EcuKey): PublicKey {
    const name = `${algorithm}:${Buffer.from(publicKeyDer).toString('latin1')}`;
    const known = this.#keys.get(name);
    if (known !== undefined) {
      // The least recently used is the first of the Map.
      this.#keys.delete(name);
      this.#keys.set(name, known);
      return known;
    }
    const usable = SIGNATURE_ALGORITHMS.find((one) => one === algorithm);
    const key = publicKeyFromDer(usable, publicKeyDer);
    this.#keys.set(name, key);
    if (this.#keys.size > KEY_CACHE_ENTRIES) {
      const { value } = this.#keys.keys().next();
      if (value !== undefined) this.#keys.delete(value);
    }
    return key;
  }
}
