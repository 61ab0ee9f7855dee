import { type ReactNode, useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { useFormat } from '../../parts/time.tsx';

/** Vehicles by how long nothing was heard of them. */
export function SilenceChart({
  silence,
}: {
  readonly silence: Answer<'getCockpit'>['silence'];
}): ReactNode {
  const { t } = useTranslation('cockpit');
  const format = useFormat();
  const option = useCallback<ChartProps['option']>(
    (colours) => ({
      xAxis: {
        type: 'category',
        data: silence.map(({ days }) => (days === 'never' ? t('never') : days)),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        splitLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint, formatter: (value: number) => format.number(value) },
      },
      series: [
        {
          type: 'bar',
          barMaxWidth: 46,
          itemStyle: { borderRadius: [4, 4, 0, 0] },
          data: silence.map(({ vehicles }, index) => ({
            value: vehicles,
            itemStyle: {
              color: index < 3 ? colours.good : index < 5 ? colours.warn : colours.bad,
            },
          })),
        },
      ],
    }),
    [silence, t, format],
  );
  return (
    <Chart
      label={t('silenceLabel')}
      option={option}
      height={220}
      table={{
        head: [t('days'), t('vehicles')],
        rows: silence.map(({ days, vehicles }) => [days, format.number(vehicles)]),
      }}
    />
  );
}
