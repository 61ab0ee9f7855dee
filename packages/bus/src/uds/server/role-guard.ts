/**
 * Authentication by certificates {14229-1:2020 10.6}: one challenge, one proof, one role, until the
 * session ends. What a certificate says and whether a signature is right the port decides.
 */
import {
  AUTHENTICATION_RETURNS,
  AUTHENTICATION_TASKS,
  type CertificateRequest,
  encodeServerChallenge,
  encodeSessionKeyInformation,
  readCertificateRequest,
  readOwnershipProof,
  type ServerChallenge,
} from '../service/0x29-authentication.ts';
import { CHALLENGE_MIN_BYTES } from '../limits.ts';
import { RESPONSE_CODES } from '../response-code.ts';
import { type AdmittedRequest, checkLength } from './access.ts';
import { answer, type Reaction, refusal, resultOf } from './reaction.ts';

const HEAD_BYTES = 2;

/** See the head of the file. */
export class RoleGuard {
  #role: string | undefined;
  #open: { readonly request: CertificateRequest; readonly answer: ServerChallenge } | undefined;

  /** The role that was proved. */
  get role(): string | undefined {
    return this.#role;
  }

  /** Takes the role away, and forgets the challenge that was given out. */
  revoke(): void {
    this.#role = undefined;
    this.#open = undefined;
  }

  /** Serves one of the tasks that `AUTHENTICATION_TASKS` names. */
  serve(request: AdmittedRequest): Reaction {
    const echo = Uint8Array.of(request.subFunction);
    switch (request.subFunction) {
      case AUTHENTICATION_TASKS.deAuthenticate:
        checkLength(request, HEAD_BYTES);
        this.revoke();
        return answer(echo, Uint8Array.of(AUTHENTICATION_RETURNS.deAuthenticated));
      case AUTHENTICATION_TASKS.verifyCertificateUnidirectional:
      case AUTHENTICATION_TASKS.verifyCertificateBidirectional:
        return this.#takeCertificate(request, echo);
      case AUTHENTICATION_TASKS.proofOfOwnership:
        return this.#takeProof(request, echo);
      case AUTHENTICATION_TASKS.configuration:
        checkLength(request, HEAD_BYTES);
        return answer(echo, Uint8Array.of(AUTHENTICATION_RETURNS.configurationApce));
      default:
        throw refusal(RESPONSE_CODES.subFunctionNotSupported);
    }
  }

  #takeCertificate({ bytes, subFunction }: AdmittedRequest, echo: Uint8Array): Reaction {
    const isBidirectional = subFunction === AUTHENTICATION_TASKS.verifyCertificateBidirectional;
    const request = readCertificateRequest(bytes, isBidirectional);
    // A new attempt ends what an old one has gained: no role survives a failed change of roles.
    this.revoke();
    if (isBidirectional && request.challenge.length < CHALLENGE_MIN_BYTES) {
      throw refusal(RESPONSE_CODES.challengeCalculationFailed);
    }
    // Needed again for the proof, when the message is gone.
    const kept = {
      ...request,
      certificate: request.certificate.slice(),
      challenge: request.challenge.slice(),
    };
    return {
      kind: 'perform',
      operation: { kind: 'verifyCertificate', request: kept },
      conclude: (outcome) => {
        const { answer: challenge } = resultOf(outcome, 'challenge');
        this.#open = { request: kept, answer: challenge };
        return answer(echo, ...encodeServerChallenge(challenge, isBidirectional));
      },
    };
  }

  #takeProof({ bytes }: AdmittedRequest, echo: Uint8Array): Reaction {
    const open = this.#open;
    if (open === undefined) throw refusal(RESPONSE_CODES.requestSequenceError);
    const proof = readOwnershipProof(bytes);
    // A challenge is good for one proof.
    this.#open = undefined;
    return {
      kind: 'perform',
      operation: { kind: 'verifyProof', ...open, proof },
      conclude: (outcome) => {
        const { role, sessionKeyInformation } = resultOf(outcome, 'role');
        this.#role = role;
        return answer(echo, ...encodeSessionKeyInformation(sessionKeyInformation));
      },
    };
  }
}
