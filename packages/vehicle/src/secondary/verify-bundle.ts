/**
 * Verifies metadata inside the ECU {uptane K2} {uptane L1} {uptane I7}: fully or partially, from what
 * the Primary has handed over, and trusting nothing of it.
 */
import {
  AKTUALIZR,
  type AssignedTarget,
  assignedTargets,
  type EcuState,
  hashesAgree,
  type Metadata,
  runWorkflow,
  type StepPerformer,
  type Targets,
  TARGETS_ROLE,
  type Trusted,
  type VerifiedAssignment,
  verifyFully,
  verifyPartially,
} from '@immota/uptane';
import { fetchFromBundle, type MetadataBundle } from '../link/metadata-bundle.ts';
import { releaseCounterOf } from './version-report.ts';
import type { SecondaryContext } from './secondary-context.ts';

/** What metadata come to. */
export interface VerifiedBundle {
  /** What is to be installed; undefined when nothing is, or it runs already. */
  readonly assignment: VerifiedAssignment | undefined;
  /** False when the Director's Targets do not name this ECU at all. */
  readonly isNamed: boolean;
}

/**
 * Verifies a bundle, and keeps what is to be trusted.
 *
 * @throws UptaneFault as the trust core refuses; VehicleFault ENDLESS_DATA.
 */
export async function verifyBundle(
  context: SecondaryContext,
  bundle: MetadataBundle,
  now: Temporal.Instant,
): Promise<VerifiedBundle> {
  const held: { targets: Trusted<Metadata> | undefined } = { targets: undefined };
  const perform = performFor(context, bundle, held);
  const assignment =
    context.factory.verification === 'full'
      ? await runFully(context, now, perform)
      : await runPartially(context, now, perform);
  const isNamed = held.targets === undefined || names(context, held.targets);
  // {uptane K5}: without an entry for this ECU the previous Targets are kept.
  if (held.targets !== undefined && isNamed) {
    context.state.metadata.save('director', TARGETS_ROLE, held.targets);
  }
  return { assignment, isNamed };
}

async function runFully(
  context: SecondaryContext,
  now: Temporal.Instant,
  perform: StepPerformer,
): Promise<VerifiedAssignment | undefined> {
  const { vehicleIdentifier, ecuIdentifier, directorRoot, imageRoot } = context.factory;
  const common = { dialect: AKTUALIZR, now, chain: 'full' } as const;
  const workflow = verifyFully({
    director: { ...common, pinnedRoot: directorRoot },
    image: { ...common, pinnedRoot: imageRoot },
    vehicleIdentifier,
    ecus: new Map([[ecuIdentifier, ecuState(context)]]),
    // The other ECUs of the vehicle are none of our business.
    strangers: 'ignore',
    isInstalled: (target) => runs(context, target),
  });
  return (await runWorkflow(workflow, perform)).assignments[0];
}

async function runPartially(
  context: SecondaryContext,
  now: Temporal.Instant,
  perform: StepPerformer,
): Promise<VerifiedAssignment | undefined> {
  const { vehicleIdentifier, ecuIdentifier, directorRoot } = context.factory;
  const workflow = verifyPartially({
    director: { dialect: AKTUALIZR, now, pinnedRoot: directorRoot },
    vehicleIdentifier,
    ecuIdentifier,
    ecu: ecuState(context),
  });
  const assignment = await runWorkflow(workflow, perform);
  return assignment === undefined || runs(context, assignment) ? undefined : assignment;
}

/** The Director's Targets wait until it is known whether they name this ECU. */
function performFor(
  { state }: SecondaryContext,
  bundle: MetadataBundle,
  held: { targets: Trusted<Metadata> | undefined },
): StepPerformer {
  // oxlint-disable-next-line require-await -- the port is asynchronous, bundle and state are not
  return async (step) => {
    if (step.kind === 'fetch') return fetchFromBundle(bundle, step);
    if (step.kind === 'save' && step.repository === 'director' && step.role === TARGETS_ROLE) {
      held.targets = step.metadata;
      return undefined;
    }
    return state.metadata.perform(step);
  };
}

function names({ factory }: SecondaryContext, { body }: Trusted<Metadata>): boolean {
  return body.kind === 'targets' && namesEcu(body, factory.ecuIdentifier);
}

function namesEcu(targets: Targets, ecu: string): boolean {
  for (const { ecuIdentifier } of assignedTargets(targets)) {
    if (ecuIdentifier === ecu) return true;
  }
  return false;
}

function ecuState(context: SecondaryContext): EcuState {
  const { hardwareIdentifier } = context.factory;
  return { hardwareIdentifier, releaseCounter: releaseCounterOf(context) };
}

function runs(
  { slots }: SecondaryContext,
  { name, file }: Pick<AssignedTarget, 'name' | 'file'>,
): boolean {
  const running = slots.findRunning();
  return (
    running !== undefined &&
    running.name === name &&
    running.lengthBytes === file.lengthBytes &&
    hashesAgree(running.hashes, file.hashes)
  );
}
