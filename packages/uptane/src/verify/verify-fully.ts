/**
 * Full verification: both repositories, and that they agree {uptane L1} {uptane L3} {uptane L4}.
 *
 * A Primary asks for all its ECUs; a Secondary asks for itself, from what the Primary relays. The
 * order of steps is the standard's: time (the `now` of both repositories' options) {uptane G7}, Director, Image,
 * comparison. The repository mapping is fixed {uptane B15} {uptane L2}: every image needs both repositories,
 * and which these are is the shell's configuration.
 */
import { assert } from '@immota/base';
import { findTarget } from '../delegation/find-target.ts';
import {
  type EcuIdentifier,
  TARGETS_ROLE,
  type TargetName,
  type VehicleIdentifier,
} from '../metadata/names.ts';
import type { HardwareIdentifier } from '../metadata/names.ts';
import type { Targets } from '../metadata/roles.ts';
import {
  type AssignedTarget,
  checkAssignment,
  compareWithImage,
  type EcuState,
  type VerifiedAssignment,
} from './assignment.ts';
import {
  assignedTargets,
  checkDirectorTargets,
  checkEcus,
  checkVehicle,
} from './director-targets.ts';
import { RepositorySession, type RepositoryOptions } from './repository-session.ts';
import type { Trusted } from './trusted.ts';
import type { Workflow } from './workflow.ts';

/** What a full verification is about. */
export interface FullVerification {
  readonly director: Omit<RepositoryOptions, 'inspect' | 'repository'>;
  readonly image: Omit<RepositoryOptions, 'inspect' | 'repository'>;
  /** Undefined only with repositories of other makers, which name no vehicle. */
  readonly vehicleIdentifier: VehicleIdentifier | undefined;
  /** Every ECU of the vehicle for a Primary; the ECU itself for a Secondary. */
  readonly ecus: ReadonlyMap<EcuIdentifier, EcuState>;
  /** Whether entries for ECUs outside `ecus` are an attack (Primary) or others' business (Secondary). */
  readonly strangers: 'refuse' | 'ignore';
  /** Tells whether an ECU runs an image already, so that nothing more is asked of the Image repository. */
  readonly isInstalled: (target: AssignedTarget) => boolean;
}

/** What a full verification comes to. */
export interface VerifiedUpdate {
  readonly directorTargets: Trusted<Targets>;
  /** What is to be installed; empty when all is installed already. */
  readonly assignments: readonly VerifiedAssignment[];
}

/**
 * Verifies fully.
 *
 * @throws UptaneFault with `repository` and `role` set; its code names the attack.
 */
export function* verifyFully(verification: FullVerification): Workflow<VerifiedUpdate> {
  const directorTargets = yield* refreshDirector(verification);
  const named: AssignedTarget[] = [];
  const assignments: VerifiedAssignment[] = [];
  for (const target of assignedTargets(directorTargets.body)) {
    const ecu = verification.ecus.get(target.ecuIdentifier);
    if (ecu === undefined) continue;
    named.push(target);
    if (!verification.isInstalled(target)) assignments.push(checkAssignment(target, ecu));
  }
  // {uptane L3}: nothing new, nothing more to ask.
  if (assignments.length > 0) yield* compareAll(verification, named);
  return { directorTargets, assignments };
}

function* refreshDirector(verification: FullVerification): Workflow<Trusted<Targets>> {
  const { vehicleIdentifier } = verification;
  const session = new RepositorySession({
    ...verification.director,
    repository: 'director',
    inspect: (targets) => {
      checkDirectorTargets(targets);
      if (vehicleIdentifier !== undefined) checkVehicle(targets, vehicleIdentifier);
      if (verification.strangers === 'refuse') checkEcus(targets, verification.ecus);
    },
  });
  const trust = yield* session.refresh();
  const targets = trust.targets.get(TARGETS_ROLE);
  assert(targets !== undefined, 'a refreshed repository has Targets');
  return targets;
}

/**
 * {uptane L4}: all images that the Director names for our ECUs are compared, installed already or
 * not, before any is downloaded.
 */
function* compareAll(
  verification: FullVerification,
  named: readonly AssignedTarget[],
): Workflow<void> {
  const session = new RepositorySession({ ...verification.image, repository: 'image' });
  const trust = yield* session.refresh();
  for (const [name, group] of groupByName(named)) {
    const hardware = new Set<HardwareIdentifier>(
      group.map(({ assignment }) => assignment.hardwareIdentifier),
    );
    for (const hardwareIdentifier of hardware) {
      const query = { name, hardwareIdentifiers: [hardwareIdentifier] };
      const search = { session, trust };
      const found = yield* findTarget(verification.image.dialect, search, query);
      for (const target of group) {
        if (target.assignment.hardwareIdentifier === hardwareIdentifier) {
          compareWithImage(target, found?.file);
        }
      }
    }
  }
}

function groupByName(
  targets: readonly AssignedTarget[],
): ReadonlyMap<TargetName, readonly AssignedTarget[]> {
  return Map.groupBy(targets, ({ name }) => name);
}
