/** What must hold of the Image repository as a whole before it is published. */
import { sql } from '@immota/store';
import { encodeCanonical, type TargetFile, type Targets, type Trusted } from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { ImageRow } from '../schema/tables.ts';
import type { RepositoryState } from './repository-state.ts';

/**
 * Checks that both dialects state the same: two populations of clients must not be told two stories.
 *
 * @param states - one for each dialect.
 * @throws CloudFault METADATA_REFUSED.
 */
export function checkSameInBoth(states: readonly RepositoryState[]): void {
  const [first, ...others] = states;
  for (const other of others) {
    if (first?.targets.size !== other.targets.size) throw refused('one dialect has other roles');
    for (const [role, targets] of first.targets) {
      if (statementOf(targets) !== statementOf(other.targets.get(role))) {
        throw refused(`"${role}" says other things in the two dialects`);
      }
    }
  }
}

/**
 * Checks that every image listed was uploaded with the length and the hashes that are signed.
 *
 * @throws CloudFault METADATA_REFUSED.
 */
export async function checkUploaded(
  tx: CloudTransaction,
  [state]: readonly RepositoryState[],
): Promise<void> {
  const listed = new Map<string, TargetFile>();
  for (const targets of state?.targets.values() ?? []) {
    for (const [name, file] of targets.body.files) listed.set(name, file);
  }
  if (listed.size === 0) return;
  const { rows } = await sql<
    Pick<ImageRow, 'name' | 'length_bytes' | 'sha256' | 'sha512'>
  >`select name, length_bytes, sha256, sha512 from image
    where name = any(${[...listed.keys()]})`.execute(tx);
  const uploaded = new Map(rows.map((row) => [row.name, row]));
  for (const [name, file] of listed) {
    const row = uploaded.get(name);
    // What lies on another server is that server's to have.
    if (row === undefined && file.uri !== undefined) continue;
    const { sha256, sha512 } = Object.fromEntries(file.hashes);
    if (
      row?.length_bytes !== file.lengthBytes ||
      (sha256 !== undefined && sha256 !== row.sha256) ||
      (sha512 !== undefined && sha512 !== row.sha512)
    ) {
      throw refused(`"${name}" was not uploaded as it is signed`);
    }
  }
}

function statementOf(targets: Trusted<Targets> | undefined): string {
  const { version, files, delegations } = targets?.body ?? {};
  const images = [...(files ?? [])].map(([name, { lengthBytes, hashes, custom }]) => ({
    name,
    lengthBytes,
    hashes: Object.fromEntries(hashes),
    custom,
  }));
  const delegated = (delegations?.entries ?? []).map((entry) => ({
    names: { ...entry.names },
    terminating: entry.terminating,
    agreeing: entry.agreeing,
    hardware: [...(entry.hardwareIdentifiers ?? ['*'])],
    roles: entry.roles.map(({ name, threshold }) => ({ name, threshold })),
  }));
  const statement = { version: version ?? 0, images: images.toSorted(byName), delegated };
  return Buffer.from(encodeCanonical(statement, 'escaped')).toString('latin1');
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

function refused(why: string): CloudFault {
  return new CloudFault('METADATA_REFUSED', `Cannot publish metadata: ${why}`);
}
