import { Select } from '@mantine/core';
import { type ReactNode, useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { useFormat } from '../../parts/time.tsx';

const DAYS: readonly string[] = ['7', '30', '90', '366'];

/** Which versions ran when, by hardware; the choice stands in the address. */
export function Versions(): ReactNode {
  const { t } = useTranslation('cockpit');
  const facets = useRead('listFacets', {});
  const [state, change] = useUrlState<'hardware' | 'days' | 'model' | 'market'>();
  const hardware = facets.data?.hardware.map(({ value }) => value) ?? [];
  const hardwareId = state.hardware ?? hardware[0];
  const days = state.days ?? '30';
  const pick = (name: 'hardware' | 'days' | 'model' | 'market', value: string | null): void => {
    change({ [name]: value ?? undefined }, true);
  };
  return (
    <Section
      title={t('versions')}
      hint={t('versionsHint')}
      actions={
        <div className="row">
          <Select
            aria-label={t('hardware')}
            size="xs"
            searchable
            data={hardware}
            value={hardwareId ?? null}
            allowDeselect={false}
            onChange={(value) => {
              pick('hardware', value);
            }}
          />
          <Select
            aria-label={t('model')}
            placeholder={t('model')}
            size="xs"
            w={120}
            clearable
            data={
              facets.data?.models.map(({ value }) => value).filter((value) => value !== '') ?? []
            }
            value={state.model ?? null}
            onChange={(value) => {
              pick('model', value);
            }}
          />
          <Select
            aria-label={t('market')}
            placeholder={t('market')}
            size="xs"
            w={110}
            clearable
            data={
              facets.data?.markets.map(({ value }) => value).filter((value) => value !== '') ?? []
            }
            value={state.market ?? null}
            onChange={(value) => {
              pick('market', value);
            }}
          />
          <Select
            aria-label={t('days')}
            size="xs"
            w={80}
            data={DAYS}
            value={days}
            allowDeselect={false}
            onChange={(value) => {
              pick('days', value);
            }}
          />
        </div>
      }
    >
      {facets.data !== undefined && hardwareId === undefined ? (
        <Empty title={t('noHardware')}>{t('noHardwareHint')}</Empty>
      ) : (
        <History
          query={{
            hardwareId: hardwareId ?? '',
            days: Number(days),
            ...(state.model === undefined ? {} : { model: state.model }),
            ...(state.market === undefined ? {} : { market: state.market }),
          }}
        />
      )}
    </Section>
  );
}

function History({
  query,
}: {
  readonly query: { readonly hardwareId: string; readonly days: number; readonly model?: string };
}): ReactNode {
  const { t } = useTranslation('cockpit');
  const read = useRead(
    'listVersions',
    { query },
    { isEnabled: query.hardwareId !== '', keepsLast: true },
  );
  return (
    <Loaded read={read}>
      {(history) =>
        history.series.length === 0 ? (
          <Empty title={t('noVersions')}>{t('noVersionsHint')}</Empty>
        ) : (
          <VersionChart history={history} />
        )
      }
    </Loaded>
  );
}

function VersionChart({ history }: { readonly history: Answer<'listVersions'> }): ReactNode {
  const { t } = useTranslation('cockpit');
  const format = useFormat();
  const { days, series } = history;
  const option = useCallback<ChartProps['option']>(
    (colours) => ({
      legend: { bottom: 0, type: 'plain', textStyle: { color: colours.text }, itemHeight: 10 },
      grid: { left: 8, right: 16, top: 16, bottom: 36, containLabel: true },
      xAxis: {
        type: 'category',
        boundaryGap: false,
        data: days.map((day) => format.date(day)),
        axisLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint },
      },
      yAxis: {
        type: 'value',
        splitLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint, formatter: (value: number) => format.number(value) },
      },
      series: series.map(({ image, vehicles }) => ({
        name: image,
        type: 'line',
        stack: 'all',
        areaStyle: { opacity: 0.75 },
        lineStyle: { width: 1 },
        symbol: 'none',
        data: [...vehicles],
      })),
    }),
    [days, series, format],
  );
  return (
    <Chart
      label={t('versionsLabel')}
      option={option}
      height={300}
      table={{
        head: ['', ...series.map(({ image }) => image)],
        rows: days.map((day, index) => [
          format.date(day),
          ...series.map(({ vehicles }) => vehicles[index] ?? 0),
        ]),
      }}
    />
  );
}
