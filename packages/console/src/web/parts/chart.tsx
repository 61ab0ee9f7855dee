import { Button, useComputedColorScheme } from '@mantine/core';
import { IconChartLine, IconTable } from '@tabler/icons-react';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ChartColours, chartColours } from './chart-colours.ts';

/** The same figures as a table, for who cannot see or does not trust a picture. */
export interface ChartTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What to draw. */
export interface ChartProps {
  /** What the chart shows, as a sentence: it is read aloud in place of the picture. */
  readonly label: string;
  readonly option: (colours: ChartColours) => EChartsCoreOption;
  readonly table: ChartTable;
  readonly height?: number;
  /** Called with the index of what was clicked. */
  readonly onPick?: (index: number) => void;
}

/** A chart that follows light and dark and the width, with its figures one key away. */
export function Chart({ label, option, table, height = 260, onPick }: ChartProps): ReactNode {
  const { t } = useTranslation();
  const [isTable, setTable] = useState(false);
  return (
    <figure className="chart">
      {isTable ? (
        <PlainTable {...table} label={label} />
      ) : (
        <Canvas label={label} option={option} height={height} onPick={onPick} />
      )}
      <Button
        className="chart-switch"
        size="compact-xs"
        variant="subtle"
        color="gray"
        leftSection={
          isTable ? <IconChartLine size={13} aria-hidden /> : <IconTable size={13} aria-hidden />
        }
        onClick={() => {
          setTable(!isTable);
        }}
      >
        {isTable ? t('chart.asChart') : t('chart.asTable')}
      </Button>
    </figure>
  );
}

function Canvas({
  label,
  option,
  height,
  onPick,
}: {
  readonly label: string;
  readonly option: ChartProps['option'];
  readonly height: number;
  readonly onPick: ChartProps['onPick'];
}): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const pick = useRef(onPick);
  const [isReady, setReady] = useState(false);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    pick.current = onPick;
  }, [onPick]);
  useEffect(() => {
    let isGone = false;
    const watcher = new ResizeObserver(() => chart.current?.resize());
    void import('./echarts.ts').then(({ initChart }) => {
      if (isGone || box.current === null) return;
      chart.current = initChart(box.current);
      chart.current.on('click', ({ dataIndex }) => pick.current?.(dataIndex));
      watcher.observe(box.current);
      setReady(true);
    });
    return () => {
      isGone = true;
      watcher.disconnect();
      chart.current?.dispose();
      chart.current = undefined;
    };
  }, []);
  useEffect(() => {
    if (isReady) chart.current?.setOption(withBase(option(chartColours(scheme)), scheme), true);
  }, [isReady, option, scheme]);
  return <div ref={box} role="img" aria-label={label} style={{ height }} data-ready={isReady} />;
}

/** What all charts have in common; the tool tip is drawn, since a page may hold no styles. */
function withBase(option: EChartsCoreOption, scheme: 'light' | 'dark'): EChartsCoreOption {
  const { text, line, surface, series } = chartColours(scheme);
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const tooltip = typeof option['tooltip'] === 'object' ? option['tooltip'] : {};
  return {
    color: [...series],
    animation: !isStill,
    animationDuration: 300,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: text },
    grid: { left: 8, right: 16, top: 24, bottom: 8, containLabel: true },
    ...option,
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      backgroundColor: surface,
      borderColor: line,
      textStyle: { color: text, fontSize: 12 },
      ...tooltip,
    },
  };
}

/** A small table of figures. */
export function PlainTable({
  head,
  rows,
  label,
}: ChartTable & { readonly label: string }): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys
    <div className="table-box short" role="region" aria-label={label} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <td
                  key={head[column]}
                  className={typeof value === 'number' ? 'numeric' : undefined}
                >
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
