import { Select, TextInput } from '@mantine/core';
import { CAMPAIGN_STAGES, REASONS, VEHICLE_STATES } from '@immota/api';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { addressOf } from '../../client/address.ts';
import { useRead } from '../../client/hooks.ts';
import type { Input, Item } from '../../client/routes.ts';
import { CodeBadge, VehicleBadge } from '../../parts/badge.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { useActor, useReason } from '../../parts/why-not-card.tsx';

type Filter = 'state' | 'stage' | 'reason' | 'wave' | 'search' | 'hardwareId' | 'source';
type Row = Item<'listMembers'>;

/** Every vehicle of the campaign with its reason; the filters stand in the address. */
export function Members({ campaignId }: { readonly campaignId: string }): ReactNode {
  const { t } = useTranslation('live');
  const [state, change] = useUrlState<Filter | 'after' | 'page'>();
  const paging = usePaging();
  const columns = useColumns();
  const read = useRead(
    'listMembers',
    { params: { campaignId }, query: queryOf(state, paging.limit, paging.after) },
    { keepsLast: true },
  );
  return (
    <Section title={t('members.title')}>
      <div className="stack">
        <Filters
          state={state}
          set={(name, value) => {
            change({ [name]: value ?? undefined, after: undefined, page: undefined }, true);
          }}
        />
        <DataTable
          label={t('members.title')}
          read={read}
          columns={columns}
          rowKey={({ vehicleId }) => vehicleId}
          paging={paging}
          exportAddress={addressOf('exportMembers', { params: { campaignId }, query: {} })}
          empty={<Empty title={t('members.empty')}>{t('members.emptyHint')}</Empty>}
        />
      </div>
    </Section>
  );
}

function queryOf(
  state: { readonly [K in Filter]?: string },
  limit: number,
  after: string | undefined,
): NonNullable<Input<'listMembers'>['query']> {
  const { reason, wave, search, hardwareId, source } = state;
  const known = VEHICLE_STATES.find((one) => one === state.state);
  const stage = CAMPAIGN_STAGES.find((one) => one === state.stage);
  return {
    limit,
    ...(after === undefined ? {} : { after }),
    ...(known === undefined ? {} : { state: known }),
    ...(stage === undefined ? {} : { stage }),
    ...(reason === undefined ? {} : { reason }),
    ...(wave === undefined ? {} : { wave }),
    ...(search === undefined ? {} : { search }),
    ...(hardwareId === undefined ? {} : { hardwareId }),
    ...(source === undefined ? {} : { source }),
  };
}

function Filters({
  state,
  set,
}: {
  readonly state: { readonly [K in Filter]?: string };
  readonly set: (name: Filter, value: string | null) => void;
}): ReactNode {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  return (
    <div className="filters">
      <TextInput
        size="xs"
        label={t('members.search')}
        maxLength={64}
        value={state.search ?? ''}
        onChange={({ currentTarget }) => {
          set('search', currentTarget.value);
        }}
      />
      <Select
        size="xs"
        w={150}
        clearable
        label={t('members.state')}
        data={VEHICLE_STATES.map((one) => ({ value: one, label: states(`vehicle.${one}`) }))}
        value={state.state ?? null}
        onChange={(value) => {
          set('state', value);
        }}
      />
      <Select
        size="xs"
        w={150}
        clearable
        label={t('members.stage')}
        data={CAMPAIGN_STAGES.map((one) => ({ value: one, label: states(`stage.${one}`) }))}
        value={state.stage ?? null}
        onChange={(value) => {
          set('stage', value);
        }}
      />
      <Select
        size="xs"
        w={220}
        clearable
        searchable
        label={t('members.reason')}
        data={Object.keys(REASONS)}
        value={state.reason ?? null}
        onChange={(value) => {
          set('reason', value);
        }}
      />
      <TextInput
        size="xs"
        w={70}
        label={t('members.wave')}
        value={state.wave ?? ''}
        onChange={({ currentTarget }) => {
          set('wave', currentTarget.value.replaceAll(/\D/g, ''));
        }}
      />
      {state.hardwareId === undefined ? null : (
        <TextInput
          size="xs"
          label={t('members.hardware')}
          value={state.hardwareId}
          onChange={({ currentTarget }) => {
            set('hardwareId', currentTarget.value);
          }}
        />
      )}
      {state.source === undefined ? null : (
        <TextInput
          size="xs"
          label={t('members.source')}
          value={state.source}
          onChange={({ currentTarget }) => {
            set('source', currentTarget.value);
          }}
        />
      )}
    </div>
  );
}

function useColumns(): readonly Column<Row>[] {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  const reason = useReason();
  const actor = useActor();
  return [
    {
      key: 'vehicle',
      head: t('members.vehicle'),
      cell: ({ vehicleId, vin, model, market }) => (
        <>
          <TextLink to="/vehicles/$vehicleId" params={{ vehicleId }} size="sm" fw={600}>
            {vin ?? vehicleId}
          </TextLink>
          <div className="hint">{`${model} · ${market}`}</div>
        </>
      ),
    },
    { key: 'state', head: t('members.state'), cell: ({ state }) => <VehicleBadge state={state} /> },
    { key: 'stage', head: t('members.stage'), cell: ({ stage }) => states(`stage.${stage}`) },
    {
      key: 'wave',
      head: t('members.wave'),
      isNumber: true,
      cell: ({ wave, isControl }) => (
        <>
          {wave} {isControl ? <CodeBadge code={t('members.control')} /> : null}
        </>
      ),
    },
    {
      key: 'why',
      head: t('members.why'),
      cell: (row) => (
        <>
          {reason(row.reason, row).meaning}{' '}
          {row.reason === undefined ? null : <CodeBadge code={row.reason} />}
        </>
      ),
    },
    {
      key: 'next',
      head: t('members.next'),
      cell: (row) => (
        <>
          {reason(row.reason, row).nextStep} <span className="hint">({actor(row.actor)})</span>
        </>
      ),
    },
    { key: 'since', head: t('members.since'), cell: ({ since }) => <TimeAgo at={since} /> },
  ];
}
