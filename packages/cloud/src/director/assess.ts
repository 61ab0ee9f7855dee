/**
 * What a verified manifest means: a pure function from what the inventory knows and what the vehicle
 * says to what changes {uptane E3} {uptane E4} {uptane E5}.
 */
import { equalBytes, type JsonObject } from '@immota/base';
import {
  checkCounter,
  type EcuIdentifier,
  type EcuVersionReport,
  encodeCanonical,
  UptaneFault,
  type VehicleIdentifier,
  type VerifiedManifest,
} from '@immota/uptane';
import type { NewEvent } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { VehicleRecord } from '../inventory/vehicle-record.ts';
import { ATTACKS_MAX_CHARACTERS, HEALTH_MAX_CHARACTERS, SILENT_REFUSALS_MAX } from '../limits.ts';
import { storableObject, storableText } from '../storable.ts';
import { readHealth } from './health-facts.ts';
import {
  parseInstallationReport,
  parseProgress,
  parseTechnicianWords,
} from './installation-report.ts';
import { parseRxswins, type ReportedRxswin } from './reported-rxswins.ts';
import type { EcuInventory, InstalledState, Observation, VehicleInventory } from './ports.ts';

/** The whole new state of an ECU whose row changes. */
export interface EcuChange {
  readonly ecu: EcuInventory;
  readonly counter: number | undefined;
  readonly health: JsonObject;
  readonly rxswins: readonly ReportedRxswin[];
  readonly reportedAt: Temporal.Instant | undefined;
  readonly isNewImage: boolean;
  /** Whether the counter alone changed: what most manifests of a fleet come to. */
  readonly isCounterAlone: boolean;
}

/** What follows from one manifest. */
export interface Assessment {
  readonly vehicleId: VehicleIdentifier;
  readonly revision: number;
  readonly at: Temporal.Instant;
  readonly ecus: readonly EcuChange[];
  /** What the Director's row becomes; undefined when it stays. */
  readonly refusals: { readonly count: number } | undefined;
  readonly events: readonly NewEvent[];
  readonly observations: readonly Observation[];
  /** The vehicle as it is after all this. */
  readonly next: VehicleInventory;
}

/**
 * Holds a verified manifest against the inventory.
 *
 * @param record - as it was loaded; who wrote since then is found by its revision.
 * @throws CloudFault VEHICLE_MISMATCH when the manifest names another vehicle.
 * @throws UptaneFault REPORT_REPLAY when the Primary's counter is not new: the whole manifest is dropped.
 */
export function assessManifest(
  record: VehicleRecord,
  manifest: VerifiedManifest,
  at: Temporal.Instant,
): Assessment {
  const { vehicleId } = record.inventory;
  const { vehicleIdentifier, primaryEcuIdentifier } = manifest;
  // {uptane E6}: the certificate says whose connection it is; the manifest may not say otherwise.
  if (vehicleIdentifier !== undefined && vehicleIdentifier !== vehicleId) {
    throw new CloudFault(
      'VEHICLE_MISMATCH',
      `Cannot accept manifest for ${vehicleIdentifier} from ${vehicleId}`,
    );
  }
  const own = manifest.reports.get(primaryEcuIdentifier);
  // {uptane E4}: the Primary reports for itself too, with its own key.
  if (own === undefined) throw missingPrimary(manifest, primaryEcuIdentifier);
  checkCounter(record.counters.get(primaryEcuIdentifier), own.counter);
  const notes = new Notes(vehicleId, at);
  if (record.inventory.lastManifestAt === undefined) notes.event('vehicle.first-seen', {});
  const changes: EcuChange[] = [];
  const ecus = record.inventory.ecus.map((ecu) => {
    const change = assessEcu({ record, manifest, notes, at }, ecu);
    if (change === undefined) return ecu;
    changes.push(change);
    return change.ecu;
  });
  for (const [ecu, { code }] of manifest.refused) {
    const isKnown = record.keys?.ecus.has(ecu) === true;
    if (!isKnown) notes.event('report.refused', { ecu, code });
  }
  const refusals = assessOffer({ record, manifest, notes, at }, ecus, changes);
  assessHealth({ record, manifest, notes, at }, changes);
  const offer = record.inventory.offer;
  const next: VehicleInventory = {
    ...record.inventory,
    lastSeenAt: at,
    lastManifestAt: at,
    ecus,
    offer:
      offer === undefined || refusals === undefined
        ? offer
        : { ...offer, fetchedAt: undefined, silentRefusals: refusals.count },
  };
  const { revision } = record;
  const { events, observations } = notes;
  return { vehicleId, revision, at, ecus: changes, refusals, events, observations, next };
}

interface Situation {
  readonly record: VehicleRecord;
  readonly manifest: VerifiedManifest;
  readonly notes: Notes;
  readonly at: Temporal.Instant;
}

