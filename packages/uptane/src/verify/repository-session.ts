/**
 * One cycle over one repository: Root chain, Timestamp, Snapshot, Targets, and delegations as they
 * are searched. {uptane L3} {uptane L7} {uptane L11}
 *
 * What is stored is read back as if it were foreign: a file that an earlier cycle saved is checked
 * again against the keys in force now, so that a revoked key has no life in a cache.
 */
import { equalBytes } from '@immota/base';
import { decodeRoot, decodeSnapshot, decodeTimestamp } from '../encoding/decode-metadata.ts';
import { type CustomReading, decodeTargets } from '../encoding/decode-targets.ts';
import type { Dialect } from '../encoding/dialect.ts';
import { UptaneFault } from '../fault.ts';
import {
  DIRECTOR_TARGETS_MAX_BYTES,
  ROOT_MAX_BYTES,
  ROOT_ROTATIONS_MAX,
  SNAPSHOT_MAX_BYTES,
  TARGETS_MAX_BYTES,
  TIMESTAMP_MAX_BYTES,
} from '../limits.ts';
import { type RoleName, TARGETS_ROLE } from '../metadata/names.ts';
import { isTopLevelRole, type RepositoryName } from '../metadata/repository.ts';
import type {
  Delegations,
  Metadata,
  RoleKeys,
  Root,
  Signed,
  Snapshot,
  Targets,
  Timestamp,
} from '../metadata/roles.ts';
import {
  advanceRoot,
  advanceSnapshot,
  advanceTargets,
  advanceTimestamp,
  anchorRoot,
  checkFresh,
  keysOf,
  type TargetsContext,
  trustStoredSnapshot,
} from './advance.ts';
import { checkThreshold } from './threshold.ts';
import type { RepositoryTrust, Trusted } from './trusted.ts';
import type { StoredRole, Workflow } from './workflow.ts';

const TARGETS_LIMITS: Readonly<Record<RepositoryName, number>> = {
  director: DIRECTOR_TARGETS_MAX_BYTES,
  image: TARGETS_MAX_BYTES,
};

/** The roles whose stored files guard against rollback, until their keys are rotated. */
const GUARDS = {
  full: ['timestamp', 'snapshot'],
  // Without Snapshot the Targets alone are the guard.
  'targets-only': [TARGETS_ROLE],
} as const satisfies Record<string, readonly StoredRole[]>;

/** How to talk to one repository. */
export interface RepositoryOptions {
  readonly repository: RepositoryName;
  readonly dialect: Dialect;
  /** The attested time of this cycle. */
  readonly now: Temporal.Instant;
  /** The Root from the factory; undefined trusts the first `1.root.json` seen (published vectors start so, vehicles never). */
  readonly pinnedRoot: Uint8Array | undefined;
  /** `targets-only` where no Timestamp and Snapshot exist: other makers' Directors, partial verification. */
  readonly chain: 'full' | 'targets-only';
  /** How to read `custom` in Targets: Uptane's unless it is said otherwise. */
  readonly custom?: CustomReading;
  /** Asked of the top-level Targets, and before anything but Root is kept. */
  readonly inspect?: (targets: Targets) => void;
}

/** Who delegates to a role: whose keys count for it. */
export interface Delegator {
  readonly delegations: Pick<Delegations, 'keys'>;
  readonly roleKeys: RoleKeys;
}

interface Kept {
  readonly role: StoredRole;
  readonly metadata: Trusted<Metadata>;
}

/** A cycle in progress: what it trusts so far. */
export class RepositorySession {
  readonly #options: RepositoryOptions;
  readonly #loaded = new Map<RoleName, Trusted<Targets>>();
  #root: Trusted<Root> | undefined;
  #snapshot: Trusted<Snapshot> | undefined;
  /**
   * What waits for `inspect` before it is kept. Timestamp and Snapshot name no vehicle: those of
   * another vehicle, replayed and kept, would bar this one's own for as long as their versions are lower.
   */
  #held: Kept[] | undefined;

