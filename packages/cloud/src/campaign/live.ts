/** What happens in a campaign, for its live screen: from sums alone, whatever the size of the fleet. */
import { CAMPAIGN_STAGES, type CampaignStage, REASONS } from '@immota/api';
import type { CloudDatabase } from '../schema/database.ts';
import { contentOf, designOf } from './campaign-content.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { type Count, loadCounts, sumCounts } from './counts.ts';
import { type HistoryPoint, loadHistory, totalsOf } from './history.ts';
import { findRehearsal, type ForecastPoint } from './last-rehearsal.ts';
import { parseGuard } from './outcomes.ts';
import {
  type GuardDesign,
  type GuardReport,
  judge,
  type Verdict,
} from './statistics/campaign-guard.ts';
import {
  type Outcomes,
  rateInterval,
  type RateInterval,
} from './statistics/confidence-sequence.ts';
import { reasonNow } from './why-not.ts';

/** Points of each curve: more than a screen has dots. */
const POINTS_MAX = 2000;

/** A rate with what is known of it. */
export type KnownRate = Outcomes & RateInterval;

/** See the head of the file. */
export interface LiveCampaign {
  readonly campaignId: string;
  readonly at: Temporal.Instant;
  readonly funnel: readonly {
    readonly stage: CampaignStage;
    readonly vehicles: number;
    readonly stopped: readonly {
      readonly reason: string;
      readonly meaning: string;
      readonly vehicles: number;
    }[];
  }[];
  readonly adoption: readonly { readonly hours: number; readonly vehicles: number }[];
  readonly forecast: readonly ForecastPoint[];
  readonly failures: KnownRate & {
    readonly limit: number;
    readonly history: readonly (RateInterval & { readonly hours: number })[];
    readonly verdict: Verdict;
  };
  readonly health:
    | {
        readonly treated: KnownRate;
        readonly control: KnownRate;
        readonly difference: { readonly low: number; readonly high: number };
        readonly limit: number;
        readonly verdict: Verdict;
      }
    | undefined;
}

/** Tells of a campaign at this moment. */
export async function loadLive(
  database: CloudDatabase,
  campaign: StoredCampaign,
  now: Temporal.Instant,
): Promise<LiveCampaign> {
  const { campaign_id: campaignId, started_at: startedAt } = campaign;
  const counts = (await loadCounts(database.kysely, [campaignId])).get(campaignId) ?? [];
  const history = await loadHistory(database, campaignId, POINTS_MAX);
  const wave = await database.kysely
    .selectFrom('campaign_wave')
    .select(['number', 'guard'])
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'open')
    .executeTakeFirst();
  const rehearsal = await findRehearsal(database, campaignId);
  const design = designOf(contentOf(campaign));
  const guard = parseGuard(wave?.guard ?? {});
  const report = judge(guard, design);
  const hoursAt = (at: Temporal.Instant): number =>
    startedAt === null ? 0 : Math.max(0, at.since(startedAt).total('hours'));
  const own = history.filter((point) => point.wave === wave?.number);
  return {
    campaignId,
    at: now,
    funnel: funnelOf(campaign, counts),
    adoption: [
      ...history.map(({ at, updated }) => ({ hours: hoursAt(at), vehicles: updated })),
      ...(startedAt === null ? [] : [{ hours: hoursAt(now), vehicles: totalsOf(counts).updated }]),
    ],
    forecast: rehearsal?.forecast ?? [],
    failures: {
      ...guard.updates,
      ...intervalOf(report.failures),
      limit: design.failureMax,
      history: own.map((point) => ({ hours: hoursAt(point.at), ...ratesOf(point, design) })),
      verdict: report.failures.verdict,
    },
    health:
      contentOf(campaign).guard.controlPermille === 0
        ? undefined
        : healthOf(guard.treated, guard.control, { report, design }),
  };
}

function healthOf(
  treated: Outcomes,
  control: Outcomes,
  { report, design }: { readonly report: GuardReport; readonly design: GuardDesign },
): LiveCampaign['health'] {
  const { low, high, verdict } = report.harm;
  return {
    treated: { ...treated, ...intervalOf(report.treated) },
    control: { ...control, ...intervalOf(report.control) },
    difference: { low, high },
    limit: design.harmMax,
    verdict,
  };
}

function intervalOf({ estimate, low, high }: RateInterval): RateInterval {
  return { estimate, low, high };
}

/** The bounds as they were shown then: they follow from what was known then alone. */
function ratesOf({ outcomes, bad }: HistoryPoint, design: GuardDesign): RateInterval {
  const expected = { expected: design.failureMax, alpha: design.falseHolds / 2 };
  return rateInterval({ outcomes, bad: Math.min(bad, outcomes) }, expected);
}

/** Each stage with all that came so far or further, and why others stopped there. */
function funnelOf(campaign: StoredCampaign, counts: readonly Count[]): LiveCampaign['funnel'] {
  const inPlay = counts.filter(({ state }) => state !== 'not-needed');
  return CAMPAIGN_STAGES.map((stage, index) => {
    const reached = inPlay.filter((count) => CAMPAIGN_STAGES.indexOf(count.stage) >= index);
    const stopped = sumCounts(
      inPlay.filter((count) => count.stage === stage),
      (count) => reasonNow(campaign, count),
    );
    return {
      stage,
      vehicles: reached.reduce((sum, { vehicles }) => sum + vehicles, 0),
      stopped: Object.entries(stopped)
        .map(([reason, vehicles]) => ({ reason, meaning: meaningOf(reason), vehicles }))
        .toSorted((left, right) => right.vehicles - left.vehicles),
    };
  });
}

function meaningOf(reason: string): string {
  return (
    new Map<string, string>(
      Object.entries(REASONS).map(([code, { meaning }]) => [code, meaning]),
    ).get(reason) ?? ''
  );
}
