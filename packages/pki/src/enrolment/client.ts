/** The device's part of Enrolment over Secure Transport (RFC 7030). */
import { equalBytes, type Signer } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { EST_CERTIFICATES_BODY_MAX_BYTES } from '../limits.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { DistinguishedName, NameParts } from '../x509/name.ts';
import { createCertificateRequest } from '../x509/request.ts';
import { parseCertsOnly } from './certs-only.ts';
import { decodeBody, encodeBody, EST_MEDIA_TYPE, type EstMessage } from './message.ts';

const CERTIFICATES = 'application/pkcs7-mime';

/**
 * Makes the body of `POST /simpleenroll` or `/simplereenroll`.
 *
 * @param signer - the key that is to be certified, old or new.
 * @param name - the device id as common name; to re-enrol, the subject of the certificate before.
 * @throws PkiFault ALGORITHM, LIMIT as `createCertificateRequest`.
 */
export async function encodeEnrolmentRequest(
  signer: Signer,
  name: NameParts | DistinguishedName,
): Promise<EstMessage> {
  const request = await createCertificateRequest(signer, name);
  return { mediaType: EST_MEDIA_TYPE.request, body: encodeBody(request) };
}

/**
 * Reads the response of an enrolment. That the certificate leads to a trusted root is for
 * `checkDevice` to say.
 *
 * @param message - media type and body of the response with status 200, from outside.
 * @param publicKeyDer - the key that was to be certified.
 * @throws PkiFault EST_MEDIA_TYPE, LIMIT; EST_MALFORMED when it is not one certificate for this key;
 *   as `parseCertsOnly`.
 */
export function parseEnrolmentResponse(message: EstMessage, publicKeyDer: Uint8Array): Certificate {
  const certificates = parseCaCerts(message);
  const certificate = certificates.find((one) => equalBytes(one.publicKeyDer, publicKeyDer));
  if (certificates.length !== 1 || certificate === undefined) {
    throw new PkiFault('EST_MALFORMED', 'Cannot enrol: the response is not one certificate for us');
  }
  return certificate;
}

/**
 * Reads the response of `GET /cacerts`. Trust them only if the TLS connection they came by was
 * itself trusted.
 *
 * @param message - media type and body of the response with status 200, from outside.
 * @throws PkiFault EST_MEDIA_TYPE, EST_MALFORMED, LIMIT; as `parseCertsOnly`.
 */
export function parseCaCerts(message: EstMessage): readonly Certificate[] {
  return parseCertsOnly(decodeBody(message, CERTIFICATES, EST_CERTIFICATES_BODY_MAX_BYTES));
}