  /** Nothing is asked before the first step is taken. */
  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.#held = options.inspect === undefined ? undefined : [];
  }

  /**
   * Brings Root, Timestamp, Snapshot and top-level Targets up to date.
   *
   * @throws UptaneFault with `repository` and `role` set; its code names the attack.
   */
  *refresh(): Workflow<RepositoryTrust> {
    const root = yield* this.refreshRoot();
    let timestamp: Trusted<Timestamp> | undefined;
    if (this.#options.chain === 'full') {
      timestamp = yield* this.#inRole('timestamp', this.#refreshTimestamp(root));
      this.#snapshot = yield* this.#inRole('snapshot', this.#refreshSnapshot(root, timestamp));
    }
    yield* this.#inRole(TARGETS_ROLE, this.#loadTop(root));
    return { root, timestamp, snapshot: this.#snapshot, targets: new Map(this.#loaded) };
  }

  /** Brings Root up to date: the chain up to the newest, and its expiry. */
  refreshRoot(): Workflow<Trusted<Root>> {
    return this.#inRole('root', this.#advanceRoots());
  }

  /** Loads a delegated role. Call it after `refresh` only. */
  loadDelegated(role: RoleName, delegator: Delegator): Workflow<Trusted<Targets>> {
    return this.#inRole(role, this.#loadTargets(role, delegator));
  }

  *#advanceRoots(): Workflow<Trusted<Root>> {
    const { repository, dialect, now, chain } = this.#options;
    let current = yield* this.#firstRoot();
    for (let rotations = 0; ; rotations += 1) {
      const file = { kind: 'root', version: current.body.version + 1 } as const;
      const bytes = yield { kind: 'fetch', repository, file, lengthMaxBytes: ROOT_MAX_BYTES };
      if (bytes === undefined) break;
      // Those walked so far are saved: the next cycle goes on from here.
      if (rotations === ROOT_ROTATIONS_MAX) {
        throw new UptaneFault('LIMIT', `Cannot advance Root: over ${ROOT_ROTATIONS_MAX} rotations`);
      }
      const next = advanceRoot(current, decodeRoot(dialect, bytes, ROOT_MAX_BYTES));
      // {uptane L7}: new keys end the reign of versions signed with the old ones, or a thief could
      // have pushed those beyond reach (fast-forward).
      for (const role of GUARDS[chain]) {
        if (rotated(current.body, next.body, GUARDS[chain]))
          yield { kind: 'drop', repository, role };
      }
      yield* this.#save('root', next);
      current = next;
    }
    checkFresh(current, now);
    this.#root = current;
    return current;
  }

  *#firstRoot(): Workflow<Trusted<Root>> {
    const { repository, dialect, pinnedRoot } = this.#options;
    const stored = yield* this.#load('root');
    if (stored !== undefined) return anchorRoot(decodeRoot(dialect, stored, ROOT_MAX_BYTES));
    let bytes = pinnedRoot;
    if (bytes === undefined) {
      const file = { kind: 'root', version: 1 } as const;
      bytes = yield { kind: 'fetch', repository, file, lengthMaxBytes: ROOT_MAX_BYTES };
    }
    if (bytes === undefined) {
      throw new UptaneFault('METADATA_MISSING', 'Cannot start: there is no first Root');
    }
    const first = anchorRoot(decodeRoot(dialect, bytes, ROOT_MAX_BYTES));
    yield* this.#save('root', first);
    return first;
  }

  *#refreshTimestamp(root: Trusted<Root>): Workflow<Trusted<Timestamp>> {
    const { repository, dialect } = this.#options;
    const current = orUndefined(yield* this.#load('timestamp'), (bytes) =>
      advanceTimestamp(root, undefined, decodeTimestamp(dialect, bytes, TIMESTAMP_MAX_BYTES)),
    );
    const file = { kind: 'timestamp' } as const;
    const bytes = yield { kind: 'fetch', repository, file, lengthMaxBytes: TIMESTAMP_MAX_BYTES };
    const offered = decodeTimestamp(dialect, present(bytes, 'timestamp'), TIMESTAMP_MAX_BYTES);
    if (current !== undefined && isSameAgain(dialect, current, offered)) {
      // Only its signatures are looked at: what it says is not taken over.
      advanceTimestamp(root, undefined, offered);
      return this.#fresh(current);
    }
    const next = advanceTimestamp(root, current, offered);
    yield* this.#save('timestamp', this.#fresh(next));
    return next;
  }

  *#refreshSnapshot(
    root: Trusted<Root>,
    timestamp: Trusted<Timestamp>,
  ): Workflow<Trusted<Snapshot>> {
    const { repository, dialect } = this.#options;
    const info = timestamp.body.snapshot;
    const stored = orUndefined(yield* this.#load('snapshot'), (bytes) =>
      decodeSnapshot(dialect, bytes, SNAPSHOT_MAX_BYTES),
    );
    const current = orUndefined(stored, (signed) => trustStoredSnapshot(root, signed));
    const context = { root, timestamp, current };
    const kept = orUndefined(stored, (signed) => this.#fresh(advanceSnapshot(context, signed)));
    if (kept !== undefined) return kept;
    const lengthMaxBytes = Math.min(info.lengthBytes ?? SNAPSHOT_MAX_BYTES, SNAPSHOT_MAX_BYTES);
    const version = root.body.consistentSnapshot ? info.version : undefined;
    const file = { kind: 'snapshot', version } as const;
    const bytes = present(yield { kind: 'fetch', repository, file, lengthMaxBytes }, 'snapshot');
    const offered = decodeSnapshot(dialect, bytes, lengthMaxBytes);
    const next = this.#fresh(advanceSnapshot(context, offered));
    yield* this.#save('snapshot', next);
    return next;
  }

  *#loadTop(root: Trusted<Root>): Workflow<void> {
    const targets = yield* this.#loadTargets(TARGETS_ROLE, {
      delegations: root.body,
      roleKeys: keysOf(root.body, 'targets'),
    });
    this.#options.inspect?.(targets.body);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { role, metadata } of held) yield* this.#save(role, metadata);
  }

  *#loadTargets(role: RoleName, delegator: Delegator): Workflow<Trusted<Targets>> {
    const { keys } = delegator.delegations;
    const known = this.#loaded.get(role);
    if (known !== undefined) {
      // {uptane L11}: reached by another way, it must satisfy the keys of that way too.
      checkThreshold(known, keys, delegator.roleKeys);
      return known;
    }
    const info = this.#snapshot?.body.files.get(role);
    if (this.#snapshot !== undefined && info === undefined) {
      throw new UptaneFault('VERSION_MISMATCH', `Cannot trust "${role}": not in Snapshot`);
    }
    const context = { role, keys, roleKeys: delegator.roleKeys, info };
    const stored = orUndefined(yield* this.#load(role), (bytes) =>
      advanceTargets({ ...context, current: undefined }, this.#decode(role, bytes)),
    );
    const kept =
      info === undefined ? undefined : orUndefined(stored, (targets) => this.#fresh(targets));
    const targets = kept ?? (yield* this.#fetchTargets(context, stored));
    this.#loaded.set(role, targets);
    return targets;
  }

  *#fetchTargets(
    context: Omit<TargetsContext, 'current'>,
    stored: Trusted<Targets> | undefined,
  ): Workflow<Trusted<Targets>> {
    const { repository, dialect } = this.#options;
    const { role, info } = context;
    const version = this.#root?.body.consistentSnapshot === true ? info?.version : undefined;
    const limit = TARGETS_LIMITS[repository];
    // A stated length may lower the limit and never raise it: whoever states it may be the attacker.
    // One of the canonical form says nothing of the file as it is served.
    const stated = dialect.hashesCover === 'bytes' ? info?.lengthBytes : undefined;
    const lengthMaxBytes = Math.min(stated ?? limit, limit);
    const file = { kind: 'targets', role, version } as const;
    const bytes = present(yield { kind: 'fetch', repository, file, lengthMaxBytes }, role);
    const current = info === undefined ? stored : undefined;
    const next = advanceTargets({ ...context, current }, this.#decode(role, bytes));
    yield* this.#save(role, this.#fresh(next));
    return next;
  }

  #decode(role: RoleName, bytes: Uint8Array): Signed<Targets> {
    const { dialect, repository, custom } = this.#options;
    const lengthMax = TARGETS_LIMITS[repository];
    return decodeTargets(dialect, bytes, { role, lengthMax, custom });
  }

  #fresh<Body extends Metadata>(metadata: Trusted<Body>): Trusted<Body> {
    checkFresh(metadata, this.#options.now);
    return metadata;
  }

  *#load(role: StoredRole): Workflow<Uint8Array | undefined> {
    return yield { kind: 'load', repository: this.#options.repository, role };
  }

  *#save(role: StoredRole, metadata: Trusted<Metadata>): Workflow<void> {
    if (this.#held !== undefined && role !== 'root') {
      this.#held.push({ role, metadata });
      return;
    }
    yield { kind: 'save', repository: this.#options.repository, role, metadata };
  }

  /** Runs a part of the cycle and says where its refusals arose. */
  *#inRole<Result>(role: string, part: Workflow<Result>): Workflow<Result> {
    try {
      return yield* part;
    } catch (error) {
      const { repository } = this.#options;
      throw error instanceof UptaneFault ? error.located({ repository, role }) : error;
    }
  }
}

