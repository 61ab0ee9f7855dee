/** The vehicle dialect: what AGL's and Torizon's client reads and writes, byte for byte. */
import type { JsonObject, SignatureAlgorithm } from '@immota/base';
import type { Dialect } from './dialect.ts';
import { decodePublic, encodePublic } from './keys.ts';
import { readText } from './reader.ts';

/**
 * Key types by lower-case spelling. The vehicle's own client reads the first two; the others are for
 * repositories of the `hybrid` profile, which only our vehicles read (ADR 4).
 */
const KEY_TYPES: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['ed25519', 'ed25519'],
  ['rsa', 'rsa-pss'],
  ['ecdsa', 'ecdsa-p256'],
  ['ml-dsa-65', 'ml-dsa-65'],
]);

const SPELLINGS: Readonly<
  Record<SignatureAlgorithm, { readonly keytype: string; readonly method: string }>
> = {
  ed25519: { keytype: 'ED25519', method: 'ed25519' },
  'rsa-pss': { keytype: 'RSA', method: 'rsassa-pss-sha256' },
  'ecdsa-p256': { keytype: 'ECDSA', method: 'ecdsa-sha2-nistp256' },
  'ml-dsa-65': { keytype: 'ML-DSA-65', method: 'ml-dsa-65' },
};

/** See the head of the file. */
export const AKTUALIZR: Dialect = {
  name: 'aktualizr',
  canonicalForm: 'escaped',
  signatureAlphabet: 'base64',
  typeNames: { root: 'Root', timestamp: 'Timestamp', snapshot: 'Snapshot', targets: 'Targets' },
  // A Director without Timestamp and Snapshot is allowed; who needs them refuses their absence.
  fourRoles: false,
  patternStopsAtSlash: false,
  hashesCover: 'canonical',
  keepsEqualTimestamp: false,
  delegationFolder: 'delegations/',
  methodOf: (algorithm) => SPELLINGS[algorithm].method,
  decodeKey: (object) =>
    decodePublic(object, KEY_TYPES.get(readText(object, 'keytype').toLowerCase())),
  encodeKey(algorithm, publicKeyDer): JsonObject {
    return {
      keytype: SPELLINGS[algorithm].keytype,
      keyval: { public: encodePublic(algorithm, publicKeyDer) },
    };
  },
};
