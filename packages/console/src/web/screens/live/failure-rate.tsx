import { type ReactNode, useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { Badge } from '../../parts/badge.tsx';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { bandOf } from '../../parts/forecast-chart.tsx';
import { Section } from '../../parts/page.tsx';
import { useFormat } from '../../parts/time.tsx';
import { VERDICT_TONES } from './verdict.ts';

type Failures = Answer<'getLiveCampaign'>['failures'];

/** The failure rate of the open wave with its interval, against the limit: never a bare percentage. */
export function FailureRate({ failures }: { readonly failures: Failures }): ReactNode {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  const format = useFormat();
  const { history, limit, bad, outcomes, estimate, low, high, verdict } = failures;
  const option = useCallback<ChartProps['option']>(
    (colours) => ({
      grid: { left: 8, right: 56, top: 16, bottom: 24, containLabel: true },
      tooltip: {
        valueFormatter: (value: unknown) => (typeof value === 'number' ? format.share(value) : ''),
      },
      xAxis: {
        type: 'value',
        name: t('hours'),
        nameLocation: 'middle',
        nameGap: 22,
        nameTextStyle: { color: colours.faint },
        splitLine: { show: false },
        axisLabel: { color: colours.faint },
      },
      yAxis: {
        type: 'value',
        splitLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint, formatter: (value: number) => format.share(value) },
      },
      series: [
        ...bandOf(history, `${colours.bad}33`),
        {
          name: t('failure.rate'),
          type: 'line',
          symbol: 'none',
          lineStyle: { width: 2.5, color: colours.bad },
          itemStyle: { color: colours.bad },
          data: history.map((point) => [point.hours, point.estimate]),
          markLine: {
            symbol: 'none',
            silent: true,
            data: [{ yAxis: limit, name: t('failure.limit') }],
            lineStyle: { color: colours.text, width: 1.5, type: 'solid' },
            label: {
              color: colours.text,
              formatter: `${t('failure.limit')} ${format.share(limit)}`,
            },
          },
        },
      ],
    }),
    [history, limit, format, t],
  );
  return (
    <Section
      title={t('failure.title')}
      hint={t('failure.said', {
        bad: format.number(bad),
        outcomes: format.number(outcomes),
        estimate: format.share(estimate),
        low: format.share(low),
        high: format.share(high),
        limit: format.share(limit),
      })}
      actions={<Badge tone={VERDICT_TONES[verdict]}>{states(`verdict.${verdict}`)}</Badge>}
    >
      <Chart
        label={t('failure.label')}
        option={option}
        height={260}
        table={{
          head: [t('hours'), t('failure.rate'), '', ''],
          rows: history.map((point) => [
            format.number(point.hours),
            format.share(point.estimate),
            format.share(point.low),
            format.share(point.high),
          ]),
        }}
      />
    </Section>
  );
}