/** Finds what changes for one ECU; undefined when nothing does. */
function assessEcu(situation: Situation, ecu: EcuInventory): EcuChange | undefined {
  const { record, manifest, notes, at } = situation;
  const { ecuIdentifier } = ecu;
  const last = record.counters.get(ecuIdentifier);
  const health = record.health.get(ecuIdentifier) ?? {};
  const knownRxswins = record.rxswins.get(ecuIdentifier) ?? [];
  const report = findFreshReport(situation, ecu, last);
  if (report === undefined) {
    // Also while it counts as missing: a forger must not go unseen because the ECU was silent before.
    const refusal = manifest.refused.get(ecuIdentifier);
    if (refusal !== undefined) {
      notes.event('report.refused', { ecu: ecuIdentifier, code: refusal.code });
    }
    if (ecu.missingSince !== undefined) return undefined;
    notes.event('ecu.missing', { ecu: ecuIdentifier });
    const missing = { ...ecu, missingSince: at };
    return {
      ecu: missing,
      counter: last,
      health,
      rxswins: knownRxswins,
      reportedAt: undefined,
      isNewImage: false,
      isCounterAlone: false,
    };
  }
  const { counter } = report;
  if (last === undefined && counter !== undefined && ecu.installed !== undefined) {
    notes.event('report.counter-reset', { ecu: ecuIdentifier, counter });
  }
  const attacks = storableText(report.attacksDetected).slice(0, ATTACKS_MAX_CHARACTERS);
  if (attacks !== '' && attacks !== ecu.attacksDetected) {
    notes.event('ecu.attack-reported', { ecu: ecuIdentifier, attacks });
  }
  const installed = installedBy(report, at);
  // What runs on trial may be taken back until the vehicle's transaction has ended: not installed yet.
  const isTrial = report.custom['trial'] === true;
  const isNewImage =
    !isTrial &&
    (installed.name !== ecu.installed?.name || installed.sha256 !== ecu.installed.sha256);
  if (isNewImage) notes.installed(ecu, installed, offererOf(record, ecu, installed));
  const custom = healthOf(report);
  // What runs on trial is not approved yet either: its RXSWIN counts with its image.
  const rxswins = isTrial ? knownRxswins : parseRxswins(report.custom);
  const isSame =
    !isNewImage &&
    attacks === ecu.attacksDetected &&
    ecu.missingSince === undefined &&
    isSameObject(custom, health) &&
    isSameList(rxswins, knownRxswins);
  if (isSame && counter === last) return undefined;
  const next: EcuInventory = {
    ...ecu,
    installed: isNewImage ? installed : ecu.installed,
    attacksDetected: attacks,
    missingSince: undefined,
  };
  return {
    ecu: isSame ? ecu : next,
    counter: counter ?? last,
    health: custom,
    rxswins,
    reportedAt: at,
    isNewImage,
    isCounterAlone: isSame,
  };
}

/**
 * Finds a Secondary's report if it is new. A Primary that cannot reach a Secondary sends its last
 * report again: the same counter tells so, and the ECU counts as missing. A lower one is a replay.
 */
function findFreshReport(
  { manifest, notes }: Situation,
  { ecuIdentifier }: EcuInventory,
  last: number | undefined,
): EcuVersionReport | undefined {
  const report = manifest.reports.get(ecuIdentifier);
  if (report === undefined || report.counter === last) {
    return last === undefined ? report : undefined;
  }
  try {
    checkCounter(last, report.counter);
    return report;
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    const counters = { counter: report.counter ?? -1, last: last ?? -1 };
    notes.event('report.replayed', { ecu: ecuIdentifier, ...counters });
    return undefined;
  }
}

/** What the manifest says of the offer. @returns the new count of silent refusals, if it changes. */
function assessOffer(
  { record, manifest, notes }: Situation,
  ecus: readonly EcuInventory[],
  changes: readonly EcuChange[],
): Assessment['refusals'] {
  const result = parseInstallationReport(manifest.installationReport);
  if (result !== undefined) notes.result(result);
  const progress = parseProgress(manifest.custom);
  if (progress !== undefined) notes.observe({ kind: 'progress', ...progress });
  for (const word of parseTechnicianWords(manifest.custom)) {
    notes.event('technician.spoke', { ...word });
  }
  const { offer } = record.inventory;
  const { director } = record;
  if (offer === undefined || director === undefined) return undefined;
  const { correlationId, silentRefusals, fetchedAt } = offer;
  const running = new Map(ecus.map(({ ecuIdentifier, installed }) => [ecuIdentifier, installed]));
  const isComplete = [...director.images].every(([ecu, image]) => {
    const now = running.get(ecu);
    return now?.name === image.name && now.sha256 === image.sha256;
  });
  if (isComplete) {
    notes.observe({ kind: 'completed', correlationId });
    notes.event('update.completed', { correlationId });
    return undefined;
  }
  const hasSpoken =
    result?.correlationId === correlationId ||
    progress?.correlationId === correlationId ||
    changes.some(({ isNewImage }) => isNewImage);
  if (hasSpoken) return silentRefusals > 0 || fetchedAt !== undefined ? { count: 0 } : undefined;
  if (fetchedAt === undefined) return undefined;
  // It fetched the offer, and comes back without a word: it refuses what it was given.
  const count = silentRefusals + 1;
  const isFinal = count >= SILENT_REFUSALS_MAX;
  notes.observe({ kind: 'refused-silently', correlationId, count, isFinal });
  notes.event('update.refused-silently', { correlationId, count });
  return { count };
}

