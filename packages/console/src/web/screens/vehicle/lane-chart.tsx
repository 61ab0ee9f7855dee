import { type ReactNode, useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../client/routes.ts';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { useFormat } from '../../parts/time.tsx';

type Lane = Answer<'listLanes'>['lanes'][number];

const LANE_HEIGHT = 34;
const FRAME_HEIGHT = 70;
/** Signs that differ in form as well as in colour: point, square, triangle, diamond. */
const SYMBOLS = { info: 'circle', notice: 'rect', warning: 'triangle', alert: 'diamond' } as const;

/** Lanes over time: a sign for each event, a line for what lasted. */
export function LaneChart({
  lanes,
  days,
}: {
  readonly lanes: readonly Lane[];
  readonly days: string;
}): ReactNode {
  const { t } = useTranslation('vehicle');
  const format = useFormat();
  const names = useMemo(
    () => lanes.map(({ laneId }) => (laneId === 'vehicle' ? t('timeline.whole') : laneId)),
    [lanes, t],
  );
  const option = useCallback<ChartProps['option']>(
    (colours) => {
      const tones = {
        info: colours.busy,
        notice: colours.good,
        warning: colours.warn,
        alert: colours.bad,
      };
      return {
        grid: { left: 8, right: 24, top: 10, bottom: 8, containLabel: true },
        tooltip: {
          trigger: 'item',
          formatter: ({ data }: { readonly data: { readonly told?: string } }) => data.told ?? '',
        },
        xAxis: {
          type: 'time',
          axisLabel: { color: colours.faint, hideOverlap: true },
          splitLine: { show: true, lineStyle: { color: colours.line } },
        },
        yAxis: {
          type: 'category',
          inverse: true,
          data: names,
          axisTick: { show: false },
          axisLabel: { color: colours.text },
          splitArea: { show: true, areaStyle: { color: ['transparent', `${colours.line}55`] } },
        },
        series: [
          ...lanes.flatMap(({ entries }, lane) =>
            entries
              .filter(({ until }) => until !== undefined)
              .map(({ at, until, severity }) => ({
                type: 'line',
                symbol: 'none',
                silent: true,
                lineStyle: { width: 6, opacity: 0.5, color: tones[severity] },
                data: [
                  [at, names[lane]],
                  [until, names[lane]],
                ],
              })),
          ),
          {
            type: 'line',
            lineStyle: { width: 0, opacity: 0 },
            symbolSize: 12,
            data: lanes.flatMap(({ entries }, lane) =>
              entries.map(({ at, title, severity, kind }) => ({
                value: [at, names[lane]],
                symbol: SYMBOLS[severity],
                itemStyle: {
                  color: tones[severity],
                  borderColor: colours.surface,
                  borderWidth: 1.5,
                },
                told: `${title}\n${kind}\n${format.instant(at)}`,
              })),
            ),
          },
        ],
      };
    },
    [lanes, names, format],
  );
  return (
    <Chart
      label={t('timeline.label', { days })}
      option={option}
      height={lanes.length * LANE_HEIGHT + FRAME_HEIGHT}
      table={{
        head: [t('timeline.when'), t('timeline.lane'), t('timeline.what')],
        rows: lanes
          .flatMap(({ entries }, lane) =>
            entries.map(({ at, title }) => ({ at, lane: names[lane] ?? '', title })),
          )
          .toSorted((one, other) => other.at.localeCompare(one.at))
          .map(({ at, lane, title }) => [format.instant(at), lane, title]),
      }}
    />
  );
}
