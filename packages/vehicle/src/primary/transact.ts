/** From verified, downloaded images to a transaction, and on with it. */
import { type EcuIdentifier, parseEcuIdentifier, type VerifiedAssignment } from '@immota/uptane';
import type { ConditionsGate } from '../transaction/conditions.ts';
import { readOrder } from '../transaction/order.ts';
import type { TransactionEcu, TransactionRecord } from '../transaction/record.ts';
import { advanceTransaction, type TransactionOutcome } from '../transaction/vehicle-transaction.ts';
import { findStops } from '../technician/stop.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import { schedulerOf } from './foretell.ts';
import { gateWithPolicy } from './heed-policy.ts';
import { findInstalledImage } from './image-archive.ts';
import { servedForm } from './image-orders.ts';
import { digestOf } from './installation.ts';
import { type Assignments, participantMaker, requireSecondary } from './participants.ts';
import type { CollectedReports } from './reports.ts';
import { technicianGateOf, tidyDesk } from './technician-stop.ts';
import { findTransaction, journalOf, tellGate } from './transaction-store.ts';
import type { Offer } from './verify-update.ts';

/** One assignment whose bytes are on the disk. */
export interface ReadyImage {
  readonly assignment: VerifiedAssignment;
  readonly path: string;
}

/**
 * Describes a transaction that begins.
 *
 * @param reports - of this cycle: what each ECU runs before.
 * @throws VehicleFault ECU_UNREACHABLE when an ECU has not reported; NO_WAY_BACK when one with one bank
 * would be written beside others and its older image was not kept.
 */
export async function describeTransaction(
  context: PrimaryContext,
  offer: Offer,
  images: readonly ReadyImage[],
  reports: CollectedReports,
): Promise<TransactionRecord> {
  const { correlationId, custom } = offer;
  const order = readOrder(custom, context.layout.gateways);
  const ecus = await Promise.all(
    images.map(async ({ assignment, path }): Promise<TransactionEcu> => {
      const { ecuIdentifier: ecu, hardwareIdentifier: hardware, name, file } = assignment;
      const { lengthBytes } = servedForm(assignment);
      const installed = reports.get(ecu)?.report.installedImage;
      if (installed === undefined) {
        throw new VehicleFault('ECU_UNREACHABLE', `Cannot install on "${ecu}": it does not report`);
      }
      const old = { name: installed.name, sha256: digestOf(installed) };
      return {
        ecu,
        hardware,
        kind: await kindOf(context, ecu),
        rank: order.rankOf(ecu),
        name,
        sha256: digestOf(file),
        served: { name, lengthBytes, path },
        old: { ...old, served: findInstalledImage(context, ecu, old.sha256) ?? null },
        step: 'idle',
        attempts: 0,
        failure: null,
      };
    }),
  );
  const stuck = ecus.find(
    ({ ecu, kind, old }) =>
      kind === 'in-place' &&
      old.served === null &&
      // One that was never programmed loses nothing.
      reports.get(parseEcuIdentifier(ecu))?.report.installedImage.lengthBytes !== 0 &&
      ecus.length > 1 &&
      !order.isTechnicianGated(ecu),
  );
  const stops = findStops(
    custom,
    ecus.map(({ ecu }) => ecu),
    (ecu) => (context.layout.ecus.get(ecu)?.serves ?? []).length > 0,
  );
  if (stuck === undefined)
    return { correlationId, phase: 'preparing', silences: 0, stops: [...stops], ecus };
  throw new VehicleFault(
    'NO_WAY_BACK',
    `Cannot install on "${stuck.ecu}" together with others: its "${stuck.old.name}" was not kept`,
  );
}

/** What a transaction needs that begins in this cycle; one that goes on has had it. */
export interface Beginning {
  readonly assignments: Assignments;
  /**
   * Makes sure that people and campaign agree to the change-over.
   *
   * @throws VehicleFault CONSENT_PENDING, CONSENT_DECLINED, and as `checkChangeOver`.
   */
  readonly askToActivate: () => Promise<void>;
}

/**
 * Takes a transaction as far as it gets.
 *
 * @throws VehicleFault as `askToActivate`; everything is prepared then, and nothing has changed over.
 */
export async function proceed(
  context: PrimaryContext,
  record: TransactionRecord,
  { assignments, askToActivate }: Partial<Beginning> = {},
): Promise<TransactionOutcome> {
  const { policy, surroundings, network, onProgress } = context;
  const heeding = gateWithPolicy(context, record.correlationId);
  const gate =
    askToActivate === undefined ? heeding : gateThatAsks(context, heeding, askToActivate);
  const outcome = await advanceTransaction(record, {
    journal: journalOf(context),
    participantOf: participantMaker(context, record.correlationId, assignments),
    gate,
    technician: technicianGateOf(context),
    scheduler: schedulerOf(context),
    timer: surroundings.timer,
    signal: network().signal,
    patienceMs: policy.bootPatienceMs,
    pollMs: policy.bootPollMs,
    onEvent: (event) => {
      if (event.kind === 'step') return;
      const phase = PHASES[event.phase];
      if (phase !== undefined) onProgress({ kind: 'phase', phase });
    },
  });
  await tellGate(context);
  tidyDesk(context);
  return outcome;
}

/**
 * Asks between the two phases, once all ECUs are prepared and while none has changed over; conditions are
 * looked at behind the yes, so that no vehicle is held still for somebody who thinks.
 */
function gateThatAsks(
  context: PrimaryContext,
  gate: ConditionsGate,
  askToActivate: () => Promise<void>,
): ConditionsGate {
  return {
    check: async (step, scope) => {
      if (findTransaction(context)?.phase === 'preparing') await askToActivate();
      return await gate.check(step, scope);
    },
    watch: (step, scope, onViolated) => gate.watch(step, scope, onViolated),
    settle: () => gate.settle(),
  };
}

const PHASES = {
  preparing: undefined,
  activating: 'activate',
  committing: undefined,
  'rolling-back': 'roll-back',
} as const;

async function kindOf(
  context: PrimaryContext,
  ecu: EcuIdentifier,
): Promise<TransactionEcu['kind']> {
  if (ecu === context.bundle.ecuIdentifier) return 'self';
  const { canRevert } = await requireSecondary(context, ecu).link.status();
  return canRevert ? 'banked' : 'in-place';
}
