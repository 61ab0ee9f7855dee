/**
 * Who changes what the cloud says: metadata that assign other software, signed with a key that nobody
 * trusts, and the other software itself.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { AKTUALIZR, encodeCanonical } from '@immota/uptane';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@immota/base';
import type { Chance } from './chance.ts';

const DOCUMENT_MAX_BYTES = 10_000_000;

/** See the head of the file. */
export class Forger {
  readonly #chance: Chance;
  readonly #key = generateKeyPairSync('ed25519').privateKey;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Other software of a length. */
  plant(lengthBytes: number): Uint8Array {
    return new Uint8Array(lengthBytes).fill(this.#chance.below(256));
  }

  /** A signed document that says something else; other bytes where it is none. */
  forge(path: string, bytes: Uint8Array): Uint8Array {
    if (!path.endsWith('.json')) return this.plant(bytes.length);
    const document = parseJson(bytes, DOCUMENT_MAX_BYTES);
    if (!isJsonObject(document) || !isJsonObject(document['signed'])) return bytes;
    const signed = this.#rewrite(document['signed']);
    const payload = encodeCanonical(signed, AKTUALIZR.canonicalForm);
    const listed = Array.isArray(document['signatures']) ? document['signatures'] : [];
    // By the right key's name, with a signature that is sound but for the key.
    const signatures = listed.filter(isJsonObject).map((signature) => ({
      ...signature,
      sig: sign(undefined, payload, this.#key).toString('base64'),
    }));
    return new Uint8Array(Buffer.from(JSON.stringify({ ...document, signed, signatures })));
  }

  #rewrite(signed: JsonObject): JsonObject {
    const { version, targets } = signed;
    return {
      ...signed,
      version: (typeof version === 'number' ? version : 0) + 1 + this.#chance.below(3),
      ...(isJsonObject(targets) ? { targets: this.#poison(targets) } : {}),
    };
  }

  /** Every image's place is taken by ours. */
  #poison(targets: JsonObject): JsonObject {
    const entries = Object.entries(targets).map(([name, target]): readonly [string, JsonValue] => {
      if (!isJsonObject(target)) return [name, target];
      const { length } = target;
      const evil = this.plant(typeof length === 'number' ? length : 0);
      const hashes = {
        sha256: createHash('sha256').update(evil).digest('hex'),
        sha512: createHash('sha512').update(evil).digest('hex'),
      };
      return [name, { ...target, hashes }];
    });
    return Object.fromEntries(entries);
  }
}
