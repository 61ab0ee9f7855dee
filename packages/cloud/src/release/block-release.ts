/** Blocks a release for every campaign at once: nothing of it is offered any more, and offers are withdrawn. */
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import { PLANS_CHANNEL } from '../director/ports.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase } from '../schema/database.ts';

/** What is asked of whom. */
export interface BlockRequest {
  readonly releaseId: string;
  readonly tenant: string;
  readonly isBlocked: boolean;
  /** In words, for whoever asks why a vehicle gets nothing. */
  readonly reason: string;
  readonly by: string;
}

/**
 * Blocks a release, or lets it go again. The same twice is no news.
 *
 * @throws CloudFault NOT_FOUND.
 */
export async function blockRelease(
  context: {
    readonly database: CloudDatabase;
    readonly events: EventSink;
    readonly clock: Clock;
  },
  { releaseId, tenant, isBlocked, reason, by }: BlockRequest,
): Promise<void> {
  const { database, events, clock } = context;
  await committed(database, async (tx) => {
    const row = await tx
      .selectFrom('release')
      .select('blocked_because')
      .where('release_id', '=', releaseId)
      .where('tenant', '=', tenant)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (row === undefined) throw new CloudFault('NOT_FOUND', `Cannot find release "${releaseId}"`);
    if ((row.blocked_because !== null) === isBlocked) return;
    await tx
      .updateTable('release')
      .set({ blocked_because: isBlocked ? reason : null })
      .where('release_id', '=', releaseId)
      .execute();
    const kind = isBlocked ? 'release.blocked' : 'release.unblocked';
    const body = { releaseId, reason, by };
    await events.append(tx, [{ stream: fleetStream(tenant), kind, at: clock.now(), body }]);
    // Every vehicle is planned anew: what was offered is withdrawn at its next contact, and it is woken.
    await sql`select pg_notify(${PLANS_CHANNEL}, '')`.execute(tx);
  });
}
