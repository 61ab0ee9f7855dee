/**
 * What an update may touch without a person beside the vehicle. Doors open and the emergency call is
 * answered all through an update; whoever would touch an ECU that they need has a technician do it.
 */
import { ConditionFault } from './condition-fault.ts';
import { STEPS_MAX } from './limits.ts';
import type { VerifiedApproval } from './technician-approval.ts';

/** What the vehicle's maker says of an ECU. */
export interface EcuSafety {
  /** What stops while the ECU is being updated. */
  readonly serves: readonly ('doors' | 'emergency-call' | 'other')[];
  /** Work on it needs a technician in any case, such as a calibration afterwards. */
  readonly isTechnicianGated: boolean;
}

/** One step of a plan. */
export interface PlannedStep {
  readonly step: string;
  /** ECUs that do not serve while it is under way. */
  readonly ecus: readonly string[];
}

/**
 * Makes sure that a plan touches nothing that it may not.
 *
 * @param safety - of every ECU of the vehicle; one that is missing is never touched.
 * @throws ConditionFault ECU_UNKNOWN, APPROVAL_MISSING; CONDITION_MALFORMED for more than 1,024 steps.
 */
export function checkPlan(
  steps: readonly PlannedStep[],
  safety: ReadonlyMap<string, EcuSafety>,
  approvals: readonly VerifiedApproval[] = [],
): void {
  if (steps.length > STEPS_MAX) {
    throw new ConditionFault('CONDITION_MALFORMED', `Cannot check plan: ${steps.length} steps`);
  }
  for (const { step, ecus } of steps) {
    for (const ecu of ecus) {
      const known = safety.get(ecu);
      if (known === undefined) {
        throw new ConditionFault('ECU_UNKNOWN', `Cannot do step "${step}": no ECU "${ecu}"`);
      }
      const isApproved = approvals.some(
        (approval) => approval.steps.includes(step) && approval.ecus.includes(ecu),
      );
      if (needsTechnician(known) && !isApproved) {
        throw new ConditionFault(
          'APPROVAL_MISSING',
          `Cannot do step "${step}": a technician has to approve work on ECU "${ecu}"`,
        );
      }
    }
  }
}

function needsTechnician({ serves, isTechnicianGated }: EcuSafety): boolean {
  return isTechnicianGated || serves.includes('doors') || serves.includes('emergency-call');
}
