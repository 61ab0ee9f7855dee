/**
 * Authentication {14229-1:2020 10.6} by certificates (APCE): the tester shows a certificate, the
 * server sends a challenge, the tester proves that it owns the key. Both directions where asked.
 */
import { makeCall, type UdsCall } from '../call.ts';
import { CERTIFICATE_MAX_BYTES, CHALLENGE_MAX_BYTES, PROOF_MAX_BYTES } from '../limits.ts';
import { countedBytes, MessageReader } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/** The sub-functions that are served. */
export const AUTHENTICATION_TASKS = {
  deAuthenticate: 0,
  verifyCertificateUnidirectional: 1,
  verifyCertificateBidirectional: 2,
  proofOfOwnership: 3,
  configuration: 8,
} as const;

/** Return values of positive responses {14229-1:2020 B.5}. */
export const AUTHENTICATION_RETURNS = {
  configurationApce: 0x02,
  deAuthenticated: 0x10,
  certificateVerified: 0x11,
  ownershipVerified: 0x12,
} as const;

/** What a tester shows. */
export interface CertificateRequest {
  readonly isBidirectional: boolean;
  readonly communicationConfiguration: number;
  readonly certificate: Uint8Array;
  /** The tester's challenge; the server signs it where both directions are asked for. */
  readonly challenge: Uint8Array;
}

/** What the server answers to a certificate. */
export interface ServerChallenge {
  readonly challenge: Uint8Array;
  /** Empty where no session key is made. */
  readonly ephemeralKey: Uint8Array;
  /** The server's own certificate and proof; empty in the one direction. */
  readonly certificate: Uint8Array;
  readonly proof: Uint8Array;
}

/** A tester's proof. */
export interface OwnershipProof {
  readonly proof: Uint8Array;
  readonly ephemeralKey: Uint8Array;
}

/** Shows a certificate. */
export function verifyCertificate(request: CertificateRequest): UdsCall<ServerChallenge> {
  const task = request.isBidirectional
    ? AUTHENTICATION_TASKS.verifyCertificateBidirectional
    : AUTHENTICATION_TASKS.verifyCertificateUnidirectional;
  const head = Uint8Array.of(SERVICES.authentication, task, request.communicationConfiguration);
  const parts = [head, ...countedBytes(request.certificate), ...countedBytes(request.challenge)];
  return makeCall(parts, 1, (reader) => {
    checkReturn(reader, AUTHENTICATION_RETURNS.certificateVerified);
    return readServerChallenge(reader, request.isBidirectional);
  });
}

/** Proves the ownership of the certificate's key. @returns what makes the session key, if anything. */
export function proveOwnership({ proof, ephemeralKey }: OwnershipProof): UdsCall<Uint8Array> {
  const head = Uint8Array.of(SERVICES.authentication, AUTHENTICATION_TASKS.proofOfOwnership);
  return makeCall([head, ...countedBytes(proof), ...countedBytes(ephemeralKey)], 1, (reader) => {
    checkReturn(reader, AUTHENTICATION_RETURNS.ownershipVerified);
    return reader.takeCounted(CHALLENGE_MAX_BYTES);
  });
}

/** Gives the rights back. */
export function deAuthenticate(): UdsCall<undefined> {
  const request = Uint8Array.of(SERVICES.authentication, AUTHENTICATION_TASKS.deAuthenticate);
  return makeCall([request], 1, (reader) =>
    checkReturn(reader, AUTHENTICATION_RETURNS.deAuthenticated),
  );
}

/** Asks which concept of authentication the server follows. @returns the standard's number of it. */
export function readAuthenticationConfiguration(): UdsCall<number> {
  const request = Uint8Array.of(SERVICES.authentication, AUTHENTICATION_TASKS.configuration);
  return makeCall([request], 1, (reader) => reader.uint(1));
}

/** Reads a request that shows a certificate. */
export function readCertificateRequest(
  request: Uint8Array,
  isBidirectional: boolean,
): CertificateRequest {
  const reader = new MessageReader(request, 2);
  const communicationConfiguration = reader.uint(1);
  const certificate = reader.takeCounted(CERTIFICATE_MAX_BYTES);
  const challenge = reader.takeCounted(CHALLENGE_MAX_BYTES);
  reader.end();
  return { isBidirectional, communicationConfiguration, certificate, challenge };
}

/** Reads a request that proves ownership. */
export function readOwnershipProof(request: Uint8Array): OwnershipProof {
  const reader = new MessageReader(request, 2);
  const proof = reader.takeCounted(PROOF_MAX_BYTES);
  const ephemeralKey = reader.takeCounted(CHALLENGE_MAX_BYTES);
  reader.end();
  return { proof, ephemeralKey };
}

/** Encodes the answer to a certificate. */
export function encodeServerChallenge(
  answer: ServerChallenge,
  isBidirectional: boolean,
): readonly Uint8Array[] {
  return [
    Uint8Array.of(AUTHENTICATION_RETURNS.certificateVerified),
    ...countedBytes(answer.challenge),
    ...(isBidirectional
      ? [...countedBytes(answer.certificate), ...countedBytes(answer.proof)]
      : []),
    ...countedBytes(answer.ephemeralKey),
  ];
}

/** Encodes the answer to a proof. */
export function encodeSessionKeyInformation(information: Uint8Array): readonly Uint8Array[] {
  return [Uint8Array.of(AUTHENTICATION_RETURNS.ownershipVerified), ...countedBytes(information)];
}

function readServerChallenge(reader: MessageReader, isBidirectional: boolean): ServerChallenge {
  const challenge = reader.takeCounted(CHALLENGE_MAX_BYTES);
  const certificate = isBidirectional ? reader.takeCounted(CERTIFICATE_MAX_BYTES) : NOTHING;
  const proof = isBidirectional ? reader.takeCounted(PROOF_MAX_BYTES) : NOTHING;
  return { challenge, certificate, proof, ephemeralKey: reader.takeCounted(CHALLENGE_MAX_BYTES) };
}

const NOTHING: Uint8Array = new Uint8Array();

function checkReturn(reader: MessageReader, expected: number): undefined {
  const value = reader.uint(1);
  if (value === expected) return;
  throw new UdsFault('ANSWER_UNEXPECTED', `Cannot go on with authentication: it returned ${value}`);
}
