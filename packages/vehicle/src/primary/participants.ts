/** The ECUs of one update as a transaction sees them: the Primary itself and its Secondaries. */
import type { EcuIdentifier, TargetName, VerifiedAssignment } from '@immota/uptane';
import { readFileFrom } from '../download/partial-file.ts';
import type { SecondaryInfo, SecondaryLink } from '../link/secondary-link.ts';
import { wait } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import { findLink, forgetDelivery } from './distribute.ts';
import { listSecondaries } from './ecu-registry.ts';
import { queueEvent } from './event-queue.ts';
import { digestOf, type Installation, isInstalled } from './installation.ts';
import { servedForm } from './image-orders.ts';
import { prepareOwn } from './own-ecu.ts';
import { askReport } from './reports.ts';
import type { Participant } from './transaction.ts';

/** One assignment whose bytes are on the disk. */
export interface ReadyImage {
  readonly assignment: VerifiedAssignment;
  readonly path: string;
}

/** Makes the participants of an update. */
export function participantsOf(
  context: PrimaryContext,
  correlationId: string,
  images: readonly ReadyImage[],
): readonly Participant[] {
  return images.map((image) => {
    const { assignment } = image;
    const { ecuIdentifier, name } = assignment;
    const participant =
      ecuIdentifier === context.bundle.ecuIdentifier
        ? selfParticipant(context, image)
        : secondaryParticipant(context, image);
    const tell = (kind: 'ecu-prepared' | 'ecu-activated'): void =>
      context.onProgress({ kind, ecu: ecuIdentifier, name });
    return {
      ...participant,
      prepare: async () => {
        const event = { ecu: ecuIdentifier, correlationId };
        queueEvent(context, 'EcuInstallationStarted', event);
        await participant.prepare();
        tell('ecu-prepared');
      },
      activate: async () => {
        await participant.activate();
        queueEvent(context, 'EcuInstallationApplied', { ecu: ecuIdentifier, correlationId });
        tell('ecu-activated');
      },
    };
  });
}

function selfParticipant(context: PrimaryContext, { assignment, path }: ReadyImage): Participant {
  return {
    ecuIdentifier: assignment.ecuIdentifier,
    isSelf: true,
    prepare: () => prepareOwn(context, assignment, path),
    activate: () => context.slots.activate(),
    // It runs this code: its report comes after its boot.
    confirm: () => Promise.resolve(),
  };
}

function secondaryParticipant(
  context: PrimaryContext,
  { assignment, path }: ReadyImage,
): Participant {
  const { ecuIdentifier, name, file } = assignment;
  return {
    ecuIdentifier,
    isSelf: false,
    prepare: async () => {
      const { link } = requireSecondary(context, ecuIdentifier);
      const status = await link.status();
      if (status.phase === 'prepared' && status.preparedSha256 === digestOf(file)) return;
      const { lengthBytes } = servedForm(assignment);
      try {
        // {uptane I8}: the ECU pulls, after it has verified the metadata.
        await link.sendImage({ name, lengthBytes, open: (offset) => readFileFrom(path, offset) });
      } catch (error) {
        // Whatever it refused, it gets its metadata again before the next attempt.
        forgetDelivery(context, ecuIdentifier);
        throw error;
      }
    },
    activate: async () => requireSecondary(context, ecuIdentifier).link.activate(),
    confirm: () => awaitReport(context, ecuIdentifier, assignment),
  };
}

/**
 * Waits until an ECU's signed report names the image {uptane J4}.
 *
 * @throws VehicleFault INSTALL_FAILED when it reports another one after its boot; ECU_UNREACHABLE when
 * it does not report in time.
 */
async function awaitReport(
  context: PrimaryContext,
  ecu: EcuIdentifier,
  wanted: Pick<VerifiedAssignment, 'name' | 'file'>,
): Promise<void> {
  const { surroundings, policy, network } = context;
  const { link, info } = requireSecondary(context, ecu);
  const deadlineMs = surroundings.timer.elapsedMs() + policy.bootPatienceMs;
  let last: VehicleFault | undefined;
  while (!network().signal.aborted) {
    try {
      const status = await link.status();
      if (status.phase !== 'activating') {
        const { report } = await askReport(context, link, info);
        if (isInstalled(report, wanted)) {
          await link.confirm();
          return;
        }
        throw new VehicleFault(
          'INSTALL_FAILED',
          describeFailure(wanted.name, report.installedImage.name),
        );
      }
    } catch (error) {
      if (!(error instanceof VehicleFault) || error.code !== 'ECU_UNREACHABLE') throw error;
      last = error;
    }
    if (surroundings.timer.elapsedMs() >= deadlineMs) break;
    await wait(surroundings.timer, policy.bootPollMs, network().signal);
  }
  network().signal.throwIfAborted();
  throw new VehicleFault('ECU_UNREACHABLE', `Cannot hear "${ecu}" after its boot`, { cause: last });
}

function describeFailure(wanted: TargetName, running: TargetName): string {
  return `Cannot install "${wanted}": after its boot the ECU runs "${running}"`;
}

function requireSecondary(
  context: PrimaryContext,
  ecu: EcuIdentifier,
): { readonly link: SecondaryLink; readonly info: SecondaryInfo } {
  const link = findLink(context, ecu);
  const info = listSecondaries(context).find(({ ecuIdentifier }) => ecuIdentifier === ecu);
  if (link === undefined || info === undefined) {
    throw new VehicleFault('ECU_UNREACHABLE', `Cannot reach "${ecu}": it has never answered`);
  }
  return { link, info };
}

/**
 * Activates again an ECU that was to be activated when the power failed, if its image still waits.
 *
 * @returns whether it did.
 */
export async function reactivate(
  context: PrimaryContext,
  { ecu, sha256 }: Installation['ecus'][number],
): Promise<boolean> {
  if (ecu === context.bundle.ecuIdentifier) {
    const prepared = context.slots.findPrepared();
    if (prepared === undefined || digestOf(prepared) !== sha256) return false;
    await context.slots.activate();
    return true;
  }
  const link = context.links.find(({ ecuIdentifier }) => ecuIdentifier === ecu);
  const status = await link?.status();
  if (link === undefined || status?.phase !== 'prepared' || status.preparedSha256 !== sha256) {
    return false;
  }
  await link.activate();
  return true;
}
