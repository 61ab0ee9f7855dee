/**
 * What the T-BOX must not forget of a transaction over several ECUs: how far the whole is, and each ECU.
 * It is written before what it tells of is done, so that whoever reads it knows the most that may have
 * happened; how things truly are, the ECUs say themselves.
 *
 * ```
 * preparing ──▶ activating ──▶ committing ──▶ over: all new
 *     │              └──────▶ rolling-back ─▶ over: all old
 *     └─▶ over: nothing was touched
 * ```
 *
 * The step to `committing` is the decision: before it everything can be taken back, behind it nothing is.
 */
import { z } from 'zod';
import { stopSchema } from '../technician/stop.ts';

/** How an ECU takes part. */
export type ParticipantKind =
  /** It has another slot: prepared beside what runs, and taken back by itself. */
  | 'banked'
  /** It has one bank: written when the others are prepared, taken back by writing the older image again. */
  | 'in-place'
  /** The T-BOX itself: banked, and the last to boot. */
  | 'self';

/** How far the whole is. */
export type TransactionPhase = 'preparing' | 'activating' | 'committing' | 'rolling-back';

/** How far an ECU is. */
export type EcuStep =
  /** Nothing was done to it. */
  | 'idle'
  /** The new image waits beside the running one; with one bank: it may be written from now on. */
  | 'prepared'
  /** It may be booting, or have booted, the new image. */
  | 'begun'
  /** It has reported the new image, healthy and on trial. */
  | 'trial'
  /** The new image is final. */
  | 'confirmed'
  /** It has not come to run the new image. */
  | 'failed'
  /** It runs what it ran before. */
  | 'rolled-back'
  /** It runs neither for certain: a workshop has to look. */
  | 'lost';

const phaseSchema = z.enum(['preparing', 'activating', 'committing', 'rolling-back']);
const servedSchema = z.object({ name: z.string(), lengthBytes: z.int(), path: z.string() });

const ecuSchema = z.object({
  ecu: z.string(),
  hardware: z.string(),
  kind: z.enum(['banked', 'in-place', 'self']),
  /** ECUs of a lower rank are activated first, and taken back last. */
  rank: z.int(),
  /** The image, and the SHA-256 of it in the clear. */
  name: z.string(),
  sha256: z.string(),
  /** The bytes as they were downloaded. */
  served: servedSchema,
  /** What its report named before; `served` where the T-BOX has kept those bytes. */
  old: z.object({ name: z.string(), sha256: z.string(), served: servedSchema.nullable() }),
  step: z.enum([
    'idle',
    'prepared',
    'begun',
    'trial',
    'confirmed',
    'failed',
    'rolled-back',
    'lost',
  ]),
  /** Activations, or writings of an image, since the phase began. */
  attempts: z.int(),
  failure: z.object({ code: z.string(), description: z.string() }).nullable(),
});

/** A transaction as it is kept. */
export const transactionSchema = z.object({
  correlationId: z.string(),
  phase: phaseSchema,
  /** Check-ins in this phase that ended without an answer of an ECU, or with conditions not met. */
  silences: z.int(),
  /** Where a technician has to let it go on; none in records of before there were any. */
  stops: z.array(stopSchema).default([]),
  ecus: z.array(ecuSchema),
});

/** See `transactionSchema`. */
export type TransactionRecord = Readonly<z.infer<typeof transactionSchema>>;

/** One ECU of it. */
export type TransactionEcu = Readonly<TransactionRecord['ecus'][number]>;

/** The bytes of an image as they were downloaded. */
export type ServedImage = TransactionEcu['served'];

/** Changes one ECU of a record; the silence is over then. */
export function withEcu(
  record: TransactionRecord,
  ecu: string,
  changes: Partial<Pick<TransactionEcu, 'step' | 'attempts' | 'failure'>>,
): TransactionRecord {
  const ecus = record.ecus.map((one) => (one.ecu === ecu ? { ...one, ...changes } : one));
  return { ...record, silences: 0, ecus };
}

/** Begins a phase; what was counted begins anew. */
export function withPhase(record: TransactionRecord, phase: TransactionPhase): TransactionRecord {
  const ecus = record.ecus.map((one) => ({ ...one, attempts: 0 }));
  return { ...record, phase, silences: 0, ecus };
}

/**
 * Lists the ECUs to be activated at once, group after group: by rank, within a rank those first that can
 * go back without a transfer, and the T-BOX behind all.
 */
export function activationGroups(
  ecus: readonly TransactionEcu[],
): readonly (readonly TransactionEcu[])[] {
  const groups = Map.groupBy(ecus, (ecu) => positionOf(ecu));
  return [...groups].toSorted(([left], [right]) => left - right).map(([, group]) => group);
}

/** Ranks are small: what a Director orders is cut off at 256 groups. */
const SELF_POSITION = 1_000_000;

function positionOf({ kind, rank }: TransactionEcu): number {
  return kind === 'self' ? SELF_POSITION : rank * 2 + (kind === 'in-place' ? 1 : 0);
}
