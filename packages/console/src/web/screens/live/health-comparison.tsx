import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { Badge } from '../../parts/badge.tsx';
import { Section } from '../../parts/page.tsx';
import { useFormat } from '../../parts/time.tsx';
import { VERDICT_TONES } from './verdict.ts';

type Health = NonNullable<Answer<'getLiveCampaign'>['health']>;

/** Vehicles with the release against untouched ones of the same strata: two intervals on one scale. */
export function HealthComparison({ health }: { readonly health: Health }): ReactNode {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  const format = useFormat();
  const { treated, control, difference, limit, verdict } = health;
  const top = Math.max(treated.high, control.high, 0.001) * 1.15;
  return (
    <Section
      title={t('health.title')}
      hint={t('health.hint')}
      actions={<Badge tone={VERDICT_TONES[verdict]}>{states(`verdict.${verdict}`)}</Badge>}
    >
      <div className="stack">
        <Interval name={t('health.treated')} rate={treated} top={top} tone="busy" />
        <Interval name={t('health.control')} rate={control} top={top} tone="calm" />
        <p className="lead">
          {t('health.difference', {
            low: format.share(difference.low),
            high: format.share(difference.high),
            limit: format.share(limit),
          })}
        </p>
      </div>
    </Section>
  );
}

function Interval({
  name,
  rate,
  top,
  tone,
}: {
  readonly name: string;
  readonly rate: Health['treated'];
  readonly top: number;
  readonly tone: 'busy' | 'calm';
}): ReactNode {
  const { t } = useTranslation('live');
  const format = useFormat();
  const at = (value: number): string => `${String((100 * value) / top)}%`;
  return (
    <div>
      <div className="row between">
        <strong>{name}</strong>
        <span className="hint">
          {format.share(rate.estimate)} ({format.share(rate.low)} – {format.share(rate.high)}) ·{' '}
          {t('health.of', { bad: format.number(rate.bad), outcomes: format.number(rate.outcomes) })}
        </span>
      </div>
      <div className="bar" aria-hidden>
        <span style={{ width: at(rate.low) }} />
        <span className={`fill-${tone}`} style={{ width: at(rate.high - rate.low) }} />
      </div>
    </div>
  );
}
