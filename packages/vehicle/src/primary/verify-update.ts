/** Full verification for all ECUs of the vehicle {uptane I4} {uptane L1}, whatever the source. */
import { findFaultCode, type JsonObject, member } from '@immota/base';
import {
  AKTUALIZR,
  type AssignedTarget,
  assignedTargets,
  decodeTargets,
  type EcuIdentifier,
  limits,
  runWorkflow,
  type Targets,
  TARGETS_ROLE,
  type VerifiedAssignment,
  type VerifiedUpdate,
  verifyFully,
} from '@immota/uptane';
import type { PrimaryContext } from './context.ts';
import { isInstalled } from './installation.ts';
import { type MetadataSource, performFrom } from './metadata-source.ts';
import { type CollectedReports, ecuStates } from './reports.ts';

/** What the Director wants, verified. */
export interface Offer {
  readonly correlationId: string;
  /** Empty when everything assigned is installed. */
  readonly assignments: readonly VerifiedAssignment[];
  /** Of the Director's Targets: texts for the owner. */
  readonly custom: JsonObject;
}

/** Names an update that its Director has not named. */
const NO_CORRELATION = '';

/**
 * Brings the metadata of both repositories up to date and compares them {uptane L4}. Only what is
 * trusted reaches the state; what was stored is checked again as if it were foreign.
 *
 * @param now - the attested time.
 * @throws UptaneFault naming the attack; the metadata of before stay in force.
 */
export async function verifyUpdate(
  context: PrimaryContext,
  source: MetadataSource,
  cycle: { readonly now: Temporal.Instant; readonly reports: CollectedReports },
): Promise<Offer> {
  const { bundle } = context;
  const repository = { dialect: AKTUALIZR, now: cycle.now, chain: 'full' } as const;
  const workflow = verifyFully({
    director: { ...repository, pinnedRoot: bundle.pinnedRoots.director },
    image: { ...repository, pinnedRoot: bundle.pinnedRoots.image },
    vehicleIdentifier: bundle.vehicleIdentifier,
    ecus: ecuStates(context, cycle.reports),
    strangers: 'refuse',
    isInstalled: (target) => isInstalled(cycle.reports.get(target.ecuIdentifier)?.report, target),
  });
  return offerOf(await runWorkflow(workflow, performFrom(context, source)));
}

/** One ECU of the offer that the stored Director Targets make. */
interface StoredTarget {
  readonly hardware: string;
  readonly target: AssignedTarget;
}

/** An update as the Director's stored Targets name it; they were trusted when they were stored. */
export interface StoredOffer {
  readonly correlationId: string;
  readonly ecus: ReadonlyMap<EcuIdentifier, StoredTarget>;
}

/** Finds the update that the Director's stored Targets assign; undefined when it has no name. */
export function findStoredOffer(context: PrimaryContext): StoredOffer | undefined {
  const body = loadTargets(context);
  if (body === undefined) return undefined;
  const correlationId = correlationOf(body.custom);
  if (correlationId === NO_CORRELATION) return undefined;
  const ecus = [...assignedTargets(body)].map((target) => {
    const { hardwareIdentifier: hardware } = target.assignment;
    return [target.ecuIdentifier, { hardware, target }] as const;
  });
  return { correlationId, ecus: new Map(ecus) };
}

/** Finds what the Director's stored Targets say besides their images, and of which update. */
export function findStoredCustom(
  context: PrimaryContext,
): Pick<Offer, 'correlationId' | 'custom'> | undefined {
  const custom = loadTargets(context)?.custom;
  return custom === undefined ? undefined : { correlationId: correlationOf(custom), custom };
}

function loadTargets({ state }: PrimaryContext): Targets | undefined {
  const bytes = state.metadata.load('director', TARGETS_ROLE);
  if (bytes === undefined) return undefined;
  const lengthMax = limits.DIRECTOR_TARGETS_MAX_BYTES;
  return decodeTargets(AKTUALIZR, bytes, { role: TARGETS_ROLE, lengthMax }).body;
}

/**
 * Finds which update a refusal belongs to, so that the Director can be told: the one that the Director
 * Targets now stored name, which are trusted even when the images they name are not.
 *
 * @returns undefined when the Director's own metadata were refused.
 */
export function findRefusedOffer(context: PrimaryContext, error: unknown): StoredOffer | undefined {
  const concernsImages =
    CONCERNS_IMAGES.has(findFaultCode(error) ?? '') || isOfImageRepository(error);
  return concernsImages ? findStoredOffer(context) : undefined;
}

/** Refusals of an assignment itself, when the metadata around it hold. */
const CONCERNS_IMAGES: ReadonlySet<string> = new Set([
  'HARDWARE_MISMATCH',
  'RELEASE_COUNTER',
  'ECU_UNKNOWN',
  'TARGET_MISMATCH',
  'TARGET_UNKNOWN',
]);

function isOfImageRepository(error: unknown): boolean {
  return error instanceof Error && 'repository' in error && error.repository === 'image';
}

function offerOf({ directorTargets, assignments }: VerifiedUpdate): Offer {
  const { custom } = directorTargets.body;
  return { correlationId: correlationOf(custom), assignments, custom };
}

function correlationOf(custom: JsonObject): string {
  const value = member(custom, 'correlationId');
  return typeof value === 'string' ? value : NO_CORRELATION;
}
