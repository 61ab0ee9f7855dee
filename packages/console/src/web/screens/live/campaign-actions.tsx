import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { useFormat } from '../../parts/time.tsx';
import { actionsFor, type CampaignAct, effectCounts } from './campaign-acts.ts';

const REFRESHES = [
  'getCampaign',
  'getLiveCampaign',
  'listCampaigns',
  'listMembers',
  'getCockpit',
] as const;
const ROUTES = {
  start: 'startCampaign',
  resume: 'resumeCampaign',
  pause: 'pauseCampaign',
  cancel: 'cancelCampaign',
} as const;

/** Start, resume, pause, cancel: each says first, in figures, what it will do. */
export function CampaignActions({
  campaign,
}: {
  readonly campaign: Answer<'getCampaign'>;
}): ReactNode {
  const { t } = useTranslation('live');
  const format = useFormat();
  const [asked, setAsked] = useState<CampaignAct>();
  const [shown, setShown] = useState<CampaignAct>('pause');
  const carryOut = useCarryOut(campaign);
  const counts = effectCounts(campaign);
  return (
    <>
      {actionsFor(campaign).map((act) => (
        <ActButton
          key={act}
          route={ROUTES[act]}
          {...(act === 'cancel' ? { variant: 'light', color: 'vermilion' } : {})}
          {...(act === 'pause' ? { variant: 'default' } : {})}
          onClick={() => {
            setShown(act);
            setAsked(act);
          }}
        >
          {t(act)}
        </ActButton>
      ))}
      <ConfirmWithReason
        isOpen={asked !== undefined}
        close={() => {
          setAsked(undefined);
        }}
        title={t(shown)}
        action={t(shown)}
        isDangerous={shown === 'cancel'}
        reason={shown === 'start' ? 'none' : 'required'}
        effect={t(`${shown}Effect`, {
          vehicles: format.number(counts.vehicles),
          waiting: format.number(counts.waiting),
          inFlight: format.number(counts.inFlight),
          updated: format.number(counts.updated),
          waves: counts.waves,
        })}
        carryOut={async (reason) => await carryOut(shown, reason)}
      />
    </>
  );
}

function useCarryOut(
  campaign: Answer<'getCampaign'>,
): (act: CampaignAct, reason: string) => Promise<unknown> {
  const params = { campaignId: campaign.campaignId };
  const start = useChange('startCampaign', REFRESHES);
  const resume = useChange('resumeCampaign', REFRESHES);
  const pause = useChange('pauseCampaign', REFRESHES);
  const cancel = useChange('cancelCampaign', REFRESHES);
  return async (act, reason) => {
    switch (act) {
      case 'start':
        return await start.mutateAsync({ params });
      case 'resume':
        // What was paused by hand is started again; what held by itself is resumed with a reason.
        return campaign.state === 'held'
          ? await resume.mutateAsync({ params, body: { reason } })
          : await start.mutateAsync({ params });
      case 'pause':
        return await pause.mutateAsync({ params, body: { reason } });
      case 'cancel':
        return await cancel.mutateAsync({ params, body: { reason } });
    }
  };
}
