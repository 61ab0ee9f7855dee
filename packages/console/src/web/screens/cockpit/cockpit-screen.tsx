import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { CampaignBadge } from '../../parts/badge.tsx';
import { ButtonLink, TextLink } from '../../parts/links.tsx';
import { Figure, Page, Section } from '../../parts/page.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import type { CampaignState } from '../../parts/tone.ts';
import { CAMPAIGN_TONES } from '../../parts/tone.ts';
import { SilenceChart } from './silence-chart.tsx';
import { ToDo } from './to-do.tsx';
import { Versions } from './versions.tsx';

type Cockpit = Answer<'getCockpit'>;

const REFRESH_MS = 30_000;

/** The first screen: what to do next, and how the fleet is. */
export function CockpitScreen(): ReactNode {
  const { t } = useTranslation('cockpit');
  const read = useRead('getCockpit', {}, { everyMs: REFRESH_MS });
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={<ButtonLink to="/campaigns/new">{t('plan')}</ButtonLink>}
    >
      <Loaded read={read} lines={8}>
        {(cockpit) => <Whole cockpit={cockpit} />}
      </Loaded>
    </Page>
  );
}

function Whole({ cockpit }: { readonly cockpit: Cockpit }): ReactNode {
  const { t } = useTranslation('cockpit');
  const format = useFormat();
  const { vehicles, seenLastDay, quarantined, actions, campaigns, silence } = cockpit;
  return (
    <>
      <div className="figures">
        <Figure label={t('vehicles')} value={format.number(vehicles)} />
        <Figure
          label={t('seenLastDay')}
          value={format.number(seenLastDay)}
          note={vehicles === 0 ? undefined : format.share(seenLastDay / vehicles)}
        />
        <Figure label={t('running')} value={format.number(campaigns.length)} />
        <Figure
          label={t('quarantined')}
          value={format.number(quarantined)}
          {...(quarantined > 0 ? { tone: 'warn' } : {})}
        />
      </div>
      <div className="columns">
        <Section title={t('todo')} hint={t('todoHint')}>
          <ToDo actions={actions} />
        </Section>
        <Section title={t('campaigns')} hint={t('campaignsHint')}>
          <Campaigns campaigns={campaigns} />
        </Section>
      </div>
      <Versions />
      <div className="columns">
        <Section title={t('silence')} hint={t('silenceHint')}>
          <SilenceChart silence={silence} />
        </Section>
        <Section title={t('expiries')} hint={t('expiriesHint')}>
          <Expiries expiries={cockpit.expiries} />
        </Section>
      </div>
    </>
  );
}

function Campaigns({ campaigns }: Pick<Cockpit, 'campaigns'>): ReactNode {
  const { t } = useTranslation('cockpit');
  const format = useFormat();
  if (campaigns.length === 0) {
    return <Empty title={t('noCampaigns')}>{t('noCampaignsHint')}</Empty>;
  }
  return (
    <ul className="todo">
      {campaigns.map(({ campaignId, name, state, wave, waves, updated, failed, vehicles }) => (
        <li key={campaignId}>
          <div className="grow stack tight">
            <div className="row">
              <TextLink to="/campaigns/$campaignId" params={{ campaignId }} fw={600}>
                {name}
              </TextLink>
              {isCampaignState(state) ? <CampaignBadge state={state} /> : null}
              <span className="hint">{t('wave', { wave, waves })}</span>
            </div>
            <Progress
              total={vehicles}
              parts={[
                { tone: 'good', value: updated },
                { tone: 'bad', value: failed },
              ]}
            />
            <span className="hint">
              {t('updatedOf', {
                updated: format.number(updated),
                vehicles: format.number(vehicles),
                failed: format.number(failed),
              })}
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function isCampaignState(state: string): state is CampaignState {
  return state in CAMPAIGN_TONES;
}

function Expiries({ expiries }: Pick<Cockpit, 'expiries'>): ReactNode {
  const { t } = useTranslation('cockpit');
  const format = useFormat();
  if (expiries.length === 0) return <p className="hint">{t('noExpiries')}</p>;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys
    <div className="table-box short" role="region" aria-label={t('expiries')} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('name')}</th>
            <th scope="col">{t('kind')}</th>
            <th scope="col" className="numeric">
              {t('count')}
            </th>
            <th scope="col">{t('ends')}</th>
          </tr>
        </thead>
        <tbody>
          {expiries.map(({ kind, name, expiresAt, count }) => (
            <tr key={`${kind} ${name} ${expiresAt}`}>
              <td>{name}</td>
              <td>{kind}</td>
              <td className="numeric">{format.number(count)}</td>
              <td>
                <TimeAgo at={expiresAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
