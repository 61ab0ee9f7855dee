import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { Badge, CampaignBadge, CodeBadge } from '../../parts/badge.tsx';
import { PlainTable } from '../../parts/chart.tsx';
import { ForecastChart } from '../../parts/forecast-chart.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Figure, Section } from '../../parts/page.tsx';
import { useFormat } from '../../parts/time.tsx';
import { CAMPAIGN_TONES, type CampaignState } from '../../parts/tone.ts';
import { useReason } from '../../parts/why-not-card.tsx';

type Result = NonNullable<Answer<'getRehearsal'>['result']>;

/** What the rehearsal found: figures, what stands in the way, and the forecast. */
export function RehearsalResult({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  return (
    <>
      <Figures result={result} />
      {result.stranding.length === 0 ? null : <Stranding result={result} />}
      <div className="columns">
        <Section title={t('rehearsal.forecast')}>
          <ForecastChart label={t('rehearsal.forecastLabel')} forecast={result.forecast} />
        </Section>
        <Blocked result={result} />
      </div>
      <div className="columns">
        <Conflicts conflicts={result.conflicts} />
        <Waves result={result} />
      </div>
      <Variants result={result} />
    </>
  );
}

function Figures({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  const { matched, plannable, alreadyThere, hoursTo95, minutes, bytes, detectablePermille } =
    result;
  return (
    <div className="figures">
      <Figure label={t('rehearsal.matched')} value={format.number(matched)} />
      <Figure
        label={t('rehearsal.plannable')}
        value={format.number(plannable)}
        note={matched === 0 ? undefined : format.share(plannable / matched)}
      />
      <Figure label={t('rehearsal.there')} value={format.number(alreadyThere)} />
      <Figure
        label={t('rehearsal.hours')}
        value={hoursTo95 === undefined ? '–' : format.hours(hoursTo95)}
      />
      <Figure
        label={t('rehearsal.minutes')}
        value={format.minutes(minutes.middle)}
        note={`${format.minutes(minutes.low)} – ${format.minutes(minutes.high)}`}
      />
      <Figure
        label={t('rehearsal.bytes')}
        value={format.bytes(bytes.delta)}
        note={t('rehearsal.delta', { full: format.bytes(bytes.full) })}
      />
      {detectablePermille === undefined ? null : (
        <Figure label={t('rehearsal.detect')} value={`+${format.permille(detectablePermille)}`} />
      )}
    </div>
  );
}

function Stranding({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  return (
    <Section title={t('rehearsal.stranding')}>
      <ul className="todo">
        {result.stranding.map(({ check, detail, vehicles, isBlocking }) => (
          <li key={check}>
            <Badge tone={isBlocking ? 'bad' : 'warn'}>
              {isBlocking ? t('rehearsal.blocking') : t('rehearsal.warning')}
            </Badge>
            <span className="grow">
              {detail} <CodeBadge code={check} />
            </span>
            <strong>{format.number(vehicles)}</strong>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Blocked({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  const reason = useReason();
  return (
    <Section title={t('rehearsal.blocked')}>
      {result.blocked.length === 0 ? <p className="hint">{t('rehearsal.noBlocked')}</p> : null}
      <ul className="todo">
        {result.blocked.map((one) => {
          const { meaning, nextStep } = reason(one.reason, one);
          return (
            <li key={one.reason}>
              <div className="grow stack tight">
                <span>
                  <strong>{meaning}</strong> <CodeBadge code={one.reason} />
                </span>
                <span className="hint">{nextStep}</span>
                <span className="row">
                  {one.sample.slice(0, 5).map((vehicleId) => (
                    <TextLink
                      key={vehicleId}
                      to="/vehicles/$vehicleId"
                      params={{ vehicleId }}
                      size="xs"
                    >
                      {vehicleId}
                    </TextLink>
                  ))}
                </span>
              </div>
              <strong>{format.number(one.vehicles)}</strong>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

/** Other campaigns that want the same vehicles, and which goes first. */
export function Conflicts({ conflicts }: { readonly conflicts: Result['conflicts'] }): ReactNode {
  const { t } = useTranslation('campaigns');
  return (
    <Section title={t('rehearsal.conflicts')}>
      {conflicts.length === 0 ? <p className="hint">{t('rehearsal.noConflicts')}</p> : null}
      <ul className="todo">
        {conflicts.map(({ campaignId, name, state, explanation }) => (
          <li key={campaignId}>
            <div className="grow stack tight">
              <span className="row">
                <TextLink to="/campaigns/$campaignId" params={{ campaignId }} fw={600}>
                  {name}
                </TextLink>
                {isCampaignState(state) ? <CampaignBadge state={state} /> : null}
              </span>
              <span className="hint">{explanation}</span>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function isCampaignState(state: string): state is CampaignState {
  return state in CAMPAIGN_TONES;
}

function Waves({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  const { waves, controls } = result;
  return (
    <Section
      title={t('design.waves')}
      hint={
        controls === 0 ? undefined : t('rehearsal.controls', { shown: format.number(controls) })
      }
    >
      <PlainTable
        label={t('design.waves')}
        head={[t('name'), t('rehearsal.vehicles'), '']}
        rows={waves.map(({ name, vehicles, strata }) => [
          name,
          format.number(vehicles),
          t('rehearsal.strata', { count: strata }),
        ])}
      />
    </Section>
  );
}

function Variants({ result }: { readonly result: Result }): ReactNode {
  const { t } = useTranslation('campaigns');
  const { t: fleet } = useTranslation('fleet');
  const format = useFormat();
  return (
    <Section title={t('rehearsal.variants')}>
      <PlainTable
        label={t('rehearsal.variants')}
        head={[
          fleet('model'),
          fleet('market'),
          t('rehearsal.source'),
          t('rehearsal.vehicles'),
          t('rehearsal.plannable'),
          t('rehearsal.steps'),
          t('rehearsal.perVehicle'),
        ]}
        rows={result.variants.map((one) => [
          one.model,
          one.market,
          one.source,
          format.number(one.vehicles),
          format.number(one.plannable),
          format.number(one.steps),
          format.bytes(one.deltaBytes > 0 ? one.deltaBytes : one.fullBytes),
        ])}
      />
    </Section>
  );
}
