/** Tells what a signed metadata file is by its name, as ceremonies write them: `tuf.targets.json`, `2.root.json`. */
import type { Input } from '../../client/routes.ts';

type Written = NonNullable<Input<'publishMetadata'>['body']>['files'][number];

/**
 * Describes a file for publication.
 *
 * @param name - of the file; `tuf` in it means that dialect, and the word before `.json` is the role.
 * @param bytes - the signed file, as it is.
 */
export function describeFile(name: string, bytes: Uint8Array): Written {
  const parts = name.replace(/\.json$/i, '').split('.');
  const role = parts.filter((part) => !/^(?:\d+|tuf|aktualizr)$/.test(part)).join('.');
  return {
    dialect: parts.includes('tuf') ? 'tuf' : 'aktualizr',
    role: role === '' ? 'targets' : role,
    bytes: bytes.toBase64(),
  };
}
