/** How images are named where they are served {uptane B17}. */
import { encodeFileName, type InstallableName, parseInstallableName } from '@immota/uptane';

/** An encrypted image is served under its name and this. */
export const ENCRYPTED_SUFFIX = '.enc';
/** What metadata call the form in which `@immota/image` encrypts. */
export const ENCRYPTION_METHOD = 'immota-image-1';

/** The name of an image's encrypted form. */
export function encryptedName(name: InstallableName): InstallableName {
  return parseInstallableName(name + ENCRYPTED_SUFFIX);
}

/** Puts a hash before the last part of a name: a name for bytes that never change. */
export function hashedName(name: string, digest: string): string {
  const slash = name.lastIndexOf('/') + 1;
  return `${name.slice(0, slash)}${digest}.${name.slice(slash)}`;
}

/** Percent-encodes a name for a URL, all but its slashes. */
export function encodePath(name: string): string {
  return name.split('/').map(encodeFileName).join('/');
}
