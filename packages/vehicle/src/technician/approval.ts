/**
 * A technician's word on a stop of an update {R156 7.1.4.2}: signed by a key that the maker's workshop
 * authority vouches for, over the vehicle, the update, the step, the very work, and a challenge that the
 * vehicle has drawn for this one stop. So it is good once, there, and for hours.
 */
import { createHash } from 'node:crypto';
import { type Brand, concatBytes, InputFault, parseJson, utf8 } from '@immota/base';
import {
  type Certificate,
  checkChain,
  encodeCertificatesPem,
  findCommonName,
  isSignedBy,
  parseCertificatesPem,
  parsePem,
  parsePublicKey,
  PkiFault,
  signerFromPrivateKey,
} from '@immota/pki';
import { z } from 'zod';
import { ConditionFault, type ConditionFaultCode } from '../conditions/condition-fault.ts';
import { APPROVAL_MAX_BYTES, APPROVAL_MAX_HOURS } from './limits.ts';
import type { TechnicianStep } from './stop.ts';

/** What a technician says. */
export interface TechnicianApproval {
  /** Told apart by it. */
  readonly id: string;
  readonly vehicle: string;
  /** Of the update, as the Director names it. */
  readonly correlationId: string;
  readonly step: TechnicianStep;
  /** See `workSha256Of`. */
  readonly workSha256: string;
  /** As the vehicle has shown it, in hex. */
  readonly challenge: string;
  /** `stop` takes back what was begun. */
  readonly decision: 'go' | 'stop';
  /** In words; empty for `go`. */
  readonly reason: string;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
}

/** Holding a `VerifiedApproval` tells you: chain, signature, vehicle, work, challenge and time were checked just now. */
export type VerifiedApproval = Brand<
  TechnicianApproval & {
    /** As the certificate names them. */
    readonly technician: string;
    /** Of the approval as it came. */
    readonly sha256: string;
  },
  'VerifiedApproval'
>;

