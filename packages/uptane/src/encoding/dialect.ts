/**
 * The two wire forms of one model (ADR 2).
 *
 * `aktualizr`: what AGL and Torizon vehicles read. `tuf`: TUF specification 1.0.x with the key and
 * signature forms of python-tuf. Everything in which they differ is a member here; whoever decodes
 * or encodes asks the dialect and nobody compares its name.
 */
import type { JsonObject, SignatureAlgorithm } from '@immota/base';
import type { PublicKey } from '../metadata/key.ts';
import type { TopLevelRole } from '../metadata/repository.ts';
import type { CanonicalForm } from './canonical.ts';

/** See the head of the file. */
export interface Dialect {
  readonly name: 'aktualizr' | 'tuf';
  readonly canonicalForm: CanonicalForm;
  /** How a signature is spelled. */
  readonly signatureAlphabet: 'hex' | 'base64';
  /** The `_type` of each kind. */
  readonly typeNames: Readonly<Record<TopLevelRole, string>>;
  /** Whether Root must list all four roles. */
  readonly fourRoles: boolean;
  /** Whether `*` in a path pattern stays within one segment. */
  readonly patternStopsAtSlash: boolean;
  /** Whether hashes in Timestamp and Snapshot are over the file's bytes or its canonical form. */
  readonly hashesCover: 'bytes' | 'canonical';
  /**
   * Whether a Timestamp of the very version at hand is set aside (TUF specification 1.0 §5.4.3) or
   * taken in its place (Uptane asks only that the version be not lower).
   */
  readonly keepsEqualTimestamp: boolean;
  /** The folder of delegated roles' files, with its slash; empty where they lie beside the others. */
  readonly delegationFolder: string;
  /** The `method` beside each signature, where the dialect has one. */
  methodOf(algorithm: SignatureAlgorithm): string | undefined;
  /** Reads a key object. An unknown kind gives a key that verifies nothing. */
  decodeKey(object: JsonObject): PublicKey;
  /** Writes a key object. */
  encodeKey(algorithm: SignatureAlgorithm, publicKeyDer: Uint8Array): JsonObject;
}
