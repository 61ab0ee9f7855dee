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
  UptaneFault,
  type VerifiedAssignment,
  verifyFully,
  verifyPartially,
} from '@immota/uptane';
import { z } from 'zod';
import { fetchFromBundle, type MetadataBundle } from '../link/metadata-bundle.ts';
import { jsonValue } from '../primary/json-value.ts';
import type { SecondaryContext } from './secondary-context.ts';
import { releaseCounterOf } from './version-report.ts';

/** The highest version of the Director's Targets that was verified, kept or not. */
const TARGETS_SEEN = jsonValue('targets-seen', z.int());

/**
 * Verifies a bundle, and keeps what is to be trusted.
 *
 * @returns what is to be installed; undefined when nothing is, or it runs already.
 * @throws UptaneFault as the trust core refuses; VehicleFault ENDLESS_DATA.
 */
export async function verifyBundle(
  context: SecondaryContext,
  bundle: MetadataBundle,
  now: Temporal.Instant,
): Promise<VerifiedAssignment | undefined> {
  const held: { targets: Trusted<Metadata> | undefined } = { targets: undefined };
  const perform = performFor(context, bundle, held);
  const assignment =
    context.factory.verification === 'full'
      ? await runFully(context, now, perform)
      : await runPartially(context, now, perform);
  if (held.targets !== undefined) keepTargets(context, held.targets);
  return assignment;
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

/**
 * {uptane K5}: Targets without an entry for this ECU do not take the place of the previous ones. Their
 * version is remembered all the same, or whoever replays the previous ones could bring back what the
 * Director has withdrawn.
 */
function keepTargets(context: SecondaryContext, targets: Trusted<Metadata>): void {
  const { state } = context;
  const { version } = targets.body;
  const seen = state.values.load(TARGETS_SEEN) ?? 0;
  if (version < seen) {
    throw new UptaneFault('ROLLBACK', `Cannot trust Targets: version ${version} after ${seen}`, {
      repository: 'director',
      role: TARGETS_ROLE,
    });
  }
  state.transaction(() => {
    state.values.save(TARGETS_SEEN, version);
    if (names(context, targets)) state.metadata.save('director', TARGETS_ROLE, targets);
  });
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
    // {uptane L7}: new keys begin with versions of their own.
    if (step.kind === 'drop' && step.repository === 'director') state.values.remove(TARGETS_SEEN);
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
