/** The ways that a campaign may go: which state may follow which, and what is written with it. */
import type { EventId } from '@immota/api';
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import type { Updateable } from 'kysely';
import { committed } from '../context.ts';
import { PLANS_CHANNEL } from '../director/ports.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow } from '../schema/campaign-tables.ts';
import type { StoredCampaign } from './stored-campaign.ts';

type CampaignState = CampaignRow['state'];
/** What somebody does to a campaign. */
export type Move = 'start' | 'pause' | 'resume' | 'cancel';

interface MoveRule {
  readonly from: readonly CampaignState[];
  readonly next: CampaignState;
  readonly event: EventId;
}

const MOVES: Readonly<Record<Move, MoveRule>> = {
  // A finished one is begun again for vehicles that came since; one that holds must be resumed, with a reason.
  start: { from: ['planned', 'paused', 'finished'], next: 'running', event: 'campaign.started' },
  pause: { from: ['running'], next: 'paused', event: 'campaign.paused' },
  resume: { from: ['held'], next: 'running', event: 'campaign.resumed' },
  cancel: {
    from: ['planned', 'running', 'paused', 'held'],
    next: 'cancelled',
    event: 'campaign.cancelled',
  },
};

/** Who moves it, and why. */
export interface MoveOptions {
  readonly by: string;
  /** In words; empty when nobody said one. */
  readonly reason?: string | undefined;
  /** Written with the state. */
  readonly set?: Updateable<CampaignRow> | undefined;
  /** Done first, in the same transaction, with the campaign as it is then. */
  readonly before?: ((tx: CloudTransaction, campaign: StoredCampaign) => Promise<void>) | undefined;
  /** Done last. */
  readonly after?: ((tx: CloudTransaction, campaign: StoredCampaign) => Promise<void>) | undefined;
}

/** What moving works with. */
export interface Moving {
  readonly database: CloudDatabase;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** Checks that a move may be made. @throws CloudFault CAMPAIGN_STATE. */
export function checkMove({ state }: StoredCampaign, move: Move): void {
  if (MOVES[move].from.includes(state)) return;
  throw new CloudFault('CAMPAIGN_STATE', `Cannot ${move} a campaign that is ${state}`);
}

/**
 * Moves a campaign, puts it on record, and tells all who plan for vehicles.
 *
 * @throws CloudFault CAMPAIGN_STATE, NOT_FOUND; what `before` and `after` throw.
 */
export async function moveCampaign(
  { database, events, clock }: Moving,
  campaignId: string,
  move: Move,
  { by, reason = '', set = {}, before, after }: MoveOptions,
): Promise<void> {
  await committed(database, async (tx) => {
    const campaign = await tx
      .selectFrom('campaign')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (campaign === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
    }
    checkMove(campaign, move);
    await before?.(tx, campaign);
    const { next, event } = MOVES[move];
    await tx
      .updateTable('campaign')
      .set({ state: next, ...set })
      .where('campaign_id', '=', campaignId)
      .execute();
    const body = { campaignId, by, ...(reason === '' ? {} : { reason }) };
    await events.append(tx, [
      { stream: fleetStream(campaign.tenant), kind: event, at: clock.now(), body },
    ]);
    await after?.(tx, campaign);
    await sql`select pg_notify(${PLANS_CHANNEL}, '')`.execute(tx);
  });
}
