/** The next Root of a repository: who signs what from then on {uptane B5} {uptane L6}. */
import type { JsonObject } from '@immota/base';
import {
  AKTUALIZR,
  type Dialect,
  keyIdOf,
  type ListedKey,
  type RoleDescription,
  type Root,
  rootPayload,
  TOP_LEVEL_ROLES,
  type TopLevelRole,
} from '@immota/uptane';
import { CliFault } from '../fault.ts';
import type { PublicKeyCard } from './signing-request.ts';

/** A role of a Root; `time` signs attested time, in the Director's. */
export type RootRole = TopLevelRole | 'time';

/** What changes for one role. */
export interface RoleChange {
  readonly role: RootRole;
  readonly add: readonly PublicKeyCard[];
  /** Key identifiers, or their first characters, at least 8. */
  readonly remove: readonly string[];
  /** Undefined keeps it. */
  readonly threshold: number | undefined;
}

/** What the next Root is made from. */
export interface RootChange {
  /** The Root in force; undefined makes the first one. */
  readonly current: Root | undefined;
  readonly changes: readonly RoleChange[];
  readonly expires: Temporal.Instant;
}

/**
 * Builds the payload of the next Root.
 *
 * @throws CliFault USAGE when a role would be left without enough keys, or a key to be removed is not
 * there.
 */
export function nextRoot(dialect: Dialect, { current, changes, expires }: RootChange): JsonObject {
  const roles = new Map<RootRole, RoleDescription>();
  for (const role of [...TOP_LEVEL_ROLES, 'time'] as const) {
    const change = changes.find((one) => one.role === role);
    const described = changeRole(dialect, listed(dialect, current, role), change);
    if (described.keys.length === 0 && role === 'time') continue;
    if (described.threshold < 1 || described.keys.length < described.threshold) {
      throw new CliFault(
        'USAGE',
        `Cannot make Root: role "${role}" has ${described.keys.length} keys for a threshold of ${described.threshold}`,
      );
    }
    roles.set(role, described);
  }
  const take = (role: TopLevelRole): RoleDescription =>
    roles.get(role) ?? { keys: [], threshold: 1 };
  return rootPayload(dialect, {
    version: (current?.version ?? 0) + 1,
    expires,
    consistentSnapshot: true,
    roles: {
      root: take('root'),
      timestamp: take('timestamp'),
      snapshot: take('snapshot'),
      targets: take('targets'),
    },
    time: roles.get('time'),
  });
}

function listed(dialect: Dialect, root: Root | undefined, role: RootRole): RoleDescription {
  const keys: ListedKey[] = [];
  const own = root?.roles.get(role);
  for (const keyId of own?.keyIds ?? []) {
    const key = root?.keys.get(keyId);
    const publicKeyDer = key?.exportDer();
    if (key?.algorithm === undefined || publicKeyDer === undefined) {
      throw new CliFault('USAGE', `Cannot carry over key ${keyId} of "${role}": remove it`);
    }
    const { algorithm } = key;
    keys.push({ keyId: keyIdOf(dialect, algorithm, publicKeyDer), algorithm, publicKeyDer });
  }
  return { keys, threshold: own?.threshold ?? 1 };
}

function changeRole(
  dialect: Dialect,
  role: RoleDescription,
  change: RoleChange | undefined,
): RoleDescription {
  if (change === undefined) return role;
  // People see one identifier of a key, that of the vehicle dialect, whatever the file's dialect.
  const kept = role.keys.filter(({ algorithm, publicKeyDer }) => {
    const shown = keyIdOf(AKTUALIZR, algorithm, publicKeyDer);
    return !change.remove.some((start) => shown.startsWith(start));
  });
  if (role.keys.length - kept.length < change.remove.length) {
    throw new CliFault('USAGE', `Cannot make Root: a key to remove is not in "${change.role}"`);
  }
  const added = change.add.map(({ algorithm, publicKeyDer }) => ({
    keyId: keyIdOf(dialect, algorithm, publicKeyDer),
    algorithm,
    publicKeyDer,
  }));
  const fresh = added.filter(({ keyId }) => !kept.some((old) => old.keyId === keyId));
  return { keys: [...kept, ...fresh], threshold: change.threshold ?? role.threshold };
}
