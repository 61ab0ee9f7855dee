/** Fresh version reports of all ECUs {uptane I3}: each signed by its own ECU, for this very question. */
import { type JsonObject, member } from '@immota/base';
import {
  checkSignedBy,
  decodeReport,
  type EcuIdentifier,
  type EcuState,
  type EcuVersionReport,
  type HashFunction,
  type InstalledImage,
  parseTargetName,
  signReport,
  UptaneFault,
} from '@immota/uptane';
import { z } from 'zod';
import type { SecondaryInfo, SecondaryLink } from '../link/secondary-link.ts';
import { findRxswins } from '../state/rxswins.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { listAttacks, noteAttack } from './attack-log.ts';
import { knownTime } from './attested-time.ts';
import type { PrimaryContext } from './context.ts';
import { identityKeyOf, listSecondaries } from './ecu-registry.ts';
import { jsonValue } from './json-value.ts';

const NONCE_LENGTH_BYTES = 16;
const COUNTER = jsonValue('report-counter', z.int().min(0));
const RELEASES = jsonValue(
  'release-counters',
  z.array(z.object({ ecu: z.string(), counter: z.int() })),
);

/** What an ECU says that was never programmed, as the dialect's own client does. */
const NEVER_INSTALLED: InstalledImage = {
  name: parseTargetName('unknown'),
  lengthBytes: 0,
  hashes: new Map<HashFunction, string>([
    ['sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ]),
};

/** One ECU's report: what it says, and the document that proves it. */
export interface CollectedReport {
  readonly report: EcuVersionReport;
  readonly document: JsonObject;
}

/** Reports by ECU. Those that did not answer, or not credibly, are absent. */
export type CollectedReports = ReadonlyMap<EcuIdentifier, CollectedReport>;

/** Asks every ECU what it runs, the Primary itself last, since its report tells of the others. */
export async function collectReports(context: PrimaryContext): Promise<CollectedReports> {
  const infos = new Map(listSecondaries(context).map((info) => [info.ecuIdentifier, info]));
  const reports = new Map<EcuIdentifier, CollectedReport>();
  const answers = await Promise.all(
    context.links.map(async (link) => {
      const info = infos.get(link.ecuIdentifier);
      return info === undefined ? undefined : await tryAsk(context, link, info);
    }),
  );
  for (const collected of answers) {
    if (collected !== undefined) reports.set(collected.report.ecuIdentifier, collected);
  }
  const own = await ownReport(context);
  reports.set(context.bundle.ecuIdentifier, own);
  return reports;
}

/**
 * Asks one Secondary, with a nonce so that no old report passes for a new one.
 *
 * @throws VehicleFault ECU_UNREACHABLE; ECU_UNTRUSTED when the report is another's, not signed by the
 * ECU, or not fresh.
 */
export async function askReport(
  context: PrimaryContext,
  link: SecondaryLink,
  info: SecondaryInfo,
): Promise<CollectedReport> {
  const nonce = drawNonce(context);
  const document = await link.report(nonce);
  try {
    const { report, envelope } = decodeReport(document);
    checkSignedBy(envelope, identityKeyOf(info), 'report');
    if (report.ecuIdentifier !== info.ecuIdentifier || member(report.custom, 'nonce') !== nonce) {
      throw new VehicleFault('ECU_UNTRUSTED', 'Cannot accept report: for another question');
    }
    return { report, document };
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    throw new VehicleFault('ECU_UNTRUSTED', `Cannot accept report: ${error.message}`, {
      cause: error,
    });
  }
}

/** What is installed, as full verification has to know it {uptane L4}: by ECU. */
export function ecuStates(
  context: PrimaryContext,
  reports: CollectedReports,
): ReadonlyMap<EcuIdentifier, EcuState> {
  const { bundle, state } = context;
  const kept = new Map(
    (state.values.load(RELEASES) ?? []).map(({ ecu, counter }) => [ecu, counter]),
  );
  const states = new Map<EcuIdentifier, EcuState>();
  const ecus = [bundle, ...listSecondaries(context)];
  for (const { ecuIdentifier, hardwareIdentifier } of ecus) {
    const stated = reports.get(ecuIdentifier)?.report.custom ?? {};
    const releaseCounter = counterOf(stated) ?? kept.get(ecuIdentifier) ?? 0;
    kept.set(ecuIdentifier, releaseCounter);
    states.set(ecuIdentifier, { hardwareIdentifier, releaseCounter });
  }
  const current = [...kept].map(([ecu, counter]) => ({ ecu, counter }));
  if (JSON.stringify(current) !== JSON.stringify(state.values.load(RELEASES) ?? [])) {
    state.values.save(RELEASES, current);
  }
  return states;
}

/** Draws a nonce in hex. */
export function drawNonce({ surroundings }: Pick<PrimaryContext, 'surroundings'>): string {
  return surroundings.entropy.bytes(NONCE_LENGTH_BYTES).toHex();
}

async function tryAsk(
  context: PrimaryContext,
  link: SecondaryLink,
  info: SecondaryInfo,
): Promise<CollectedReport | undefined> {
  try {
    return await askReport(context, link, info);
  } catch (error) {
    if (!(error instanceof VehicleFault)) throw error;
    noteAttack(context, error);
    return undefined;
  }
}

/** {uptane J3}: the Primary's own report; its counter is spent before it is used. */
async function ownReport(context: PrimaryContext): Promise<CollectedReport> {
  const { bundle, state, slots, keys } = context;
  const counter = (state.values.load(COUNTER) ?? 0) + 1;
  state.values.save(COUNTER, counter);
  const running = slots.findRunning();
  const { attestedAt, previousAt } = knownTime(context);
  const rxswins = findRxswins(context)?.map((one) => ({ ...one }));
  const report: EcuVersionReport = {
    ecuIdentifier: bundle.ecuIdentifier,
    installedImage: running ?? NEVER_INSTALLED,
    attacksDetected: listAttacks(context).join('; '),
    timeAttested: attestedAt,
    timePrevious: previousAt,
    counter,
    custom: {
      releaseCounter: running?.releaseCounter ?? 0,
      trial: slots.condition().isTrial,
      ...(rxswins === undefined ? {} : { rxswins }),
    },
  };
  return { report, document: await signReport(report, keys.identity) };
}

function counterOf(custom: JsonObject): number | undefined {
  const value = member(custom, 'releaseCounter');
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
