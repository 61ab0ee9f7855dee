/** Bodies of EST (RFC 7030): DER in base64, whatever their headers say {RFC 8951 3.1}. */
import { utf8 } from '@immota/base';

import { PkiFault } from '../fault.ts';

/** A body and what its Content-Type says. */
export interface EstMessage {
  /** As the header has it; undefined when it is absent. */
  readonly mediaType: string | undefined;
  readonly body: Uint8Array;
}

/** What the server sends back. */
export interface EstResponse {
  readonly status: number;
  readonly mediaType: string;
  readonly body: Uint8Array;
  /** Whether the header `Content-Transfer-Encoding: base64` goes with it. */
  readonly isBase64: boolean;
}

/** The media types of {RFC 7030 3.2.4}. */
export const EST_MEDIA_TYPE = {
  request: 'application/pkcs10',
  certificates: 'application/pkcs7-mime; smime-type=certs-only',
  refusal: 'text/plain; charset=utf-8',
} as const;

/** Encodes DER as base64 in lines of 76 characters {RFC 2045 6.8}. */
export function encodeBody(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const base64 = Buffer.from(der).toString('base64');
  return utf8(base64.replaceAll(/.{1,76}/g, '$&\r\n'));
}

/**
 * Reads a body.
 *
 * @param message - as it came.
 * @param mediaType - what it must be, without parameters.
 * @param lengthMaxBytes - how long it may be.
 * @throws PkiFault EST_MEDIA_TYPE, LIMIT, EST_MALFORMED when it is not base64.
 */
export function decodeBody(
  message: EstMessage,
  mediaType: string,
  lengthMaxBytes: number,
): Uint8Array {
  const [named = ''] = (message.mediaType ?? '').split(';', 1);
  if (named.trim().toLowerCase() !== mediaType) {
    throw new PkiFault('EST_MEDIA_TYPE', `Cannot read body: it is not ${mediaType}`);
  }
  if (message.body.length > lengthMaxBytes) {
    throw new PkiFault('LIMIT', `Cannot read body: ${message.body.length} bytes are too many`);
  }
  const text = Buffer.from(message.body)
    .toString('latin1')
    .replaceAll(/[\r\n\t ]/g, '');
  const der = Buffer.from(text, 'base64');
  if (der.length === 0 || der.toString('base64') !== text) {
    throw new PkiFault('EST_MALFORMED', 'Cannot read body: it is not base64');
  }
  return new Uint8Array(der);
}
