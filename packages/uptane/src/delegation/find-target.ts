/**
 * The search for an image along the delegations: pre-order, in listed order, ended by a terminating
 * delegation {uptane L11} {uptane C5} {uptane C6}. With a work list of its own: no recursion over outside data.
 */
import { encodeCanonical } from '../encoding/canonical.ts';
import type { Dialect } from '../encoding/dialect.ts';
import { UptaneFault } from '../fault.ts';
import { DELEGATIONS_VISITED_MAX } from '../limits.ts';
import { type RoleName, TARGETS_ROLE, type TargetName } from '../metadata/names.ts';
import type { DelegatedRole, Delegations, TargetFile, Targets } from '../metadata/roles.ts';
import type { RepositorySession } from '../verify/repository-session.ts';
import type { RepositoryTrust } from '../verify/trusted.ts';
import type { Workflow } from '../verify/workflow.ts';
import { delegationCovers, rolesFor, type TargetQuery } from './match.ts';

/** An image and the role whose signature carries it. */
export interface FoundTarget {
  readonly file: TargetFile;
  readonly role: RoleName;
}

/** A delegation to follow: one role, or several that must agree. */
interface Visit {
  readonly roles: readonly DelegatedRole[];
  readonly agreeing: number;
  readonly delegations: Delegations;
}

/**
 * Finds an image in the Image repository.
 *
 * @param session - refreshed in this cycle.
 * @param trust - what `refresh` gave.
 * @param query - which image, for which hardware.
 * @returns undefined when no role that covers the name lists it, or roles that must agree do not.
 * @throws UptaneFault as a delegated role refuses; DELEGATION_MISSING; LIMIT beyond 32 roles.
 */
export function* findTarget(
  dialect: Dialect,
  { session, trust }: { readonly session: RepositorySession; readonly trust: RepositoryTrust },
  query: TargetQuery,
): Workflow<FoundTarget | undefined> {
  const top = trust.targets.get(TARGETS_ROLE);
  if (top === undefined) return undefined;
  const listed = top.body.files.get(query.name);
  if (listed !== undefined) return { file: listed, role: TARGETS_ROLE };
  const visited = new Set<RoleName>();
  let loads = 0;
  const pending = expand(dialect, top.body, query).visits;
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const [role] = visit.roles;
    const agreed = visit.roles.length > 1;
    if (role === undefined || (!agreed && visited.has(role.name))) continue;
    loads += visit.roles.length;
    if (loads > DELEGATIONS_VISITED_MAX) {
      throw new UptaneFault('LIMIT', `Cannot find image: over ${DELEGATIONS_VISITED_MAX} roles`, {
        repository: 'image',
        role: role.name,
      });
    }
    if (agreed) {
      const found = yield* findAgreed(session, visit, query.name);
      if (found !== undefined) return found;
      continue;
    }
    visited.add(role.name);
    const delegator = { delegations: visit.delegations, roleKeys: role };
    const targets = yield* session.loadDelegated(role.name, delegator);
    const file = targets.body.files.get(query.name);
    if (file !== undefined) return { file, role: role.name };
    const { visits, terminated } = expand(dialect, targets.body, query);
    // {uptane C6}: beyond a terminating delegation nothing else is searched, here or further up.
    if (terminated) pending.length = 0;
    pending.push(...visits);
  }
  return undefined;
}

/** The delegations to follow from one file, the first on top of the stack. */
function expand(
  dialect: Dialect,
  targets: Targets,
  query: TargetQuery,
): { readonly visits: Visit[]; readonly terminated: boolean } {
  const visits: Visit[] = [];
  const { delegations } = targets;
  if (delegations === undefined) return { visits, terminated: false };
  let terminated = false;
  for (const entry of delegations.entries) {
    if (!delegationCovers(dialect, entry, query)) continue;
    visits.push({ roles: rolesFor(entry, query.name), agreeing: entry.agreeing, delegations });
    terminated = entry.terminating;
    if (terminated) break;
  }
  return { visits: visits.toReversed(), terminated };
}

/**
 * {uptane L12} {uptane C8}: several roles must state the same of an image: length, hashes and the
 * must-match part of custom. On conflict the group with the earliest role wins. Roles of such a
 * delegation list images themselves; they are not searched for delegations of their own.
 */
function* findAgreed(
  session: RepositorySession,
  visit: Visit,
  name: TargetName,
): Workflow<FoundTarget | undefined> {
  const groups = new Map<string, { readonly first: FoundTarget; count: number }>();
  for (const role of visit.roles) {
    const delegator = { delegations: visit.delegations, roleKeys: role };
    const targets = yield* session.loadDelegated(role.name, delegator);
    const file = targets.body.files.get(name);
    if (file === undefined) continue;
    const statement = statementOf(file);
    const group = groups.get(statement);
    if (group === undefined) {
      groups.set(statement, { first: { file, role: role.name }, count: 1 });
    } else group.count += 1;
  }
  // A Map keeps its order: groups come by their earliest role.
  for (const { first, count } of groups.values()) {
    if (count >= visit.agreeing) return first;
  }
  return undefined;
}

function statementOf(file: TargetFile): string {
  const hashes = Object.fromEntries(file.hashes);
  const statement = { length: file.lengthBytes, hashes, mustMatch: file.mustMatch };
  return Buffer.from(encodeCanonical(statement, 'escaped')).toString('latin1');
}
