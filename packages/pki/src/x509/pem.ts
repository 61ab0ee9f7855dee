/** PEM (RFC 7468): base64 between two lines. */
import { PkiFault } from '../fault.ts';
import { PEM_BLOCKS_MAX, PEM_LENGTH_MAX_CHARACTERS } from '../limits.ts';
import { type Certificate, parseCertificate } from './certificate.ts';

/** What a block may hold. */
export type PemLabel =
  | 'CERTIFICATE'
  | 'CERTIFICATE REQUEST'
  | 'PRIVATE KEY'
  | 'PUBLIC KEY'
  | 'X509 CRL';

const BLOCK =
  /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]*)-----END ([A-Z0-9 ]{1,40})-----/g;

/** Encodes one block, with a line feed at its end. */
export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * Reads the one block of a text.
 *
 * @throws PkiFault PEM_MALFORMED when there is none, or more; LIMIT above 64 KiB.
 */
export function parsePem(label: PemLabel, text: string): Uint8Array {
  const [der, ...others] = parsePemBundle(label, text);
  if (der === undefined || others.length > 0) throw malformed(`not one ${label}`);
  return der;
}

/** Encodes certificates one after the other. */
export function encodeCertificatesPem(certificates: readonly Certificate[]): string {
  return certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('');
}

/** Reads certificates one after the other. @throws PkiFault as `parsePem` and `parseCertificate`. */
export function parseCertificatesPem(text: string): readonly Certificate[] {
  const blocks = parsePemBundle('CERTIFICATE', text);
  if (blocks.length === 0) throw malformed('no CERTIFICATE');
  return blocks.map((der) => parseCertificate(der));
}

function parsePemBundle(label: PemLabel, text: string): readonly Uint8Array[] {
  if (text.length > PEM_LENGTH_MAX_CHARACTERS * PEM_BLOCKS_MAX) {
    throw new PkiFault('LIMIT', `Cannot read PEM: ${text.length} characters are too many`);
  }
  const blocks: Uint8Array[] = [];
  for (const [, begin, body = '', end] of text.matchAll(BLOCK)) {
    if (begin !== label || end !== label) throw malformed(`a block that is no ${label}`);
    if (blocks.length === PEM_BLOCKS_MAX) {
      throw new PkiFault('LIMIT', `Cannot read PEM: more than ${PEM_BLOCKS_MAX} blocks`);
    }
    const base64 = body.replaceAll(/[\r\n]/g, '');
    const der = Buffer.from(base64, 'base64');
    if (der.toString('base64') !== base64) throw malformed('its base64');
    blocks.push(new Uint8Array(der));
  }
  return blocks;
}

function malformed(why: string): PkiFault {
  return new PkiFault('PEM_MALFORMED', `Cannot read PEM: ${why}`);
}
