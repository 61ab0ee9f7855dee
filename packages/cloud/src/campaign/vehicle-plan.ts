/** What one vehicle gets of a release, and why not more {uptane E7}. */
import type { ReasonCode, VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { EcuIdentifier, InstallableName } from '@immota/uptane';
import type { EcuInventory, VehicleInventory } from '../director/ports.ts';
import { type EcuConfiguration, findPath, type PathResult } from '../release/find-path.ts';
import type { Release } from '../release/release-document.ts';
import { rxswinsByImage } from '../release/release-rxswin.ts';
import { technicianCustom } from '../release/technician.ts';

/** Configurations kept for one release: variants of a vehicle line times versions in the field. */
const CONFIGURATIONS_KEPT_MAX = 50_000;

/** What an image is known by: its signed hash, so that a name alone proves nothing. */
export type ImageHashes = ReadonlyMap<string, string>;

/** How long each image is as it is downloaded, by name. */
export type ImageLengths = ReadonlyMap<string, number>;

/** What a vehicle gets next, or where it stands instead. */
export type VehicleDecision =
  | {
      readonly kind: 'install';
      readonly images: ReadonlyMap<EcuIdentifier, InstallableName>;
      /** How many bundles there are before it, this one included. */
      readonly bundles: number;
    }
  | { readonly kind: 'done' }
  | {
      readonly kind: 'none';
      readonly state: VehicleState;
      readonly reason: ReasonCode;
      readonly ecus: readonly string[];
    };

/** Plans vehicles for one release; it remembers the ways it found, for fleets are much alike. */
export class ReleasePlanner {
  readonly #release: Release;
  readonly #hashes: ImageHashes;
  readonly #lengths: ImageLengths;
  readonly #known = new Map<string, PathResult>();
  readonly #imageCustom: ReadonlyMap<InstallableName, JsonObject>;

  /**
   * @param release - whose signature was checked.
   * @param hashes - SHA-256 by name of every image the repository has for it.
   * @param lengths - in bytes, likewise.
   */
  constructor(release: Release, hashes: ImageHashes, lengths: ImageLengths = new Map()) {
    this.#release = release;
    this.#hashes = hashes;
    this.#lengths = lengths;
    this.#imageCustom = rxswinsByImage(release);
  }

  /** Adds up what a vehicle has to download, where no delta spares it. */
  lengthOf(images: ReadonlyMap<EcuIdentifier, InstallableName>): number {
    const names = new Set(images.values());
    return [...names].reduce((sum, name) => sum + (this.#lengths.get(name) ?? 0), 0);
  }

  /** Says what the ECUs that the release is for run: `hardware=image` in order, joined by spaces. */
  sourceOf({ ecus }: VehicleInventory): string {
    const concerned = ecus.filter((ecu) => this.#release.goal.has(ecu.hardwareIdentifier));
    const parts = concerned.map(
      (ecu) => `${word(ecu.hardwareIdentifier)}=${word(ecu.installed?.name ?? '')}`,
    );
    return [...new Set(parts)].toSorted().join(' ');
  }

  /** What the owner is told, to be signed with the plan {uptane E8}. */
  notice(): JsonObject {
    const { notice, description, unusableSeconds, unavailable, isSecurity } = this.#release;
    return {
      ...notice,
      description: Object.fromEntries(description),
      unusableSeconds,
      unavailable,
      security: isSecurity,
    };
  }

  /** Where this vehicle has to stop for a technician, to be signed with the plan {R156 7.1.4.2}. */
  technician({ ecus }: VehicleInventory, images: ReadonlyMap<EcuIdentifier, unknown>): JsonObject {
    return technicianCustom(this.#release.technician, ecus, images);
  }

  /** What ECUs are to store with their goals: RXSWINs, readable at the vehicle {R156 7.2.1.2.2}. */
  imageCustom(): ReadonlyMap<InstallableName, JsonObject> {
    return this.#imageCustom;
  }

  /** Decides for one vehicle, from what its ECUs last reported. */
  decide(vehicle: VehicleInventory): VehicleDecision {
    const waiting = this.#waitsFor(vehicle);
    if (waiting !== undefined) return waiting;
    const found = this.#findPath(vehicle.ecus);
    if (found.kind === 'none') {
      return {
        kind: 'none',
        state: 'blocked',
        reason: found.reason,
        ecus: this.#ecusAt(vehicle, found.ecus),
      };
    }
    const [first] = found.bundles;
    if (first === undefined) return { kind: 'done' };
    const images = new Map<EcuIdentifier, InstallableName>();
    for (const [index, ecu] of sorted(vehicle.ecus).entries()) {
      const name = first.get(String(index));
      if (name !== undefined) images.set(ecu.ecuIdentifier, name);
    }
    return { kind: 'install', images, bundles: found.bundles.length };
  }

  /**
   * Tells whether a vehicle runs the release by its ECUs' reports.
   *
   * @returns undefined when nobody can tell: an ECU is silent, missing or replaced, or the vehicle is barred.
   */
  runs(vehicle: VehicleInventory): boolean | undefined {
    const { kind } = this.decide(vehicle);
    if (kind === 'done') return true;
    const concerned = vehicle.ecus.filter((ecu) => this.#release.goal.has(ecu.hardwareIdentifier));
    if (concerned.some(({ installed }) => installed === undefined)) return undefined;
    const found = this.#findPath(vehicle.ecus);
    return found.kind === 'path' && found.bundles.length === 0 ? undefined : false;
  }

  /** What stands before any plan: the vehicle must be known, and so must each ECU of it. */
  #waitsFor(vehicle: VehicleInventory): VehicleDecision | undefined {
    if (vehicle.isQuarantined) return none('QUARANTINED');
    if (vehicle.primaryEcuIdentifier === undefined) return none('NEVER_REGISTERED');
    const concerned = vehicle.ecus.filter((ecu) => this.#release.goal.has(ecu.hardwareIdentifier));
    const replaced = concerned.filter((ecu) => ecu.isReplacementPending);
    if (replaced.length > 0) return none('ECU_REPLACED', replaced);
    const missing = concerned.filter((ecu) => ecu.missingSince !== undefined);
    if (missing.length > 0) return none('ECU_MISSING', missing);
    const silent = concerned.filter((ecu) => ecu.installed === undefined);
    return silent.length > 0 ? none('NOT_SEEN', silent) : undefined;
  }

  #findPath(ecus: readonly EcuInventory[]): PathResult {
    const configuration = sorted(ecus).map((ecu, index) => ({
      ecu: String(index),
      hardwareIdentifier: ecu.hardwareIdentifier,
      image: this.#imageOf(ecu),
    }));
    const key = configuration.map((ecu) => `${ecu.hardwareIdentifier}\n${ecu.image}`).join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = findPath(this.#release, configuration);
    if (this.#known.size >= CONFIGURATIONS_KEPT_MAX) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  /** What a vehicle runs, as the search for a way sees it. */
  configurationOf(vehicle: VehicleInventory): readonly EcuConfiguration[] {
    return vehicle.ecus.map((ecu) => ({
      ecu: ecu.ecuIdentifier,
      hardwareIdentifier: ecu.hardwareIdentifier,
      image: this.#imageOf(ecu),
    }));
  }

  /** The image an ECU runs; `''` when its bytes are not those that were signed under the name. */
  #imageOf({ installed }: EcuInventory): string {
    if (installed === undefined) return '';
    const signed = this.#hashes.get(installed.name);
    return signed === undefined || signed === installed.sha256 ? installed.name : '';
  }

  #ecusAt(vehicle: VehicleInventory, indices: readonly string[]): readonly string[] {
    const ecus = sorted(vehicle.ecus);
    return indices.map((index) => ecus[Number(index)]?.ecuIdentifier ?? index);
  }
}

/** A space would tell two words apart. */
function word(text: string): string {
  return text.replaceAll(/\s/g, '%20');
}

/** By hardware and image, so that vehicles alike share one way whatever their ECUs' serials. */
function sorted(ecus: readonly EcuInventory[]): readonly EcuInventory[] {
  return ecus.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : Number(keyOf(a) > keyOf(b))));
}

function keyOf(ecu: EcuInventory): string {
  return `${ecu.hardwareIdentifier}\n${ecu.installed?.name ?? ''}`;
}

function none(reason: ReasonCode, ecus: readonly EcuInventory[] = []): VehicleDecision {
  const state = reason === 'NOT_SEEN' ? 'targeted' : 'blocked';
  return { kind: 'none', state, reason, ecus: ecus.map(({ ecuIdentifier }) => ecuIdentifier) };
}
