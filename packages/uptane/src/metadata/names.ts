/** The identifiers of metadata and manifests, each a type that keeps what its parser checked. */
import type { Brand } from '@immota/base';
import { UptaneFault } from '../fault.ts';
import {
  ECU_IDENTIFIER_MAX_LENGTH,
  HARDWARE_IDENTIFIER_MAX_LENGTH,
  NAME_MAX_LENGTH,
  VEHICLE_IDENTIFIER_MAX_LENGTH,
} from '../limits.ts';
import { isTopLevelRole } from './repository.ts';

/** Holding a KeyId tells you: it is 1 to 1024 characters. It says nothing about the key itself. */
export type KeyId = Brand<string, 'KeyId'>;
/** Holding a TargetName tells you: it is 1 to 1024 characters. It is not yet safe as a path. */
export type TargetName = Brand<string, 'TargetName'>;
/** Holding a RoleName tells you: it is `targets` or a delegated role's name of 1 to 1024 characters. */
export type RoleName = Brand<string, 'RoleName'>;
/** Holding an EcuIdentifier tells you: it is 1 to 64 characters, none of them a control character. */
export type EcuIdentifier = Brand<string, 'EcuIdentifier'>;
/** Holding a HardwareIdentifier tells you: it is 1 to 200 characters, none a control character. */
export type HardwareIdentifier = Brand<string, 'HardwareIdentifier'>;
/** Holding a VehicleIdentifier tells you: it is 1 to 64 characters out of letters, digits and `._:-`. */
export type VehicleIdentifier = Brand<string, 'VehicleIdentifier'>;
/** Holding an InstallableName tells you: it is a TargetName that is NFC, relative and free of `..`. */
export type InstallableName = Brand<TargetName, 'InstallableName'>;

/** The role that Root delegates images to. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: a constant of the standard
export const TARGETS_ROLE = 'targets' as RoleName;

/** Reads a key identifier. @throws UptaneFault MALFORMED when it is no text of 1 to 1024 characters. */
export function parseKeyId(value: unknown): KeyId {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked by boundedText
  return boundedText(value, 'key identifier', NAME_MAX_LENGTH) as KeyId;
}

/** Reads a target name. @throws UptaneFault MALFORMED when it is no text of 1 to 1024 characters. */
export function parseTargetName(value: unknown): TargetName {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked by boundedText
  return boundedText(value, 'target name', NAME_MAX_LENGTH) as TargetName;
}

/**
 * Reads the name of a delegated role.
 *
 * @throws UptaneFault MALFORMED when it is no text, too long, or the name of a top-level role: a
 * delegation called `root` must not stand in for the root.
 */
export function parseDelegatedRoleName(value: unknown): RoleName {
  const name = boundedText(value, 'role name', NAME_MAX_LENGTH);
  if (isTopLevelRole(name.toLowerCase())) {
    throw new UptaneFault('MALFORMED', `Cannot delegate to "${name}": the name is reserved`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return name as RoleName;
}

/** Reads an ECU identifier. @throws UptaneFault MALFORMED unless it is 1 to 64 printable characters. */
export function parseEcuIdentifier(value: unknown): EcuIdentifier {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked by printableText
  return printableText(value, 'ECU identifier', ECU_IDENTIFIER_MAX_LENGTH) as EcuIdentifier;
}

/** Reads a hardware identifier. @throws UptaneFault MALFORMED unless it is 1 to 200 printable characters. */
export function parseHardwareIdentifier(value: unknown): HardwareIdentifier {
  const text = printableText(value, 'hardware identifier', HARDWARE_IDENTIFIER_MAX_LENGTH);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked by printableText
  return text as HardwareIdentifier;
}

/** Reads a vehicle identifier, a VIN or a device id. @throws UptaneFault MALFORMED otherwise. */
export function parseVehicleIdentifier(value: unknown): VehicleIdentifier {
  const text = boundedText(value, 'vehicle identifier', VEHICLE_IDENTIFIER_MAX_LENGTH);
  if (!/^[\w.:-]+$/.test(text)) {
    throw new UptaneFault(
      'MALFORMED',
      'Cannot read vehicle identifier: a character is not allowed',
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return text as VehicleIdentifier;
}

/**
 * Reads the name of an image that may be published and stored.
 *
 * {uptane B1} {uptane B17} {uptane K4}: NFC, relative, no segment that climbs, so that it can be the name of a file.
 *
 * @throws UptaneFault MALFORMED otherwise.
 */
export function parseInstallableName(value: unknown): InstallableName {
  const name = printableText(value, 'image name', 253);
  const climbs = name.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (climbs || name.includes('\\') || name !== name.normalize('NFC')) {
    throw new UptaneFault('MALFORMED', `Cannot use "${name}" as an image name: not a plain path`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return name as InstallableName;
}

function boundedText(value: unknown, what: string, lengthMax: number): string {
  if (typeof value !== 'string' || value.length < 1 || value.length > lengthMax) {
    throw new UptaneFault('MALFORMED', `Cannot read ${what}: not a text of 1 to ${lengthMax}`);
  }
  return value;
}

function printableText(value: unknown, what: string, lengthMax: number): string {
  const text = boundedText(value, what, lengthMax);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new UptaneFault('MALFORMED', `Cannot read ${what}: it holds a control character`);
  }
  return text;
}
