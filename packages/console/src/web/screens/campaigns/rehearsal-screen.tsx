import { Alert, Progress as Bar } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import { problemOf } from '../../client/problem.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { CampaignBadge } from '../../parts/badge.tsx';
import { ButtonLink, TextLink } from '../../parts/links.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Loaded, ProblemCard } from '../../parts/states.tsx';
import { useFormat } from '../../parts/time.tsx';
import { Approval } from './approval.tsx';
import { RehearsalResult } from './rehearsal-result.tsx';

type Rehearsal = Answer<'getRehearsal'>;

const WATCH_MS = 1000;

/** What a campaign would do, before it does anything; and from here it is handed in. */
export function RehearsalScreen(): ReactNode {
  const { t } = useTranslation('campaigns');
  const { campaignId = '' } = useParams({ strict: false });
  const params = { campaignId };
  const campaign = useRead('getCampaign', { params });
  const begin = useChange('rehearseCampaign', ['getRehearsal', 'getCampaign']);
  const isBusy = begin.isPending;
  return (
    <Loaded read={campaign}>
      {(found) => (
        <Page
          title={t('rehearsal.title', { name: found.name })}
          lead={t('rehearsal.lead')}
          badge={<CampaignBadge state={found.state} />}
          trail={
            <TextLink to="/campaigns/$campaignId" params={params}>
              {found.name}
            </TextLink>
          }
          actions={
            <>
              {found.approval.state === 'draft' || found.approval.state === 'rejected' ? (
                <ButtonLink to="/campaigns/$campaignId/design" params={params} variant="default">
                  {t('design.change', { name: '' })}
                </ButtonLink>
              ) : null}
              <ActButton
                route="rehearseCampaign"
                loading={isBusy}
                onClick={() => {
                  begin.mutate({ params });
                }}
              >
                {found.rehearsalId === undefined ? t('rehearsal.begin') : t('rehearsal.again')}
              </ActButton>
            </>
          }
        >
          {begin.isError ? <ProblemCard error={begin.error} /> : null}
          <Result campaign={found} />
          <Approval campaign={found} />
        </Page>
      )}
    </Loaded>
  );
}

function Result({ campaign }: { readonly campaign: Answer<'getCampaign'> }): ReactNode {
  const { t } = useTranslation('campaigns');
  const { campaignId, contentSha256 } = campaign;
  const first = useRead('getRehearsal', { params: { campaignId } });
  const isRunning = first.data?.state === 'running';
  // Watched once a second while it runs; the stream tells of its end as well.
  const read = useRead(
    'getRehearsal',
    { params: { campaignId } },
    { everyMs: isRunning && WATCH_MS },
  );
  if (read.isError && problemOf(read.error).status === 404) {
    return <Empty title={t('rehearsal.none')}>{t('rehearsal.noneHint')}</Empty>;
  }
  return (
    <Loaded read={read} lines={10}>
      {(rehearsal) => (
        <>
          {rehearsal.contentSha256 === contentSha256 ? null : (
            <Alert color="yellow" variant="light" role="status">
              {t('rehearsal.old')}
            </Alert>
          )}
          <State rehearsal={rehearsal} />
          {rehearsal.result === undefined ? null : <RehearsalResult result={rehearsal.result} />}
        </>
      )}
    </Loaded>
  );
}

function State({ rehearsal }: { readonly rehearsal: Rehearsal }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  const { state, seen, total, problem } = rehearsal;
  if (state === 'failed') {
    return (
      <Alert color="vermilion" variant="light" title={t('rehearsal.failed')} role="alert">
        {problem}
      </Alert>
    );
  }
  if (state === 'done') return null;
  const said = t('rehearsal.running', { seen: format.number(seen), total: format.number(total) });
  return (
    <div className="card stack tight" role="status">
      <span>{said}</span>
      <Bar value={total === 0 ? 0 : (100 * seen) / total} aria-label={said} animated />
    </div>
  );
}
