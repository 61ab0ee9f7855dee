/**
 * The server's part of Enrolment over Secure Transport (RFC 7030): cacerts, simpleenroll and
 * simplereenroll as functions from bodies to bodies. Who may ask at all is the caller's to know.
 */
import { type Entropy, equalBytes, utf8 } from '@immota/base';

import type { Authority } from '../authority/authority.ts';
import { issueDeviceCertificate } from '../authority/leaf.ts';
import { type DeviceId, parseDeviceId } from '../device-id.ts';
import { PkiFault, type PkiFaultCode } from '../fault.ts';
import { EST_BODY_MAX_BYTES } from '../limits.ts';
import type { AlternativeNames } from '../x509/alternative-name.ts';
import type { Certificate, Validity } from '../x509/certificate.ts';
import type { StatusLocations } from '../x509/extension.ts';
import { findCommonName } from '../x509/name.ts';
import { type CertificateRequest, parseCertificateRequest } from '../x509/request.ts';
import type { VerifiedDevice } from '../x509/verified.ts';
import { encodeCertsOnly } from './certs-only.ts';
import {
  decodeBody,
  encodeBody,
  EST_MEDIA_TYPE,
  type EstMessage,
  type EstResponse,
} from './message.ts';

/** A request to be known as a device, by somebody who holds the key. */
export interface EnrolmentRequest {
  readonly request: CertificateRequest;
  /** Who it says it is: the one common name of its subject. */
  readonly deviceId: DeviceId;
}

/** What certificates are issued with. */
export interface EnrolmentContext {
  /** An authority for devices. */
  readonly issuer: Authority;
  readonly validity: Validity;
  readonly status?: StatusLocations | undefined;
  readonly entropy: Entropy;
}

/** A device that is known now. */
export interface Enrolment {
  readonly deviceId: DeviceId;
  readonly certificate: Certificate;
  readonly response: EstResponse;
}

/**
 * Answers `GET /cacerts`: whom the clients are to trust {RFC 7030 4.1.3}.
 *
 * @param certificates - the root, and the authorities below it that clients need for their chains.
 */
export function answerCaCerts(certificates: readonly Certificate[]): EstResponse {
  return respond(certificates);
}

/**
 * Reads the body of an enrolment and checks that its sender holds the key {RFC 7030 4.2.1}.
 *
 * @param message - media type and body, from outside.
 * @throws PkiFault EST_MEDIA_TYPE, EST_MALFORMED, LIMIT; DEVICE_ID when the subject has not one common
 *   name that is a device id; CSR_POSSESSION and others as `parseCertificateRequest`.
 */
export function parseEnrolmentRequest(message: EstMessage): EnrolmentRequest {
  const request = parseCertificateRequest(
    decodeBody(message, EST_MEDIA_TYPE.request, EST_BODY_MAX_BYTES),
  );
  return { request, deviceId: parseDeviceId(findCommonName(request.subject)) };
}

/**
 * Answers `POST /simpleenroll`.
 *
 * @param message - media type and body, from outside.
 * @param permitted - the one device that the caller has shown it may enrol; undefined when none.
 * @param context - authority, dates and chance.
 * @throws PkiFault EST_FORBIDDEN when the request is for another device; as `parseEnrolmentRequest`
 *   and `issueDeviceCertificate`. `refuseEnrolment` makes the response of each.
 */
export async function simpleEnrol(
  message: EstMessage,
  permitted: DeviceId | undefined,
  context: EnrolmentContext,
): Promise<Enrolment> {
  const { request, deviceId } = parseEnrolmentRequest(message);
  if (deviceId !== permitted) {
    throw new PkiFault('EST_FORBIDDEN', `Cannot enrol ${deviceId}: the caller may not`);
  }
  return await enrol(deviceId, request, context);
}

/**
 * Answers `POST /simplereenroll`: a new certificate for the same device, for the same key or a new one.
 *
 * @param message - media type and body, from outside.
 * @param client - the device, as its TLS certificate proves it.
 * @param context - authority, dates and chance.
 * @throws PkiFault CSR_SUBJECT when subject or alternative names are not those of the TLS certificate
 *   {RFC 7030 4.2.2}; as `parseEnrolmentRequest` and `issueDeviceCertificate`.
 */
export async function simpleReenrol(
  message: EstMessage,
  client: VerifiedDevice,
  context: EnrolmentContext,
): Promise<Enrolment> {
  const { request, deviceId } = parseEnrolmentRequest(message);
  const { subject, alternativeNames } = client.certificate;
  if (
    !equalBytes(request.subject.der, subject.der) ||
    !isSameNames(request.alternativeNames, alternativeNames)
  ) {
    throw new PkiFault('CSR_SUBJECT', `Cannot re-enrol ${client.deviceId}: it asks as another`);
  }
  return await enrol(deviceId, request, context);
}

/**
 * Translates a refusal into its HTTP response {RFC 7030 4.2.3}.
 *
 * @param fault - what the functions above threw.
 */
export function refuseEnrolment(fault: PkiFault): EstResponse {
  return {
    status: statusOf(fault.code),
    mediaType: EST_MEDIA_TYPE.refusal,
    body: utf8(`${fault.code}: ${fault.message}\n`),
    isBase64: false,
  };
}

/** What is not here is a bad request. */
const STATUS_OF_FAULT: ReadonlyMap<PkiFaultCode, number> = new Map([
  ['EST_FORBIDDEN', 403],
  ['CSR_SUBJECT', 403],
  ['LIMIT', 413],
  ['EST_MEDIA_TYPE', 415],
  // Nothing the client sent: the authority is out of its dates.
  ['ISSUE_REFUSED', 500],
]);

function statusOf(code: PkiFaultCode): number {
  // Neither is a token that does not sign.
  if (code.startsWith('PKCS11_')) return 500;
  return STATUS_OF_FAULT.get(code) ?? 400;
}

async function enrol(
  deviceId: DeviceId,
  { publicKeyDer }: CertificateRequest,
  { issuer, validity, status, entropy }: EnrolmentContext,
): Promise<Enrolment> {
  const leaf = { deviceId, publicKeyDer, validity, status, entropy };
  const certificate = await issueDeviceCertificate(issuer, leaf);
  // {RFC 7030 4.2.3}: only the certificate that was issued.
  return { deviceId, certificate, response: respond([certificate]) };
}

function respond(certificates: readonly Certificate[]): EstResponse {
  return {
    status: 200,
    mediaType: EST_MEDIA_TYPE.certificates,
    body: encodeBody(encodeCertsOnly(certificates)),
    isBase64: true,
  };
}

function isSameNames(
  left: AlternativeNames | undefined,
  right: AlternativeNames | undefined,
): boolean {
  return JSON.stringify(listNames(left)) === JSON.stringify(listNames(right));
}

function listNames(names: AlternativeNames | undefined): unknown {
  if (names === undefined) return undefined;
  const { dnsNames, ipAddresses, uris } = names;
  const addresses = ipAddresses.map((address) => Buffer.from(address).toString('hex'));
  return [dnsNames, addresses, uris];
}
