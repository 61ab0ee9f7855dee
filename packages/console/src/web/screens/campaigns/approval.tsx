import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../../app/session.tsx';
import { useChange } from '../../client/hooks.ts';
import { ask } from '../../client/request.ts';
import type { Answer } from '../../client/routes.ts';
import { hasSigningKey, signDecision } from '../../client/signing-key.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { nowMs } from '../../parts/browser-clock.ts';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { Section } from '../../parts/page.tsx';
import type { Tone } from '../../parts/tone.ts';

type Campaign = Answer<'getCampaign'>;
type Decision = 'submit' | 'approve' | 'reject';

const TONES: Readonly<Record<Campaign['approval']['state'], Tone>> = {
  draft: 'calm',
  submitted: 'busy',
  approved: 'good',
  rejected: 'bad',
};
const REFRESHES = ['getCampaign', 'listCampaigns', 'getCockpit', 'listSigningKeys'] as const;

/** Who handed the campaign in and who decided; and the two acts of it, signed in this browser. */
export function Approval({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { t } = useTranslation('campaigns');
  const { t: states } = useTranslation('states');
  const session = useSession();
  const [asking, setAsking] = useState<Decision>();
  const { approval, contentSha256, createdBy } = campaign;
  const { state, submitted, decided } = approval;
  const me = new Set([session.email, session.name, session.userId]);
  const isOwn = me.has(createdBy) || (submitted !== undefined && me.has(submitted.by));
  return (
    <Section
      title={t('approval.title')}
      actions={<Badge tone={TONES[state]}>{states(`approval.${state}`)}</Badge>}
    >
      <div className="stack tight">
        <p className="lead">
          {t(`approval.${state}`, {
            by: (state === 'submitted' ? submitted?.by : decided?.by) ?? '',
            note: decided?.note ?? '',
          })}
        </p>
        <div className="row">
          <span className="hint">{t('approval.content')}</span>
          <CodeBadge code={contentSha256.slice(0, 16)} />
        </div>
        <div className="row">
          {state === 'draft' || state === 'rejected' ? (
            <ActButton
              route="submitCampaign"
              onClick={() => {
                setAsking('submit');
              }}
            >
              {t('approval.submit')}
            </ActButton>
          ) : null}
          {state === 'submitted' ? (
            isOwn ? (
              <span className="hint">{t('approval.own')}</span>
            ) : (
              <>
                <ActButton
                  route="decideCampaign"
                  onClick={() => {
                    setAsking('approve');
                  }}
                >
                  {t('approval.approve')}
                </ActButton>
                <Button
                  variant="light"
                  color="vermilion"
                  onClick={() => {
                    setAsking('reject');
                  }}
                >
                  {t('approval.reject')}
                </Button>
              </>
            )
          ) : null}
        </div>
      </div>
      <Signing
        campaign={campaign}
        decision={asking}
        close={() => {
          setAsking(undefined);
        }}
      />
    </Section>
  );
}

function Signing({
  campaign,
  decision,
  close,
}: {
  readonly campaign: Campaign;
  readonly decision: Decision | undefined;
  readonly close: () => void;
}): ReactNode {
  const { t } = useTranslation('campaigns');
  const person = usePerson();
  const submit = useChange('submitCampaign', REFRESHES);
  const decide = useChange('decideCampaign', REFRESHES);
  const key = useQuery({
    queryKey: ['hasSigningKey', person],
    queryFn: async () => await hasSigningKey(person),
    enabled: decision !== undefined,
  });
  const { campaignId, releaseId, contentSha256 } = campaign;
  const shown = decision ?? 'submit';
  const carryOut = async (note: string): Promise<unknown> => {
    // What is signed covers the dossier as it is now: the cloud compares with its own.
    const dossier = await ask('getDossier', { params: { releaseId } });
    const signature = await signDecision(
      person,
      {
        campaignId,
        contentSha256,
        dossierSha256: dossier.contentSha256,
        decision: shown,
        ...(shown === 'submit' || note === '' ? {} : { note }),
      },
      new Date(nowMs()).toISOString(),
    );
    const params = { campaignId };
    return shown === 'submit'
      ? await submit.mutateAsync({ params, body: { contentSha256, signature } })
      : await decide.mutateAsync({
          params,
          body: { contentSha256, decision: shown, note, signature },
        });
  };
  return (
    <ConfirmWithReason
      isOpen={decision !== undefined}
      close={close}
      title={t(`approval.${shown}`)}
      action={t(`approval.${shown}`)}
      isDangerous={shown === 'reject'}
      reason={shown === 'submit' ? 'none' : shown === 'approve' ? 'optional' : 'required'}
      effect={
        <div className="stack tight">
          <span>{t(`approval.${shown}Effect`, { hash: contentSha256.slice(0, 16) })}</span>
          {key.data === false ? <Alert variant="light">{t('approval.keyNew')}</Alert> : null}
        </div>
      }
      carryOut={carryOut}
    />
  );
}

function usePerson(): string {
  const { tenant, userId, name } = useSession();
  return `${tenant}/${userId ?? name}`;
}