/** A technician's certificate with the authorities above it, and its key: PEM. */
export interface TechnicianCredential {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What an approval is held against. */
export interface ApprovalContext extends Pick<
  TechnicianApproval,
  'vehicle' | 'correlationId' | 'step' | 'workSha256' | 'challenge'
> {
  /** Authorities of workshops, from the factory. */
  readonly anchors: readonly Certificate[];
  /** Attested time. */
  readonly now: Temporal.Instant;
  /** Whether an approval of that id was taken before. */
  readonly isUsed: (id: string) => boolean;
}

const TYPE = 'TechnicianApproval';
/** What is signed begins with this, so that no other document by the same key passes for an approval. */
const DOMAIN = utf8('immota technician approval 1\0');

const hex256 = z.string().regex(/^[0-9a-f]{64}$/u);
const name = z.string().min(1).max(256);

const payloadSchema = z.strictObject({
  _type: z.literal(TYPE),
  id: z.string().regex(/^[0-9a-f]{32}$/u),
  vehicle: name,
  correlationId: z.string().max(256),
  step: z.enum(['activate', 'commit']),
  workSha256: hex256,
  challenge: hex256,
  decision: z.enum(['go', 'stop']),
  reason: z.string().max(200),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
});

const envelopeSchema = z.strictObject({
  payload: z.base64(),
  certificates: z.string(),
  signature: z.base64(),
});

/** Signs an approval, as a workshop's tool does. @throws PkiFault for a credential that is none. */
export async function signApproval(
  { from, until, ...rest }: TechnicianApproval,
  { certificatePem, privateKeyPem }: TechnicianCredential,
): Promise<Uint8Array> {
  const said = { _type: TYPE, ...rest, from: from.toString(), until: until.toString() };
  const payload = utf8(JSON.stringify(said));
  const signer = signerFromPrivateKey(parsePem('PRIVATE KEY', privateKeyPem));
  const signature = await signer.sign(concatBytes([DOMAIN, payload]));
  const certificates = encodeCertificatesPem(parseCertificatesPem(certificatePem));
  return utf8(
    JSON.stringify({
      payload: payload.toBase64(),
      certificates,
      signature: signature.toBase64(),
    }),
  );
}

/**
 * Verifies an approval. It uses nothing up: whoever takes it remembers its id.
 *
 * @param bytes - from outside.
 * @throws ConditionFault APPROVAL_MALFORMED, APPROVAL_UNTRUSTED, APPROVAL_REPLAYED, APPROVAL_FOREIGN,
 * APPROVAL_TIME, in that order.
 */
export function verifyApproval(bytes: Uint8Array, context: ApprovalContext): VerifiedApproval {
  const { payload, signature, leaf, intermediates } = readEnvelope(bytes);
  checkSignature(context, { payload, signature, leaf, intermediates });
  const said = readPayload(payload);
  const { now, isUsed } = context;
  if (isUsed(said.id)) throw refused('APPROVAL_REPLAYED', 'it was used before');
  const other = BOUND.find((part) => said[part] !== context[part]);
  if (other !== undefined) throw refused('APPROVAL_FOREIGN', `it is for another ${WORDS[other]}`);
  const spanHours = said.from.until(said.until).total('hours');
  const isTimely =
    spanHours <= APPROVAL_MAX_HOURS &&
    Temporal.Instant.compare(said.from, now) <= 0 &&
    Temporal.Instant.compare(now, said.until) <= 0;
  if (!isTimely) throw refused('APPROVAL_TIME', 'it is too early, too late, or good for too long');
  const technician = findCommonName(leaf.subject) ?? '';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return { ...said, technician, sha256 } as VerifiedApproval;
}

const BOUND = ['vehicle', 'correlationId', 'step', 'workSha256', 'challenge'] as const;
const WORDS: Readonly<Record<(typeof BOUND)[number], string>> = {
  vehicle: 'vehicle',
  correlationId: 'update',
  step: 'step',
  workSha256: 'work than this',
  challenge: 'stop than this one',
};

interface Signed {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

function readEnvelope(bytes: Uint8Array): Signed {
  try {
    const parsed = envelopeSchema.safeParse(parseJson(bytes, APPROVAL_MAX_BYTES));
    if (!parsed.success) throw malformed('it is no approval');
    const [leaf, ...intermediates] = parseCertificatesPem(parsed.data.certificates);
    if (leaf === undefined) throw malformed('it shows no certificate');
    const payload = Uint8Array.fromBase64(parsed.data.payload);
    const signature = Uint8Array.fromBase64(parsed.data.signature);
    return { payload, signature, leaf, intermediates };
  } catch (error) {
    if (error instanceof InputFault || error instanceof PkiFault) {
      throw malformed(error.message, error);
    }
    throw error;
  }
}

function checkSignature({ anchors, now }: ApprovalContext, signed: Signed): void {
  const { payload, signature, leaf, intermediates } = signed;
  try {
    checkChain(leaf, 'device', { intermediates, anchors, at: now });
    const key = parsePublicKey(leaf.publicKeyDer);
    if (isSignedBy(key, concatBytes([DOMAIN, payload]), signature)) return;
  } catch (error) {
    if (!(error instanceof PkiFault)) throw error;
    throw refused('APPROVAL_UNTRUSTED', `no workshop vouches for it (${error.code})`, error);
  }
  throw refused('APPROVAL_UNTRUSTED', 'its signature is another key’s, or of other words');
}

function readPayload(payload: Uint8Array): TechnicianApproval {
  try {
    const parsed = payloadSchema.safeParse(parseJson(payload, APPROVAL_MAX_BYTES));
    if (!parsed.success) throw malformed('it does not say what is approved');
    const { from, until, _type: _, ...rest } = parsed.data;
    return { ...rest, from: Temporal.Instant.from(from), until: Temporal.Instant.from(until) };
  } catch (error) {
    // A date in the right form can still be none.
    const isMalformed = error instanceof InputFault || error instanceof RangeError;
    throw isMalformed ? malformed(error.message, error) : error;
  }
}

function malformed(why: string, cause?: unknown): ConditionFault {
  return refused('APPROVAL_MALFORMED', why, cause);
}

function refused(
  code: ConditionFaultCode & `APPROVAL_${string}`,
  why: string,
  cause?: unknown,
): ConditionFault {
  return new ConditionFault(code, `Cannot take approval: ${why}`, { cause });
}
