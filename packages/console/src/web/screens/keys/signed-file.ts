/** Tells what a signed metadata file is by its name, as `immota key import` writes them: `tuf.3.targets.json`. */
import type { Input } from '../../client/routes.ts';

type Written = NonNullable<Input<'publishMetadata'>['body']>['files'][number];

/** The dialect and the version stand before the role; a delegated role may have dots and digits of its own. */
const NAME = /^(?:(?<dialect>tuf|aktualizr)\.)?(?:\d+\.)?(?<role>.+?)\.json$/i;

/**
 * Describes a file for publication.
 *
 * @param name - of the file; without a dialect it is the one of `aktualizr`.
 * @param bytes - the signed file, as it is.
 */
export function describeFile(name: string, bytes: Uint8Array): Written {
  const { dialect, role = 'targets' } = NAME.exec(name)?.groups ?? {};
  return {
    dialect: dialect?.toLowerCase() === 'tuf' ? 'tuf' : 'aktualizr',
    role,
    bytes: bytes.toBase64(),
  };
}
