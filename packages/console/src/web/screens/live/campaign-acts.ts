/** What can be done to a campaign in which state, and whom it concerns. */
import type { Answer } from '../../client/routes.ts';

/** An act. */
export type CampaignAct = 'start' | 'resume' | 'pause' | 'cancel';

type Known = Pick<Answer<'getCampaign'>, 'state' | 'approval' | 'counts' | 'waves'>;

/** Lists what can be done now, the mildest first. */
export function actionsFor({
  state,
  approval,
}: Pick<Known, 'state' | 'approval'>): readonly CampaignAct[] {
  switch (state) {
    case 'planned':
      return approval.state === 'approved' ? ['start', 'cancel'] : ['cancel'];
    case 'running':
      return ['pause', 'cancel'];
    case 'paused':
    case 'held':
      return ['resume', 'cancel'];
    case 'finished':
    case 'cancelled':
      return [];
  }
}

/** Whom an act concerns, for the sentence that is shown before it. */
export function effectCounts({ counts, waves }: Pick<Known, 'counts' | 'waves'>): {
  readonly vehicles: number;
  readonly waiting: number;
  readonly inFlight: number;
  readonly updated: number;
  readonly waves: number;
} {
  const of = (name: string): number => counts[name] ?? 0;
  return {
    vehicles: Object.values(counts).reduce((sum, one) => sum + one, 0),
    waiting: of('targeted') + of('offered'),
    inFlight: of('in-flight'),
    updated: of('updated'),
    waves: waves.filter(({ state }) => state !== 'done').length,
  };
}
