/**
 * Authentication with certificates at both ends of UDS {14229-1:2020 10.6}: chains are checked by
 * `pki`, proofs sign the token of `bus`, and a role comes from the certificate alone.
 */
import { createHash } from 'node:crypto';
import type { Entropy } from '@immota/base';
import { equalBytes, utf8 } from '@immota/base';
import {
  type CertificateRequest,
  encodeOwnershipToken,
  type OwnershipToken,
  type ResponseCodeName,
  type ServerChallenge,
  UdsFault,
  type UdsStep,
} from '@immota/bus';
import {
  type Certificate,
  checkChain,
  findCommonName,
  isSignedBy,
  parseCertificatesPem,
  parsePem,
  parsePublicKey,
  PkiFault,
  type PkiFaultCode,
  signerFromPrivateKey,
} from '@immota/pki';
import { type LinkCredential, PRIMARY_NAME } from '../link/link-credentials.ts';
import { refuse } from './uds-application.ts';
import type { AuthenticationPort } from './uds-ports.ts';

/** Which ECU of which vehicle is meant: both go into every proof. */
export interface DiagnosticPeer {
  readonly vin: string;
  readonly ecuSerialNumber: string;
}

/** What an ECU judges testers by. */
export interface EcuAuthenticationOptions extends DiagnosticPeer {
  /** Authorities of testers; each chain must lead to one of them. */
  readonly anchors: readonly Certificate[];
  /** Reads the role out of a certificate that was checked; undefined for none. */
  readonly roleOf: (certificate: Certificate) => string | undefined;
  /** The ECU's own, for testers that want to see one. */
  readonly credential: LinkCredential;
  readonly entropy: Entropy;
  /** When certificates have to be valid. */
  readonly now: () => Temporal.Instant;
}

/** What a tester shows, and what it wants to see. */
export interface TesterAuthenticationOptions extends DiagnosticPeer {
  readonly credential: LinkCredential;
  /** Names that the ECU's certificate must have one of; undefined: the ECU need not show any. */
  readonly ecuDnsName: string | undefined;
  readonly now: () => Temporal.Instant;
}

const CHALLENGE_BYTES = 32;
const NOTHING: Uint8Array = new Uint8Array();

const RESPONSES: ReadonlyMap<PkiFaultCode, ResponseCodeName> = new Map([
  ['CHAIN_NOT_YET_VALID', 'certificateInvalidTimePeriod'],
  ['CHAIN_EXPIRED', 'certificateInvalidTimePeriod'],
  ['CHAIN_SIGNATURE', 'certificateInvalidSignature'],
  ['CHAIN_UNTRUSTED', 'certificateInvalidChainOfTrust'],
  ['CHAIN_NOT_AUTHORITY', 'certificateInvalidChainOfTrust'],
  ['CHAIN_PATH_LENGTH', 'certificateInvalidChainOfTrust'],
  ['CHAIN_PURPOSE', 'certificateInvalidType'],
  ['CHAIN_NAME', 'certificateInvalidScope'],
]);

/** Makes the ECU's port. */
export function createEcuAuthentication(options: EcuAuthenticationOptions): AuthenticationPort {
  const { anchors, roleOf, credential, entropy, now } = options;
  const check = ({ certificate }: CertificateRequest): Certificate => {
    try {
      return checkBearer(certificate, 'device', anchors, now());
    } catch (error) {
      if (!(error instanceof PkiFault)) throw error;
      return refuse(RESPONSES.get(error.code) ?? 'certificateInvalidFormat');
    }
  };
  return {
    verifyCertificate: async (request) => {
      if (roleOf(check(request)) === undefined) refuse('certificateInvalidScope');
      const answer: ServerChallenge = {
        challenge: entropy.bytes(CHALLENGE_BYTES),
        ephemeralKey: NOTHING,
        certificate: NOTHING,
        proof: NOTHING,
      };
      if (!request.isBidirectional) return answer;
      const certificate = utf8(credential.certificatePem);
      const shown = { ...answer, certificate };
      const token = tokenOf('ecu', options, { request, answer: shown, ephemeralKey: NOTHING });
      return { ...shown, proof: await sign(credential, token) };
    },
    verifyProof: async ({ request, answer, proof: { proof, ephemeralKey } }) => {
      const certificate = check(request);
      const role = roleOf(certificate) ?? refuse('certificateInvalidScope');
      const token = tokenOf('tester', options, { request, answer, ephemeralKey });
      if (!isProof(certificate, token, proof)) refuse('ownershipVerificationFailed');
      return await Promise.resolve({ role, sessionKeyInformation: NOTHING });
    },
  };
}

