/**
 * Partial verification: the Director's Targets alone, with its Root so that keys can rotate
 * {uptane M1} {uptane M2} {uptane M3}. For ECUs that cannot hold more. It does not withstand a
 * compromised Director; the Primary's full verification stands before it.
 */
import { assert } from '@immota/base';
import { type EcuIdentifier, TARGETS_ROLE, type VehicleIdentifier } from '../metadata/names.ts';
import { checkAssignment, type EcuState, type VerifiedAssignment } from './assignment.ts';
import { assignedTargets, checkDirectorTargets, checkVehicle } from './director-targets.ts';
import { RepositorySession, type RepositoryOptions } from './repository-session.ts';
import type { Workflow } from './workflow.ts';

/** What a partial verification is about. */
export interface PartialVerification {
  readonly director: Omit<RepositoryOptions, 'inspect' | 'repository' | 'chain'>;
  readonly vehicleIdentifier: VehicleIdentifier | undefined;
  readonly ecuIdentifier: EcuIdentifier;
  readonly ecu: EcuState;
}

/**
 * Verifies partially.
 *
 * @returns what the ECU is to install, or undefined when the Director names nothing for it.
 * @throws UptaneFault with `repository` and `role` set.
 */
export function* verifyPartially(
  verification: PartialVerification,
): Workflow<VerifiedAssignment | undefined> {
  const { vehicleIdentifier, ecuIdentifier, ecu } = verification;
  const session = new RepositorySession({
    ...verification.director,
    chain: 'targets-only',
    repository: 'director',
    inspect: (targets) => {
      checkDirectorTargets(targets);
      if (vehicleIdentifier !== undefined) checkVehicle(targets, vehicleIdentifier);
    },
  });
  const trust = yield* session.refresh();
  const targets = trust.targets.get(TARGETS_ROLE);
  assert(targets !== undefined, 'a refreshed repository has Targets');
  for (const target of assignedTargets(targets.body)) {
    if (target.ecuIdentifier === ecuIdentifier) return checkAssignment(target, ecu);
  }
  return undefined;
}
