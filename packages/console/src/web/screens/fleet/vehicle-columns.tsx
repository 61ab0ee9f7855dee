import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { VehicleState } from '@immota/api';
import type { Item } from '../../client/routes.ts';
import { Badge, CodeBadge, VehicleBadge } from '../../parts/badge.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { TextLink } from '../../parts/links.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import { VEHICLE_TONES } from '../../parts/tone.ts';

type Row = Item<'listFleet'>;

/** What a list of vehicles shows. */
export function useVehicleColumns(): readonly Column<Row>[] {
  const { t } = useTranslation('fleet');
  const format = useFormat();
  return useMemo(
    () => [
      {
        key: 'vehicleId',
        head: t('vehicle'),
        sort: { up: 'vehicleId' },
        cell: ({ vehicleId, vin }) => (
          <TextLink to="/vehicles/$vehicleId" params={{ vehicleId }} size="sm" fw={600}>
            {vin ?? vehicleId}
          </TextLink>
        ),
      },
      { key: 'model', head: t('model'), sort: { up: 'model' }, cell: ({ model }) => model },
      { key: 'market', head: t('market'), sort: { up: 'market' }, cell: ({ market }) => market },
      { key: 'ecus', head: t('ecus'), isNumber: true, cell: ({ ecus }) => format.number(ecus) },
      {
        key: 'lastSeenAt',
        head: t('lastSeen'),
        sort: { up: 'lastSeenAt', down: '-lastSeenAt' },
        cell: ({ lastSeenAt }) => <TimeAgo at={lastSeenAt} />,
      },
      { key: 'state', head: t('state'), cell: (row) => <CampaignPlace row={row} /> },
      { key: 'tags', head: t('tags'), cell: ({ tags }) => <Tags tags={tags} /> },
    ],
    [t, format],
  );
}

function CampaignPlace({ row }: { readonly row: Row }): ReactNode {
  const { t } = useTranslation('fleet');
  const { isQuarantined, campaignId, state, reason } = row;
  return (
    <span className="row">
      {isQuarantined ? <Badge tone="held">{t('quarantined')}</Badge> : null}
      {campaignId === undefined || state === undefined || !isVehicleState(state) ? null : (
        <TextLink to="/campaigns/$campaignId" params={{ campaignId }} underline="never">
          <VehicleBadge state={state} />
        </TextLink>
      )}
      {reason === undefined ? null : <CodeBadge code={reason} />}
    </span>
  );
}

/** Tags of a vehicle: `name`, or `name=value`. */
export function Tags({ tags }: { readonly tags: Readonly<Record<string, unknown>> }): ReactNode {
  return (
    <span className="row">
      {Object.entries(tags).map(([name, value]) => (
        <CodeBadge key={name} code={value === true ? name : `${name}=${String(value)}`} />
      ))}
    </span>
  );
}

function isVehicleState(state: string): state is VehicleState {
  return state in VEHICLE_TONES;
}