/** Tells whether the repository offers the Timestamp that is stored already. */
function isSameAgain(
  dialect: Dialect,
  current: Trusted<Timestamp>,
  offered: Signed<Timestamp>,
): boolean {
  return dialect.keepsEqualTimestamp
    ? current.body.version === offered.body.version
    : equalBytes(current.bytes, offered.bytes);
}

/** Tells whether the keys or the threshold of one of the roles changed. */
function rotated(old: Root, next: Root, roles: readonly StoredRole[]): boolean {
  return roles.some((role) => fingerprint(old, role) !== fingerprint(next, role));
}

function fingerprint(root: Root, role: StoredRole): string {
  const keys = isTopLevelRole(role) ? root.roles.get(role) : undefined;
  const identities = [...(keys?.keyIds ?? [])].map((id) => root.keys.get(id)?.identity ?? id);
  return `${keys?.threshold ?? 0}:${identities.toSorted().join()}`;
}

/** What is stored may be stale or signed by revoked keys: then it is as if it were not there. */
function orUndefined<Input, Result>(
  input: Input | undefined,
  check: (input: Input) => Result,
): Result | undefined {
  if (input === undefined) return undefined;
  try {
    return check(input);
  } catch (error) {
    if (error instanceof UptaneFault) return undefined;
    throw error;
  }
}

function present(bytes: Uint8Array | undefined, role: string): Uint8Array {
  if (bytes !== undefined) return bytes;
  const delegated = !['timestamp', 'snapshot', 'targets'].includes(role);
  throw new UptaneFault(
    delegated ? 'DELEGATION_MISSING' : 'METADATA_MISSING',
    `Cannot trust "${role}": the repository has no such file`,
  );
}
