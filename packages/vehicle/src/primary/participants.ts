/** The ECUs of one update as a transaction sees them: the Primary itself and its Secondaries. */
import { member } from '@immota/base';
import {
  type EcuIdentifier,
  type EcuVersionReport,
  type InstalledImage,
  parseEcuIdentifier,
  parseTargetName,
  type VerifiedAssignment,
} from '@immota/uptane';
import { readFileFrom } from '../download/partial-file.ts';
import type { ImageOffer, SecondaryInfo, SecondaryLink } from '../link/secondary-link.ts';
import type { Participant, ParticipantMaker, Standing } from '../transaction/participant.ts';
import type { ServedImage, TransactionEcu } from '../transaction/record.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import { prepareByDelta } from './delta-offers.ts';
import { distributeMetadata, findLink, forgetDelivery } from './distribute.ts';
import { listSecondaries } from './ecu-registry.ts';
import { queueEvent } from './event-queue.ts';
import { Watch } from './foretell.ts';
import { digestOf } from './installation.ts';
import { prepareOwn } from './own-ecu.ts';
import { askReport } from './reports.ts';

/** What the Primary's own image is opened by; only needed while it is prepared. */
export type Assignments = ReadonlyMap<EcuIdentifier, VerifiedAssignment>;

/** Makes participants, and tells of what is done to them. */
export function participantMaker(
  context: PrimaryContext,
  correlationId: string,
  assignments: Assignments = new Map(),
): ParticipantMaker {
  const watch = new Watch(context);
  return (entry) => {
    const ecu = parseEcuIdentifier(entry.ecu);
    const name = parseTargetName(entry.name);
    const own =
      entry.kind === 'self'
        ? selfParticipant(context, entry, assignments.get(ecu))
        : secondaryParticipant(context, entry);
    const participant = watch.over(entry, own);
    return {
      ...participant,
      prepare: async () => {
        queueEvent(context, 'EcuInstallationStarted', { ecu, correlationId });
        await participant.prepare();
        context.onProgress({ kind: 'ecu-prepared', ecu, name });
      },
      activate: async () => {
        await participant.activate();
        queueEvent(context, 'EcuInstallationApplied', { ecu, correlationId });
        context.onProgress({ kind: 'ecu-activated', ecu, name });
      },
    };
  };
}

function selfParticipant(
  context: PrimaryContext,
  entry: TransactionEcu,
  assignment: VerifiedAssignment | undefined,
): Participant {
  const { slots } = context;
  return {
    // oxlint-disable-next-line require-await -- the port is asynchronous, the slots know at once
    observe: async () => {
      const prepared = slots.findPrepared();
      if (prepared !== undefined && digestOf(prepared) === entry.sha256) return 'prepared';
      const running = slots.findRunning();
      if (running === undefined) return entry.old.name === NOTHING ? 'old' : 'other';
      return standingOf(entry, running, slots.condition().isTrial);
    },
    prepare: async () => {
      if (assignment === undefined) {
        throw new VehicleFault('SLOT_EMPTY', `Cannot prepare "${entry.name}": not assigned now`);
      }
      await prepareOwn(context, assignment, entry.served.path);
    },
    activate: () => slots.activate(),
    confirm: () => slots.confirm(),
    rollBack: () => (slots.condition().isTrial ? slots.revert() : slots.discardOther()),
  };
}

/** What this Primary reports when it was never programmed; see `reports.ts`. */
const NOTHING = 'unknown';

function secondaryParticipant(context: PrimaryContext, entry: TransactionEcu): Participant {
  const ecu = parseEcuIdentifier(entry.ecu);
  const reach = (): ReturnType<typeof requireSecondary> => requireSecondary(context, ecu);
  const observe = async (): Promise<Standing> => {
    const { link, info } = reach();
    const { phase, preparedSha256 } = await link.status();
    if (phase === 'activating' || phase === 'receiving') return 'busy';
    if (phase === 'prepared' && preparedSha256 === entry.sha256) return 'prepared';
    const { report } = await askReport(context, link, info);
    return standingOf(entry, report.installedImage, isOnTrial(report));
  };
  return {
    observe,
    prepare: async () => {
      const { link } = reach();
      const status = await link.status();
      if (status.phase === 'prepared' && status.preparedSha256 === entry.sha256) return;
      const { name, lengthBytes, path } = entry.served;
      await prepareByDelta(context, path, {
        delta: (delta) => bring(context, link, offerOf({ name, ...delta }, true)),
        image: () => bring(context, link, offerOf({ name, lengthBytes, path })),
      });
    },
    activate: () => reach().link.activate(),
    confirm: () => reach().link.confirm(),
    rollBack: async () => {
      const { link } = reach();
      // With one bank it gives up what waits, and no more.
      await link.revert();
      if (entry.kind === 'banked' || (await observe()) === 'old') return;
      const { served, name } = entry.old;
      if (served === null) {
        throw new VehicleFault('SLOT_EMPTY', `Cannot write "${name}" again: it was not kept`);
      }
      await link.sendImage(offerOf(served));
      await link.activate();
    },
  };
}

/**
 * Offers an image. An ECU that refuses before it has asked for a byte has lost what assigns it, to a power
 * cut or with its board: it gets its metadata again, and is asked once more.
 */
async function bring(
  context: PrimaryContext,
  link: SecondaryLink,
  offer: ImageOffer,
): Promise<void> {
  const { ecuIdentifier } = link;
  let isPulled = false;
  const open = (offsetBytes: number): AsyncIterable<Uint8Array> => {
    isPulled = true;
    return offer.open(offsetBytes);
  };
  try {
    // {uptane I8}: the ECU pulls, after it has verified the metadata.
    await link.sendImage({ ...offer, open });
  } catch (error) {
    // Whatever it refused, it gets its metadata again before the next attempt.
    forgetDelivery(context, ecuIdentifier);
    if (isPulled || !(error instanceof VehicleFault) || error.code !== 'ECU_REFUSED') throw error;
    const refusal = (await distributeMetadata(context)).get(ecuIdentifier);
    if (refusal !== undefined) throw refusal;
    await link.sendImage(offer);
  }
}

/** Tells whether what an ECU reports may still be taken back. */
export function isOnTrial({ custom }: EcuVersionReport): boolean {
  return member(custom, 'trial') === true;
}

function standingOf(
  { name, sha256, old }: TransactionEcu,
  running: Pick<InstalledImage, 'name' | 'hashes'>,
  isTrial: boolean,
): Standing {
  const digests = new Set<string>(running.hashes.values());
  const is = (image: { readonly name: string; readonly sha256: string }): boolean =>
    running.name === image.name && digests.has(image.sha256);
  if (is({ name, sha256 })) return isTrial ? 'new-trial' : 'new-final';
  return is(old) ? 'old' : 'other';
}

function offerOf({ name, lengthBytes, path }: ServedImage, isDelta = false): ImageOffer {
  const open = (offsetBytes: number): AsyncIterable<Uint8Array> => readFileFrom(path, offsetBytes);
  const offer = { name: parseTargetName(name), lengthBytes, open };
  return isDelta ? { ...offer, isDelta: true } : offer;
}

/** Finds an ECU's link and what its reports are held against. @throws VehicleFault ECU_UNREACHABLE. */
export function requireSecondary(
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
