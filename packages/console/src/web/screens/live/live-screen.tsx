import { Button } from '@mantine/core';
import { IconDownload, IconHandStop } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../app/session.tsx';
import { addressOf } from '../../client/address.ts';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { CampaignBadge, CodeBadge } from '../../parts/badge.tsx';
import { ForecastChart } from '../../parts/forecast-chart.tsx';
import { ButtonLink, TextLink } from '../../parts/links.tsx';
import { Facts, Figure, Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import { Approval } from '../campaigns/approval.tsx';
import { Conflicts } from '../campaigns/rehearsal-result.tsx';
import { CampaignActions } from './campaign-actions.tsx';
import { FailureRate } from './failure-rate.tsx';
import { Funnel } from './funnel.tsx';
import { HealthComparison } from './health-comparison.tsx';
import { Members } from './members.tsx';
import { Waves } from './waves.tsx';

type Campaign = Answer<'getCampaign'>;

const REFRESH_MS = 15_000;

/** A campaign: what it does, how far it is, and what stands in its way. */
export function LiveScreen(): ReactNode {
  const { campaignId = '' } = useParams({ strict: false });
  const read = useRead('getCampaign', { params: { campaignId } }, { everyMs: REFRESH_MS });
  return <Loaded read={read}>{(campaign) => <Whole campaign={campaign} />}</Loaded>;
}

function Whole({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { t } = useTranslation('live');
  const { campaignId, name, state, approval } = campaign;
  const params = { campaignId };
  const isDraft = approval.state === 'draft' || approval.state === 'rejected';
  const mayExport = useMay('exportEvidence');
  return (
    <Page
      title={name}
      badge={<CampaignBadge state={state} />}
      trail={<TextLink to="/campaigns">{t('campaigns')}</TextLink>}
      actions={
        <>
          {state === 'planned' && isDraft ? (
            <ButtonLink to="/campaigns/$campaignId/design" params={params} variant="default">
              {t('change')}
            </ButtonLink>
          ) : null}
          <ButtonLink to="/campaigns/$campaignId/rehearsal" params={params} variant="default">
            {t('rehearsal')}
          </ButtonLink>
          <ButtonLink to="/campaigns/$campaignId/failures" params={params} variant="default">
            {t('failures')}
          </ButtonLink>
          {mayExport ? (
            <Button
              component="a"
              variant="default"
              href={addressOf('exportEvidence', { params })}
              download
              leftSection={<IconDownload size={14} aria-hidden />}
            >
              {t('evidence')}
            </Button>
          ) : null}
          <CampaignActions campaign={campaign} />
        </>
      }
    >
      <Hold campaign={campaign} />
      <Head campaign={campaign} />
      {state === 'planned' ? <Approval campaign={campaign} /> : <Live campaignId={campaignId} />}
      <div className="columns">
        <Waves campaign={campaign} />
        <ConflictList campaignId={campaignId} />
      </div>
      <Members campaignId={campaignId} />
    </Page>
  );
}

function Hold({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { t } = useTranslation('live');
  const { hold } = campaign;
  if (hold === undefined) return null;
  return (
    <div className="banner" role="alert">
      <IconHandStop size={28} aria-hidden className="tone-held" />
      <div className="grow stack tight">
        <strong>
          {t('hold.title', { wave: hold.wave })}: {t(`hold.${hold.rule}`)}
        </strong>
        <span>{hold.explanation}</span>
        <span className="row hint">
          <TimeAgo at={hold.since} />
          {Object.entries(hold.measured).map(([key, value]) => (
            <CodeBadge key={key} code={`${key} = ${JSON.stringify(value) ?? ''}`} />
          ))}
        </span>
      </div>
    </div>
  );
}

function Head({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { t } = useTranslation('live');
  const format = useFormat();
  const { counts, releaseId, releaseName, query, policy, filingNumber, startedAt, createdBy } =
    campaign;
  const of = (...states: readonly string[]): number =>
    states.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  const failed = of('failed');
  return (
    <>
      <div className="figures">
        <Figure label={t('updated')} value={format.number(of('updated'))} tone="good" />
        <Figure
          label={t('failed')}
          value={format.number(failed)}
          {...(failed > 0 ? { tone: 'bad' } : {})}
        />
        <Figure label={t('inFlight')} value={format.number(of('in-flight', 'offered'))} />
        <Figure label={t('waiting')} value={format.number(of('targeted', 'blocked'))} />
      </div>
      <div className="card">
        <Facts
          items={[
            [
              t('release'),
              <TextLink key="release" to="/releases/$releaseId" params={{ releaseId }}>
                {releaseName}
              </TextLink>,
            ],
            [
              t('query'),
              <code key="query" className="mono">
                {query}
              </code>,
            ],
            [t('priority'), format.number(policy.priority)],
            [t('started'), <TimeAgo key="started" at={startedAt} />],
            [t('author'), createdBy],
            ...(filingNumber === undefined ? [] : [[t('filing'), filingNumber] as const]),
          ]}
        />
      </div>
    </>
  );
}

function Live({ campaignId }: { readonly campaignId: string }): ReactNode {
  const { t } = useTranslation('live');
  const read = useRead('getLiveCampaign', { params: { campaignId } }, { everyMs: REFRESH_MS });
  return (
    <Loaded read={read} lines={10}>
      {({ funnel, adoption, forecast, failures, health }) => (
        <>
          <Funnel campaignId={campaignId} funnel={funnel} />
          <div className="columns">
            <Section title={t('adoption.title')}>
              {adoption.length === 0 && forecast.length === 0 ? (
                <Empty title={t('adoption.none')}>{t('adoption.noneHint')}</Empty>
              ) : (
                <ForecastChart
                  label={t('adoption.label')}
                  forecast={forecast}
                  adoption={adoption}
                />
              )}
            </Section>
            <FailureRate failures={failures} />
          </div>
          {health === undefined ? null : <HealthComparison health={health} />}
        </>
      )}
    </Loaded>
  );
}

function ConflictList({ campaignId }: { readonly campaignId: string }): ReactNode {
  const read = useRead('listConflicts', { params: { campaignId } });
  return <Loaded read={read}>{({ items }) => <Conflicts conflicts={items} />}</Loaded>;
}
