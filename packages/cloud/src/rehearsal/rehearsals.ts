/**
 * Rehearsals as jobs: one at a time for a campaign, with its progress on record, bound to the content that
 * was rehearsed. One whose process died is taken up again by whoever asks for it next.
 */
import { randomUUID } from 'node:crypto';
import { findFaultCode } from '@immota/base';
import { sql } from '@immota/store';
import type { Selectable } from 'kysely';
import { contentOf, hashContent } from '../campaign/campaign-content.ts';
import type { StoredCampaign } from '../campaign/stored-campaign.ts';
import type { CloudContext } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { RehearsalRow } from '../schema/campaign-tables.ts';
import { rehearse, type Rehearsing } from './rehearse.ts';

/** Who has said nothing for so long has died: a page takes a second. */
const ABANDONED_MINUTES = 5;
/** Rehearsals that run in one process at once: each holds a connection and a page. */
const RUNNING_MAX = 2;

/** A rehearsal as it is stored. */
export type StoredRehearsal = Selectable<RehearsalRow>;

/** What they work with. */
export interface RehearsalsOptions extends Omit<Rehearsing, 'database'> {
  readonly context: Pick<CloudContext, 'database' | 'clock'>;
  /** Told of what broke; refusals are on record with the rehearsal. */
  readonly failed: (error: unknown) => void;
}

/** Begins rehearsals and finds them. */
export class Rehearsals {
  readonly #options: RehearsalsOptions;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: RehearsalsOptions) {
    this.#options = options;
  }

  /**
   * Begins to rehearse a campaign as it stands. The same content that is being rehearsed already is not
   * begun again; a rehearsal of another content gives way.
   *
   * @throws CloudFault QUOTA when too many run here.
   */
  async begin(campaign: StoredCampaign, by: string): Promise<StoredRehearsal> {
    const { database, clock } = this.#options.context;
    const { campaign_id: campaignId, tenant } = campaign;
    const contentSha256 = hashContent(contentOf(campaign));
    const last = await this.find(campaign);
    if (last?.state === 'running') {
      if (last.content_sha256 === contentSha256) return last;
      await this.#end(last.rehearsal_id, { state: 'failed', problem: 'the campaign was changed' });
    }
    if (this.#running.size >= RUNNING_MAX) {
      throw new CloudFault('QUOTA', `Cannot rehearse: ${RUNNING_MAX} rehearsals run already`);
    }
    const now = clock.now();
    const rehearsalId = randomUUID();
    const { rows } = await sql<StoredRehearsal>`
      insert into rehearsal (rehearsal_id, campaign_id, tenant, content_sha256, state, seed, created_by,
        started_at, beat_at)
      values (${rehearsalId}, ${campaignId}, ${tenant}, ${contentSha256}, 'running',
        ${`${campaignId} ${contentSha256}`}, ${by}, ${now}, ${now})
      on conflict (campaign_id) where state = 'running' do nothing returning *`.execute(
      database.kysely,
    );
    const [begun] = rows;
    if (begun === undefined) {
      const other = await this.find(campaign);
      if (other === undefined) throw new CloudFault('CAMPAIGN_STATE', 'Cannot rehearse: try again');
      return other;
    }
    this.#run(begun, campaign);
    return begun;
  }

  /** Finds the last one of a campaign; one that nobody runs any more is taken up again. */
  async find(campaign: StoredCampaign): Promise<StoredRehearsal | undefined> {
    const { database, clock } = this.#options.context;
    const last = await database.kysely
      .selectFrom('rehearsal')
      .selectAll()
      .where('campaign_id', '=', campaign.campaign_id)
      .orderBy('started_at', 'desc')
      .orderBy('state', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (last?.state !== 'running' || this.#running.has(last.rehearsal_id)) return last;
    const now = clock.now();
    const { rows } = await sql<StoredRehearsal>`
      update rehearsal set beat_at = ${now}, seen = 0 where rehearsal_id = ${last.rehearsal_id}
        and state = 'running' and beat_at <= ${now.subtract({ minutes: ABANDONED_MINUTES })}
      returning *`.execute(database.kysely);
    const [abandoned] = rows;
    if (abandoned !== undefined) this.#run(abandoned, campaign);
    return abandoned ?? last;
  }

  /** Waits until nothing runs here. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  #run(row: StoredRehearsal, campaign: StoredCampaign): void {
    const { rehearsal_id: rehearsalId } = row;
    const work = this.#work(row, campaign)
      .catch(this.#options.failed)
      .finally(() => this.#running.delete(rehearsalId));
    this.#running.set(rehearsalId, work);
  }

  async #work(row: StoredRehearsal, campaign: StoredCampaign): Promise<void> {
    const { context, releases, trust } = this.#options;
    const { rehearsal_id: rehearsalId, seed, content_sha256: contentSha256 } = row;
    const content = contentOf(campaign);
    if (hashContent(content) !== contentSha256) {
      await this.#end(rehearsalId, { state: 'failed', problem: 'the campaign was changed' });
      return;
    }
    try {
      const result = await rehearse(
        { database: context.database, releases, trust },
        {
          campaign,
          content,
          now: context.clock.now(),
          seed,
          progress: (seen, total) => this.#beat(rehearsalId, seen, total),
        },
      );
      await this.#end(rehearsalId, { state: 'done', result: JSON.stringify(result) });
    } catch (error) {
      const code = findFaultCode(error);
      const problem =
        error instanceof CloudFault ? error.message : `Cannot rehearse: ${code ?? 'it broke off'}`;
      await this.#end(rehearsalId, { state: 'failed', problem });
      if (code === undefined) throw error;
    }
  }

  /** Notes how far it is. @throws CloudFault CAMPAIGN_STATE when it gave way to another. */
  async #beat(rehearsalId: string, seen: number, total: number): Promise<void> {
    const { database, clock } = this.#options.context;
    const { rows } = await sql`update rehearsal
      set seen = ${seen}, total = ${total}, beat_at = ${clock.now()}
      where rehearsal_id = ${rehearsalId} and state = 'running' and not is_cancelled
      returning rehearsal_id`.execute(database.kysely);
    if (rows.length === 0) throw new CloudFault('CAMPAIGN_STATE', 'Cannot rehearse: it gave way');
  }

  async #end(
    rehearsalId: string,
    end: { readonly state: 'done' | 'failed'; readonly problem?: string; readonly result?: string },
  ): Promise<void> {
    const { database, clock } = this.#options.context;
    await sql`update rehearsal set state = ${end.state}, ended_at = ${clock.now()},
        problem = ${end.problem ?? null}, result = ${end.result ?? null}::jsonb,
        total = case when ${end.state === 'done'} then seen else total end
      where rehearsal_id = ${rehearsalId} and state = 'running'`.execute(database.kysely);
  }
}
