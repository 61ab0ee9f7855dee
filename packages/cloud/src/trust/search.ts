/** Which roles a client consults for an image, in its order {uptane L11} {uptane C5} {uptane C6}. */
import {
  type DelegatedRole,
  delegationCovers,
  type Delegations,
  type Dialect,
  type FoundTarget,
  limits,
  type RoleName,
  type TargetQuery,
  type Targets,
  TARGETS_ROLE,
  type Trusted,
} from '@immota/uptane';

/**
 * Lists the roles a client consults until the search ends, whether or not one of them lists the image.
 *
 * @param targets - every published Targets file of the repository.
 */
export function* consultedRoles(
  dialect: Dialect,
  targets: ReadonlyMap<RoleName, Trusted<Targets>>,
  query: TargetQuery,
): Generator<RoleName, void, undefined> {
  const visited = new Set<RoleName>();
  const pending: RoleName[] = [TARGETS_ROLE];
  for (let role = pending.pop(); role !== undefined; role = pending.pop()) {
    if (visited.has(role)) continue;
    if (visited.size > limits.DELEGATIONS_VISITED_MAX) return;
    visited.add(role);
    yield role;
    const delegations = targets.get(role)?.body.delegations;
    if (delegations === undefined) continue;
    const { roles, isTerminated } = covering(dialect, delegations, query);
    if (isTerminated) pending.length = 0;
    pending.push(...roles.map(({ name }) => name).toReversed());
  }
}

/**
 * Finds what the Image repository signs of an image.
 *
 * @returns the first entry in the order of the search, or undefined.
 */
export function findSigned(
  dialect: Dialect,
  targets: ReadonlyMap<RoleName, Trusted<Targets>>,
  query: TargetQuery,
): FoundTarget | undefined {
  for (const role of consultedRoles(dialect, targets, query)) {
    const file = targets.get(role)?.body.files.get(query.name);
    if (file !== undefined) return { file, role };
  }
  return undefined;
}

/** Tells whether an image of a role would be found by clients {uptane D4}. */
export function isCovered(
  dialect: Dialect,
  targets: ReadonlyMap<RoleName, Trusted<Targets>>,
  { role, query }: { readonly role: RoleName; readonly query: TargetQuery },
): boolean {
  return consultedRoles(dialect, targets, query).some((consulted) => consulted === role);
}

function covering(
  dialect: Dialect,
  delegations: Delegations,
  query: TargetQuery,
): { readonly roles: readonly DelegatedRole[]; readonly isTerminated: boolean } {
  const roles: DelegatedRole[] = [];
  for (const entry of delegations.entries) {
    if (!delegationCovers(dialect, entry, query)) continue;
    roles.push(...entry.roles);
    if (entry.terminating) return { roles, isTerminated: true };
  }
  return { roles, isTerminated: false };
}
