/** The first metadata of both repositories, and drafts of what is to be signed next. */
import { isJsonObject, type JsonObject } from '@immota/base';
import {
  decodeEnvelope,
  type DelegationDescription,
  type Dialect,
  limits,
  rootPayload,
  signMetadata,
  type TargetDescription,
  targetsPayload,
} from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import { type CloudRole, describeRole, signersOf } from './keystore.ts';
import { expiryOf } from './lifetimes.ts';
import { DIALECTS, type OfferedFile, publishMetadata, type TrustContext } from './publish.ts';
import { loadRepositoryState } from './repository-state.ts';

/**
 * Builds, signs and publishes the first Root of both repositories and an empty Image Targets file,
 * with keys that are all here: for a deployment whose offline keys are moved away afterwards. A key ceremony
 * publishes files that were signed elsewhere instead, by `publishMetadata`.
 *
 * @throws CloudFault REPOSITORY_STATE when there are repositories already, KEY_MISSING.
 */
export async function initialiseRepositories(context: TrustContext): Promise<void> {
  for (const repository of ['director', 'image'] as const) {
    for (const dialect of DIALECTS[repository]) {
      const state = await loadRepositoryState(context.database.kysely, repository, dialect);
      if (state !== undefined) {
        throw new CloudFault('REPOSITORY_STATE', 'Cannot initialise: there is a Root already');
      }
    }
  }
  const offered: OfferedFile[] = [];
  for (const repository of ['director', 'image'] as const) {
    for (const dialect of DIALECTS[repository]) {
      const head = { repository, dialect: dialect.name } as const;
      offered.push({ ...head, role: 'root', bytes: await makeRoot(context, dialect, repository) });
      if (repository === 'image') {
        const payload = draftTargets(context, dialect, { current: undefined });
        const signers = signersOf(context.keystore, 'image-targets');
        const bytes = await signMetadata(dialect, payload, signers);
        offered.push({ ...head, role: 'targets', bytes });
      }
    }
  }
  await publishMetadata(context, offered);
}

async function makeRoot(
  { keystore, lifetimes, clock }: TrustContext,
  dialect: Dialect,
  repository: 'director' | 'image',
): Promise<Uint8Array> {
  const describe = (role: string): ReturnType<typeof describeRole> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both parts are of the list
    describeRole(dialect, keystore, `${repository}-${role}` as CloudRole);
  const payload = rootPayload(dialect, {
    version: 1,
    expires: expiryOf(clock.now(), lifetimes.rootHours),
    // {uptane B16}: files carry their version in their name, so that they never change.
    consistentSnapshot: true,
    roles: {
      root: describe('root'),
      targets: describe('targets'),
      snapshot: describe('snapshot'),
      timestamp: describe('timestamp'),
    },
    time: repository === 'director' ? describe('time') : undefined,
  });
  return await signMetadata(dialect, payload, signersOf(keystore, `${repository}-root`));
}

/** How the next Targets file differs from the one in force. */
export interface TargetsChange {
  /** The file in force, as published; undefined for a role's first. */
  readonly current: Uint8Array | undefined;
  /** Images to list; one of the same name is replaced. */
  readonly add?: readonly TargetDescription[] | undefined;
  /** Names to list no longer. */
  readonly remove?: readonly string[] | undefined;
  /** The whole list of delegations; those in force stay when left out. */
  readonly delegations?: readonly DelegationDescription[] | undefined;
}

/**
 * Drafts the next version of an Image Targets file: what the offline keys are to sign.
 *
 * @returns the payload in the given dialect.
 */
export function draftTargets(
  { lifetimes, clock }: Pick<TrustContext, 'lifetimes' | 'clock'>,
  dialect: Dialect,
  change: TargetsChange,
): JsonObject {
  const { current, add = [], remove = [], delegations } = change;
  const before: JsonObject =
    current === undefined
      ? { version: 0 }
      : decodeEnvelope(dialect, current, limits.TARGETS_MAX_BYTES).signed;
  const { version } = before;
  const fresh = targetsPayload(dialect, {
    version: typeof version === 'number' ? version + 1 : 1,
    expires: expiryOf(clock.now(), lifetimes.imageTargetsHours),
    files: add,
    delegations,
  });
  const listed = new Map([...entriesOf(before['targets']), ...entriesOf(fresh['targets'])]);
  for (const name of remove) listed.delete(name);
  const kept = before['delegations'];
  return {
    ...fresh,
    targets: Object.fromEntries(listed),
    ...(delegations === undefined && kept !== undefined ? { delegations: kept } : {}),
  };
}

function entriesOf(
  value: JsonObject[string] | undefined,
): readonly (readonly [string, JsonObject[string]])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}
