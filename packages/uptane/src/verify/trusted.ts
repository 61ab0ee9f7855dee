import type { Brand } from '@immota/base';
import type { Metadata, Root, Signed, Snapshot, Targets, Timestamp } from '../metadata/roles.ts';
import type { RoleName } from '../metadata/names.ts';

/**
 * Metadata of a role after every check that applies to it.
 *
 * Holding a Trusted<Body> tells you: its signatures met the threshold that trusted metadata set, its
 * version did not go back, and it is what trusted metadata points to. It may have expired since:
 * what ran out still guards against rollback.
 */
export type Trusted<Body extends Metadata> = Brand<Signed<Body>, 'Trusted'>;

/** What a client trusts of one repository at one moment. Each step gives a new one. */
export interface RepositoryTrust {
  readonly root: Trusted<Root>;
  readonly timestamp: Trusted<Timestamp> | undefined;
  readonly snapshot: Trusted<Snapshot> | undefined;
  readonly targets: ReadonlyMap<RoleName, Trusted<Targets>>;
}