/** Whose offer in force gives an ECU what it now runs. */
function offererOf(
  { director, inventory }: VehicleRecord,
  { ecuIdentifier }: EcuInventory,
  { name, sha256 }: InstalledState,
): string | undefined {
  const offered = director?.images.get(ecuIdentifier);
  const isOffered = offered?.name === name && offered.sha256 === sha256;
  return isOffered ? inventory.offer?.correlationId : undefined;
}

/** Tells of the vehicle's health where somebody wants to know: most manifests of a fleet say nothing new. */
function assessHealth({ record, notes, at }: Situation, changes: readonly EcuChange[]): void {
  const { healthDueAt } = record;
  const isCompleted = notes.observations.some(({ kind }) => kind === 'completed');
  const isWatched = healthDueAt !== undefined;
  const isDue =
    healthDueAt instanceof Temporal.Instant && Temporal.Instant.compare(at, healthDueAt) >= 0;
  const isChanged = changes.some(({ isCounterAlone }) => !isCounterAlone);
  if (!isCompleted && !isDue && !(isWatched && isChanged)) return;
  const said = new Map<string, JsonObject>(record.health);
  for (const { ecu, health } of changes) said.set(ecu.ecuIdentifier, health);
  notes.observe({ kind: 'health', facts: readHealth(said) });
}

/** Collects what is to be recorded of one vehicle. */
class Notes {
  readonly events: NewEvent[] = [];
  readonly observations: Observation[] = [];
  readonly #vehicleId: VehicleIdentifier;
  readonly #at: Temporal.Instant;

  constructor(vehicleId: VehicleIdentifier, at: Temporal.Instant) {
    this.#vehicleId = vehicleId;
    this.#at = at;
  }

  event(kind: NewEvent['kind'], body: JsonObject): void {
    this.events.push({ stream: this.#vehicleId, kind, at: this.#at, body });
  }

  observe(observation: ObservationBody): void {
    this.observations.push({ vehicleId: this.#vehicleId, at: this.#at, ...observation });
  }

  installed(
    { ecuIdentifier }: EcuInventory,
    image: InstalledState,
    offeredBy: string | undefined,
  ): void {
    this.observe({ kind: 'installed', ecuIdentifier, image, offeredBy });
    const { name, sha256, lengthBytes } = image;
    this.event('ecu.installed', { ecu: ecuIdentifier, image: name, sha256, length: lengthBytes });
  }

  result(result: NonNullable<ReturnType<typeof parseInstallationReport>>): void {
    this.observe({ kind: 'result', ...result });
    if (result.isSuccess) return;
    const { correlationId, code, description } = result;
    this.event('update.failed', { correlationId, code, description });
  }
}

type ObservationBody = Observation extends infer One
  ? One extends Observation
    ? Omit<One, 'vehicleId' | 'at'>
    : never
  : never;

function installedBy(report: EcuVersionReport, at: Temporal.Instant): InstalledState {
  const { name, lengthBytes, hashes } = report.installedImage;
  return { name: storableText(name), sha256: hashes.get('sha256') ?? '', lengthBytes, at };
}

/** What an ECU says of itself besides its image; the nonce proves freshness and says nothing. */
function healthOf({ custom }: EcuVersionReport): JsonObject {
  const { nonce: _, rxswins: __, ...health } = custom;
  if (Object.keys(health).length === 0) return health;
  const isShort = JSON.stringify(health).length <= HEALTH_MAX_CHARACTERS;
  return isShort ? storableObject(health) : {};
}

/** The database keeps members in an order of its own. */
function isSameObject(left: JsonObject, right: JsonObject): boolean {
  const count = Object.keys(left).length;
  if (count === 0 || count !== Object.keys(right).length) {
    return count === Object.keys(right).length;
  }
  return equalBytes(encodeCanonical(left, 'escaped'), encodeCanonical(right, 'escaped'));
}

function isSameList(left: readonly ReportedRxswin[], right: readonly ReportedRxswin[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ regulation, rxswin }, index) => {
      const other = right[index];
      return regulation === other?.regulation && rxswin === other.rxswin;
    })
  );
}

function missingPrimary(manifest: VerifiedManifest, primary: EcuIdentifier): UptaneFault {
  return (
    manifest.refused.get(primary) ??
    new UptaneFault('REPORT_SIGNATURE', `Cannot accept manifest: "${primary}" has no report in it`)
  );
}
