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
import { type DerElement, listDer, readDer } from '../../src/der/read.ts';
import { OID } from '../../src/oid.ts';
import { extension } from './forge.ts';

/** What of a question is replaced. */
export interface OddQuestion {
  readonly algorithm?: string;
  readonly name?: Uint8Array;
  readonly key?: Uint8Array;
}

/** One question, by SHA-256. */
export function makeQuestion(
  issuer: Certificate,
  serial: string,
  odd: OddQuestion = {},
  ...more: readonly Der[]
): Der {
  const {
    algorithm = OID.sha256,
    name = createHash('sha256').update(issuer.subject.der).digest(),
    // Of an uncompressed P-256 point the key bits are the last 65 octets.
    key = createHash('sha256').update(issuer.publicKeyDer.subarray(-65)).digest(),
  } = odd;
  const id = writeSequence(
    writeSequence(writeOid(algorithm), writeNull()),
    writeOctets(name),
    writeOctets(key),
    writeUnsigned(Buffer.from(serial, 'hex')),
  );
  return writeSequence(id, ...more);
}

/** The identifier octet of the first status in an answer: 80 good, a1 revoked, 82 unknown. */
export function statusOf(answer: Uint8Array): number | undefined {
  const [, body] = listDer(readDer(answer, 0x30, 'answer'), 'answer');
  const basic = inside(inside(body, 0), 1)?.content ?? new Uint8Array();
  const data = inside(readDer(basic, 0x30, 'basic'), 0);
  return inside(inside(inside(data, 2), 0), 1)?.tag;
}

function inside(element: DerElement | undefined, index: number): DerElement | undefined {
  return element && listDer(element, 'answer')[index];
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
