import { Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useRead } from '../../client/hooks.ts';
import { Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { LaneChart } from './lane-chart.tsx';

const DAYS: readonly string[] = ['7', '30', '90', '365', '3650'];

/** What happened to the vehicle, one lane for each ECU. */
export function Timeline({ vehicleId }: { readonly vehicleId: string }): ReactNode {
  const { t } = useTranslation('vehicle');
  const [{ days = '90' }, change] = useUrlState<'days'>();
  const read = useRead(
    'listLanes',
    { params: { vehicleId }, query: { days: Number(days) || 90 } },
    { keepsLast: true },
  );
  return (
    <Section
      title={t('tab.timeline')}
      actions={
        <Select
          aria-label={t('timeline.days')}
          size="xs"
          w={90}
          data={DAYS}
          allowDeselect={false}
          value={days}
          onChange={(next) => {
            change({ days: next ?? undefined }, true);
          }}
        />
      }
    >
      <Loaded read={read}>
        {({ lanes }) =>
          lanes.every(({ entries }) => entries.length === 0) ? (
            <Empty title={t('timeline.empty')}>{t('timeline.emptyHint')}</Empty>
          ) : (
            <LaneChart lanes={lanes} days={days} />
          )
        }
      </Loaded>
    </Section>
  );
}
