/** The dialect of the TUF specification 1.0.x, with python-tuf's key and signature forms. */
import type { JsonObject, SignatureAlgorithm } from '@immota/base';
import type { Dialect } from './dialect.ts';
import { decodePublic, encodePublic } from './keys.ts';
import { readText } from './reader.ts';

/** By `keytype` and `scheme`; both must fit, or the key verifies nothing. */
const SCHEMES: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['ed25519 ed25519', 'ed25519'],
  ['ecdsa ecdsa-sha2-nistp256', 'ecdsa-p256'],
  ['ecdsa-sha2-nistp256 ecdsa-sha2-nistp256', 'ecdsa-p256'],
  ['rsa rsassa-pss-sha256', 'rsa-pss'],
  ['ml-dsa ml-dsa-65', 'ml-dsa-65'],
]);

const SPELLINGS: Readonly<
  Record<SignatureAlgorithm, { readonly keytype: string; readonly scheme: string }>
> = {
  ed25519: { keytype: 'ed25519', scheme: 'ed25519' },
  'ecdsa-p256': { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256' },
  'rsa-pss': { keytype: 'rsa', scheme: 'rsassa-pss-sha256' },
  'ml-dsa-65': { keytype: 'ml-dsa', scheme: 'ml-dsa-65' },
};

/** See the head of the file. */
export const TUF: Dialect = {
  name: 'tuf',
  canonicalForm: 'olpc',
  signatureAlphabet: 'hex',
  typeNames: { root: 'root', timestamp: 'timestamp', snapshot: 'snapshot', targets: 'targets' },
  fourRoles: true,
  patternStopsAtSlash: true,
  hashesCover: 'bytes',
  keepsEqualTimestamp: true,
  delegationFolder: '',
  methodOf: () => undefined,
  decodeKey: (object) =>
    decodePublic(
      object,
      SCHEMES.get(`${readText(object, 'keytype')} ${readText(object, 'scheme')}`),
    ),
  encodeKey(algorithm, publicKeyDer): JsonObject {
    return {
      ...SPELLINGS[algorithm],
      keyval: { public: encodePublic(algorithm, publicKeyDer) },
    };
  },
};
