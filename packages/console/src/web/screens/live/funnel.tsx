import { Fragment, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page.tsx';
import { useFormat } from '../../parts/time.tsx';
import { useReason } from '../../parts/why-not-card.tsx';

/** How far the vehicles came, and beside each step who stopped there and why. */
export function Funnel({
  campaignId,
  funnel,
}: {
  readonly campaignId: string;
  readonly funnel: Answer<'getLiveCampaign'>['funnel'];
}): ReactNode {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  const format = useFormat();
  const reason = useReason();
  const total = Math.max(1, ...funnel.map(({ vehicles }) => vehicles));
  return (
    <Section title={t('funnel.title')} hint={t('funnel.hint')}>
      <div className="funnel">
        {funnel.map(({ stage, vehicles, stopped }) => (
          <Fragment key={stage}>
            <TextLink
              to="/campaigns/$campaignId"
              params={{ campaignId }}
              search={{ stage }}
              size="sm"
            >
              {states(`stage.${stage}`)}
            </TextLink>
            <div className="track" aria-hidden>
              <span style={{ width: `${String((100 * vehicles) / total)}%` }} />
            </div>
            <strong>{format.number(vehicles)}</strong>
            <div className="stops stack tight">
              {stopped.map((stop) => (
                <span key={stop.reason}>
                  {format.number(stop.vehicles)} · {reason(stop.reason, stop).meaning}{' '}
                  <TextLink
                    to="/campaigns/$campaignId"
                    params={{ campaignId }}
                    search={{ stage, reason: stop.reason }}
                  >
                    <CodeBadge code={stop.reason} />
                  </TextLink>
                </span>
              ))}
              {stopped.length === 0 ? <span className="hint">{t('funnel.nobody')}</span> : null}
            </div>
          </Fragment>
        ))}
      </div>
    </Section>
  );
}
