/** The rules that only the Director's Targets obey {uptane L10} {uptane C9} {uptane E9} {uptane B8}. */
import { UptaneFault } from '../fault.ts';
import type { EcuIdentifier, VehicleIdentifier } from '../metadata/names.ts';
import type { Targets } from '../metadata/roles.ts';
import type { AssignedTarget } from './assignment.ts';

/**
 * Checks what may never stand in the Director's Targets.
 *
 * @throws UptaneFault DIRECTOR_DELEGATION when it delegates, ECU_DUPLICATE when an ECU stands in two
 * entries.
 */
export function checkDirectorTargets(targets: Targets): void {
  if (targets.delegations !== undefined) {
    throw new UptaneFault('DIRECTOR_DELEGATION', 'Cannot trust Director Targets: they delegate');
  }
  const seen = new Set<EcuIdentifier>();
  for (const { ecuIdentifier } of assignedTargets(targets)) {
    if (seen.has(ecuIdentifier)) {
      throw new UptaneFault(
        'ECU_DUPLICATE',
        `Cannot trust Director Targets: "${ecuIdentifier}" stands in two entries`,
      );
    }
    seen.add(ecuIdentifier);
  }
}

/**
 * Checks that Targets are for this vehicle {uptane B8}: an empty file without a vehicle's name could
 * be replayed to any other and hide its update.
 *
 * @throws UptaneFault VEHICLE_MISMATCH when another vehicle is named, or none is in an empty file.
 */
export function checkVehicle(targets: Targets, vehicle: VehicleIdentifier): void {
  const named = targets.vehicleIdentifier;
  if (named === undefined && targets.files.size > 0) return;
  if (named !== vehicle) {
    throw new UptaneFault(
      'VEHICLE_MISMATCH',
      `Cannot trust Director Targets: for ${named ?? 'no vehicle'} instead of ${vehicle}`,
    );
  }
}

/**
 * Checks that Targets name ECUs of this vehicle only {uptane L10}: a Primary knows them all.
 *
 * @param ecus - those of the vehicle, by their identifiers.
 * @throws UptaneFault ECU_UNKNOWN when another is named.
 */
export function checkEcus(targets: Targets, ecus: Pick<ReadonlySet<EcuIdentifier>, 'has'>): void {
  for (const { ecuIdentifier } of assignedTargets(targets)) {
    if (!ecus.has(ecuIdentifier)) {
      throw new UptaneFault(
        'ECU_UNKNOWN',
        `Cannot trust Director Targets: this vehicle has no "${ecuIdentifier}"`,
      );
    }
  }
}

/** Lists the Director's entries, one for each ECU named. */
export function* assignedTargets(targets: Targets): Generator<AssignedTarget> {
  for (const [name, file] of targets.files) {
    for (const [ecuIdentifier, assignment] of file.ecus) {
      yield { ecuIdentifier, name, file, assignment };
    }
  }
}
