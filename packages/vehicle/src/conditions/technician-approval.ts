/**
 * A technician's approval of steps that no vehicle may do by itself: signed by keys that the maker has
 * given to workshops, for one vehicle, certain steps and ECUs, a span of time, and once.
 */
import { type Brand, InputFault, type JsonObject, type Signer } from '@immota/base';
import {
  AKTUALIZR,
  checkThreshold,
  decodeEnvelope,
  type KeyId,
  type PublicKey,
  signMetadata,
  UptaneFault,
} from '@immota/uptane';
import { z } from 'zod';
import { ConditionFault } from './condition-fault.ts';
import { APPROVAL_MAX_BYTES, APPROVAL_PARTS_MAX } from './limits.ts';

/** What is approved. */
export interface TechnicianApproval {
  /** Told apart by it: an approval is good once. */
  readonly id: string;
  readonly technician: string;
  readonly vehicle: string;
  /** Of the update, as the Director names it. */
  readonly assignment: string;
  readonly steps: readonly string[];
  readonly ecus: readonly string[];
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
}

/** Holding a `VerifiedApproval` tells you: its signature, vehicle, assignment and time were checked just now. */
export type VerifiedApproval = Brand<TechnicianApproval, 'VerifiedApproval'>;

/** What an approval is held against. */
export interface ApprovalContext {
  /** Keys of workshops, by their identifiers. One signature is enough. */
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly vehicle: string;
  readonly assignment: string;
  /** Attested time. */
  readonly now: Temporal.Instant;
  /** Remembers durably that an approval was used; false when it was used before. */
  readonly useOnce: (id: string) => boolean;
}

const TYPE = 'TechnicianApproval';
const text = z.string().min(1).max(128);
const instant = z.iso.datetime();

const approvalSchema = z.strictObject({
  _type: z.literal(TYPE),
  id: z.string().regex(/^[0-9a-f]{32,64}$/u),
  technician: text,
  vehicle: text,
  assignment: text,
  steps: z.array(text).min(1).max(APPROVAL_PARTS_MAX),
  ecus: z.array(text).min(1).max(APPROVAL_PARTS_MAX),
  from: instant,
  until: instant,
});

/** Signs an approval, as a workshop's tool does. */
export async function signApproval(
  { from, until, steps, ecus, ...rest }: TechnicianApproval,
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const signed: JsonObject = {
    _type: TYPE,
    ...rest,
    steps: [...steps],
    ecus: [...ecus],
    from: from.toString(),
    until: until.toString(),
  };
  return signMetadata(AKTUALIZR, signed, signers);
}

/**
 * Verifies an approval and uses it up.
 *
 * @param bytes - from outside.
 * @throws ConditionFault APPROVAL_INVALID.
 */
export function verifyApproval(bytes: Uint8Array, context: ApprovalContext): VerifiedApproval {
  const { keys, vehicle, assignment, now, useOnce } = context;
  const approval = readApproval(bytes, keys);
  if (approval.vehicle !== vehicle || approval.assignment !== assignment) {
    throw invalid('it is for another vehicle or update');
  }
  const isTimely =
    Temporal.Instant.compare(approval.from, now) <= 0 &&
    Temporal.Instant.compare(now, approval.until) <= 0;
  if (!isTimely) throw invalid('it is too early or too late');
  if (!useOnce(approval.id)) throw invalid('it was used before');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return approval as VerifiedApproval;
}

function readApproval(bytes: Uint8Array, keys: ReadonlyMap<KeyId, PublicKey>): TechnicianApproval {
  try {
    const envelope = decodeEnvelope(AKTUALIZR, bytes, APPROVAL_MAX_BYTES);
    checkThreshold(envelope, keys, { keyIds: new Set(keys.keys()), threshold: 1 });
    const parsed = approvalSchema.safeParse(envelope.signed);
    if (!parsed.success) throw invalid('it does not say what is approved');
    const { from, until, _type: _, ...rest } = parsed.data;
    return { ...rest, from: Temporal.Instant.from(from), until: Temporal.Instant.from(until) };
  } catch (error) {
    if (error instanceof UptaneFault) throw invalid('nobody who may has signed it', error);
    // A date in the right form can still be none.
    const isMalformed = error instanceof InputFault || error instanceof RangeError;
    throw isMalformed ? invalid('it is malformed', error) : error;
  }
}

function invalid(why: string, cause?: unknown): ConditionFault {
  return new ConditionFault('APPROVAL_INVALID', `Cannot take approval: ${why}`, { cause });
}
