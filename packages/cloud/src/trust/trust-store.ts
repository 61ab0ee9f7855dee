/** What is published, held in memory and brought up to date when any process publishes. */
import type { Subscription } from '@immota/store';
import { AKTUALIZR, type Dialect, TUF } from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import { METADATA_CHANNEL, type TrustContext } from './publish.ts';
import { loadRepositoryState, type RepositoryState } from './repository-state.ts';

/** The published repositories. */
export interface TrustStore {
  /** The Director's Root. @throws CloudFault REPOSITORY_STATE before there is one. */
  director(): RepositoryState;
  /** The Image repository. @throws CloudFault REPOSITORY_STATE before there is one. */
  image(dialect: Dialect['name']): RepositoryState;
  /** Reads again now: after a publication by this process, without waiting for the notice. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

interface States {
  readonly director: RepositoryState | undefined;
  readonly aktualizr: RepositoryState | undefined;
  readonly tuf: RepositoryState | undefined;
}

/**
 * Opens the view of what is published.
 *
 * @param failed - told when what is stored cannot be read or does not verify; the view stays as it was.
 */
export async function openTrustStore(
  { database }: Pick<TrustContext, 'database'>,
  failed: (error: unknown) => void,
): Promise<TrustStore> {
  let states = await load();
  let running: Promise<unknown> = Promise.resolve();
  async function load(): Promise<States> {
    const { kysely } = database;
    const [director, aktualizr, tuf] = await Promise.all([
      loadRepositoryState(kysely, 'director', AKTUALIZR),
      loadRepositoryState(kysely, 'image', AKTUALIZR),
      loadRepositoryState(kysely, 'image', TUF),
    ]);
    return { director, aktualizr, tuf };
  }
  // One after the other: what was read before must not come behind what was read later.
  const reload = (): Promise<void> => {
    const next = running.then(async () => {
      states = await load();
    });
    running = next.catch(() => undefined);
    return next;
  };
  const subscription: Subscription = await database.listen(METADATA_CHANNEL, () => {
    reload().catch(failed);
  });
  return {
    director: () => present(states.director, 'Director'),
    image: (dialect) => present(states[dialect], 'Image repository'),
    reload,
    async close() {
      await subscription.close();
      await running;
    },
  };
}

function present(state: RepositoryState | undefined, what: string): RepositoryState {
  if (state !== undefined) return state;
  throw new CloudFault('REPOSITORY_STATE', `Cannot use ${what}: its Root is not published yet`);
}
