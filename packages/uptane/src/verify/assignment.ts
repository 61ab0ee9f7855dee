/** What verified metadata assigns to an ECU, and the checks of the image itself. */
import type { Brand } from '@immota/base';
import { encodeCanonical } from '../encoding/canonical.ts';
import { UptaneFault, type UptaneFaultSite } from '../fault.ts';
import { checkMeasurement, hashesAgree, type Measurement } from '../metadata/hashes.ts';
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  type InstallableName,
  parseInstallableName,
  type TargetName,
} from '../metadata/names.ts';
import type { EcuAssignment, TargetFile } from '../metadata/roles.ts';

interface AssignmentFields {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly name: InstallableName;
  /** The Director's entry: length, hashes, encrypted form, wrapped keys. */
  readonly file: TargetFile;
  readonly releaseCounter: number;
  readonly assignment: EcuAssignment;
}

/**
 * One image for one ECU.
 *
 * Holding a VerifiedAssignment tells you: the Director assigned the image to this ECU; its hardware
 * is the ECU's; after full verification, the Image repository states the same image for the same
 * hardware; its release counter is not below the installed one. It says nothing yet of the bytes.
 */
export type VerifiedAssignment = Brand<AssignmentFields, 'VerifiedAssignment'>;

/** One entry of the Director's Targets for one ECU. */
export interface AssignedTarget {
  readonly ecuIdentifier: EcuIdentifier;
  readonly name: TargetName;
  readonly file: TargetFile;
  readonly assignment: EcuAssignment;
}

/** What an ECU is and runs. */
export interface EcuState {
  readonly hardwareIdentifier: HardwareIdentifier;
  /** Of the installed image; 0 when none was ever installed. */
  readonly releaseCounter: number;
}

/**
 * Checks an assignment against the ECU itself {uptane K7} {uptane M3} {uptane L4}.
 *
 * @param target - the Director's entry.
 * @param ecu - the ECU as it is.
 * @throws UptaneFault HARDWARE_MISMATCH for other hardware, RELEASE_COUNTER below the installed one,
 * MALFORMED when the name cannot be a file's.
 */
export function checkAssignment(target: AssignedTarget, ecu: EcuState): VerifiedAssignment {
  const { hardwareIdentifier } = target.assignment;
  const site = { repository: 'director', role: 'targets' } as const;
  if (hardwareIdentifier !== ecu.hardwareIdentifier) {
    throw new UptaneFault(
      'HARDWARE_MISMATCH',
      `Cannot install on "${target.ecuIdentifier}": the image is for "${hardwareIdentifier}"`,
      site,
    );
  }
  const releaseCounter = target.file.releaseCounter ?? 0;
  if (releaseCounter < ecu.releaseCounter) {
    throw new UptaneFault(
      'RELEASE_COUNTER',
      `Cannot install on "${target.ecuIdentifier}": release ${releaseCounter} after ${ecu.releaseCounter}`,
      site,
    );
  }
  const name = installable(target.name, site);
  const { ecuIdentifier, file, assignment } = target;
  const fields = { ecuIdentifier, hardwareIdentifier, name, file, releaseCounter, assignment };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above; its callers verified the metadata
  return fields as VerifiedAssignment;
}

/**
 * Checks that both repositories state the same image {uptane L4} {uptane B9} {uptane B10}.
 *
 * @param target - the Director's entry.
 * @param image - what the Image repository lists under the same name; undefined when nothing.
 * @throws UptaneFault TARGET_UNKNOWN, TARGET_MISMATCH, or HARDWARE_MISMATCH when the image does not
 * list the ECU's hardware.
 */
export function compareWithImage(target: AssignedTarget, image: TargetFile | undefined): void {
  const { file, name, assignment } = target;
  const site = { repository: 'image', role: 'targets' } as const;
  if (image === undefined) {
    throw new UptaneFault('TARGET_UNKNOWN', `Cannot trust "${name}": no role lists it`, site);
  }
  if (!fits(image, assignment.hardwareIdentifier)) {
    throw new UptaneFault(
      'HARDWARE_MISMATCH',
      `Cannot trust "${name}": it does not list "${assignment.hardwareIdentifier}"`,
      site,
    );
  }
  const same =
    file.lengthBytes === image.lengthBytes &&
    hashesAgree(file.hashes, image.hashes) &&
    canonical(file) === canonical(image);
  if (!same) {
    throw new UptaneFault('TARGET_MISMATCH', `Cannot trust "${name}": repositories disagree`, site);
  }
}

/**
 * Checks the bytes of an image, once an ECU or the Primary has them {uptane I5} {uptane K7}: the
 * length and every listed hash.
 *
 * @param assignment - from verified metadata.
 * @param measured - of the image in the clear.
 * @throws UptaneFault IMAGE_LENGTH or IMAGE_HASH.
 */
export function checkImage(assignment: VerifiedAssignment, measured: Measurement): void {
  checkMeasurement(assignment.file, measured);
}

function installable(name: TargetName, site: UptaneFaultSite): InstallableName {
  try {
    return parseInstallableName(name);
  } catch (error) {
    throw error instanceof UptaneFault ? error.located(site) : error;
  }
}

/** Some suppliers' tools list an image's hardware by ECU instead of by `hardwareIds`. */
function fits(image: TargetFile, hardwareIdentifier: HardwareIdentifier): boolean {
  const byEcu = [...image.ecus.values()].map((ecu) => ecu.hardwareIdentifier);
  return [...image.hardwareIdentifiers, ...byEcu].includes(hardwareIdentifier);
}

function canonical(file: TargetFile): string {
  return Buffer.from(encodeCanonical(file.mustMatch, 'escaped')).toString('latin1');
}