/**
 * Makes a tester's proof, after it has checked the ECU's where one is wanted.
 *
 * @throws UdsFault ANSWER_UNEXPECTED when the ECU is not the one that is meant.
 */
export async function proveToEcu(
  { request, answer }: Extract<UdsStep, { readonly kind: 'prove' }>,
  options: TesterAuthenticationOptions,
): Promise<Uint8Array> {
  if (answer.challenge.length < CHALLENGE_BYTES) throw untrusted('a short challenge');
  if (options.ecuDnsName !== undefined) checkEcu(request, answer, options);
  const exchange = { request, answer, ephemeralKey: NOTHING };
  return await sign(options.credential, tokenOf('tester', options, exchange));
}

/** Reads the role of the vehicle's own Primary out of its link certificate; others have none. */
export function primaryRoleOf({ subject }: Certificate): string | undefined {
  return findCommonName(subject) === PRIMARY_NAME ? PRIMARY_NAME : undefined;
}

/** Encodes what a tester shows. */
export function certificateOf({ certificatePem }: LinkCredential): Uint8Array {
  return utf8(certificatePem);
}

function checkEcu(
  request: CertificateRequest,
  answer: ServerChallenge,
  options: TesterAuthenticationOptions,
): void {
  const { credential, ecuDnsName = '', now } = options;
  // Our own words thrown back at us prove nothing.
  if (equalBytes(request.challenge, answer.challenge)) throw untrusted('our own challenge');
  try {
    const anchors = parseCertificatesPem(credential.authorityPem);
    const certificate = checkBearer(answer.certificate, 'server', anchors, now());
    const isMeant = certificate.alternativeNames?.dnsNames.includes(ecuDnsName) === true;
    const token = tokenOf('ecu', options, { request, answer, ephemeralKey: NOTHING });
    if (!isMeant || !isProof(certificate, token, answer.proof)) throw untrusted('another ECU');
  } catch (error) {
    if (error instanceof PkiFault) throw untrusted(error.code, error);
    throw error;
  }
}

function checkBearer(
  pem: Uint8Array,
  purpose: 'device' | 'server',
  anchors: readonly Certificate[],
  at: Temporal.Instant,
): Certificate {
  const [leaf, ...intermediates] = parseCertificatesPem(Buffer.from(pem).toString('latin1'));
  if (leaf === undefined) throw untrusted('no certificate');
  checkChain(leaf, purpose, { intermediates, anchors, at });
  return leaf;
}

function isProof(certificate: Certificate, token: Uint8Array, proof: Uint8Array): boolean {
  return isSignedBy(parsePublicKey(certificate.publicKeyDer), token, proof);
}

async function sign({ privateKeyPem }: LinkCredential, token: Uint8Array): Promise<Uint8Array> {
  return await signerFromPrivateKey(parsePem('PRIVATE KEY', privateKeyPem)).sign(token);
}

function tokenOf(
  signer: OwnershipToken['signer'],
  { vin, ecuSerialNumber }: DiagnosticPeer,
  exchange: {
    readonly request: CertificateRequest;
    readonly answer: ServerChallenge;
    readonly ephemeralKey: Uint8Array;
  },
): Uint8Array {
  const { request, answer, ephemeralKey } = exchange;
  const certificate = signer === 'tester' ? request.certificate : answer.certificate;
  return encodeOwnershipToken({
    signer,
    certificateSha256: new Uint8Array(createHash('sha256').update(certificate).digest()),
    testerChallenge: request.challenge,
    ecuChallenge: answer.challenge,
    testerEphemeralKey: ephemeralKey,
    ecuEphemeralKey: answer.ephemeralKey,
    vin,
    ecuSerialNumber,
  });
}

function untrusted(what: string, cause?: unknown): UdsFault {
  return new UdsFault('ANSWER_UNEXPECTED', `Cannot trust ECU: ${what}`, { cause });
}
