/** Makes OCSP requests by hand. */
import { createHash } from 'node:crypto';

import type { Certificate } from '@immota/pki';

import {
  type Der,
  writeExplicit,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
  writeUnsigned,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { extension } from './forge.ts';

/** One question, by SHA-256. */
export function makeQuestion(issuer: Certificate, serial: string, ...more: readonly Der[]): Der {
  const name = createHash('sha256').update(issuer.subject.der).digest();
  // Of an uncompressed P-256 point the key bits are the last 65 octets.
  const key = createHash('sha256').update(issuer.publicKeyDer.subarray(-65)).digest();
  const id = writeSequence(
    writeSequence(writeOid(OID.sha256), writeNull()),
    writeOctets(name),
    writeOctets(key),
    writeUnsigned(Buffer.from(serial, 'hex')),
  );
  return writeSequence(id, ...more);
}

/** A nonce extension. */
export function makeNonce(nonce: Uint8Array): Der {
  return extension(OID.ocspNonce, writeOctets(nonce));
}

/** A whole request. */
export function makeOcspRequest(
  issuer: Certificate,
  serials: readonly string[],
  nonce?: Uint8Array,
): Der {
  const questions = writeSequence(...serials.map((serial) => makeQuestion(issuer, serial)));
  const extensions = nonce && writeExplicit(2, writeSequence(makeNonce(nonce)));
  return writeSequence(writeSequence(questions, extensions));
}
