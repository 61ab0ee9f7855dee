import { type ReactNode, useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart, type ChartProps } from './chart.tsx';
import { useFormat } from './time.tsx';

interface Point {
  readonly hours: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** A forecast with its band, and beside it what really happened. */
export function ForecastChart({
  label,
  forecast,
  adoption = [],
}: {
  readonly label: string;
  readonly forecast: readonly Point[];
  readonly adoption?: readonly { readonly hours: number; readonly vehicles: number }[];
}): ReactNode {
  const { t } = useTranslation('live');
  const format = useFormat();
  const option = useCallback<ChartProps['option']>(
    (colours) => ({
      legend: {
        bottom: 0,
        textStyle: { color: colours.text },
        data: [t('adoption.middle'), ...(adoption.length === 0 ? [] : [t('adoption.actual')])],
      },
      grid: { left: 8, right: 24, top: 16, bottom: 36, containLabel: true },
      tooltip: {
        valueFormatter: (value: unknown) =>
          typeof value === 'number' ? format.number(Math.round(value)) : '',
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
        axisLabel: { color: colours.faint, formatter: (value: number) => format.number(value) },
      },
      series: [
        ...bandOf(forecast, colours.band),
        {
          name: t('adoption.middle'),
          type: 'line',
          symbol: 'none',
          lineStyle: { type: 'dashed', width: 1.5, color: colours.faint },
          itemStyle: { color: colours.faint },
          data: forecast.map(({ hours, middle }) => [hours, middle]),
        },
        ...(adoption.length === 0
          ? []
          : [
              {
                name: t('adoption.actual'),
                type: 'line',
                symbol: 'none',
                lineStyle: { width: 3, color: colours.good },
                itemStyle: { color: colours.good },
                data: adoption.map(({ hours, vehicles }) => [hours, vehicles]),
              },
            ]),
      ],
    }),
    [adoption, forecast, format, t],
  );
  const round = (value: number): string => format.number(Math.round(value));
  return (
    <Chart
      label={label}
      option={option}
      height={280}
      table={{
        head: [t('hours'), t('adoption.band'), t('adoption.middle'), t('adoption.actual')],
        rows: [
          ...forecast.map(({ hours, low, middle, high }) => [
            format.number(hours),
            `${round(low)} – ${round(high)}`,
            round(middle),
            '',
          ]),
          ...adoption.map(({ hours, vehicles }) => [format.number(hours), '', '', round(vehicles)]),
        ],
      }}
    />
  );
}

/** A band is two stacked lines: an invisible one below, and the height of the band filled above it. */
export function bandOf(
  points: readonly { readonly hours: number; readonly low: number; readonly high: number }[],
  colour: string,
): readonly object[] {
  const common = {
    type: 'line',
    stack: 'band',
    stackStrategy: 'all',
    symbol: 'none',
    silent: true,
    lineStyle: { opacity: 0 },
    tooltip: { show: false },
  };
  return [
    { ...common, data: points.map(({ hours, low }) => [hours, low]) },
    {
      ...common,
      areaStyle: { color: colour, opacity: 1 },
      data: points.map(({ hours, low, high }) => [hours, high - low]),
    },
  ];
}
