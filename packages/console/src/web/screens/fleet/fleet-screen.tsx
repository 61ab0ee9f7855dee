import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { addressOf } from '../../client/address.ts';
import { useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { DataTable, type DataTableProps } from '../../parts/data-table.tsx';
import { ButtonLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { QueryEditor } from '../../parts/query-editor.tsx';
import { Empty } from '../../parts/states.tsx';
import { useVehicleColumns } from './vehicle-columns.tsx';

const SORTS = ['vehicleId', 'lastSeenAt', '-lastSeenAt', 'model', 'market'] as const;
type Sort = (typeof SORTS)[number];

/** Every vehicle, by a query that stands in the address. */
export function FleetScreen(): ReactNode {
  const { t } = useTranslation('fleet');
  const [state, change] = useUrlState<'query' | 'search' | 'sort' | 'after' | 'page'>();
  const [draft, setDraft] = useState(state.query ?? '');
  const query = state.query ?? '';
  const isChanged = draft.trim() !== query;
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <ButtonLink to="/campaigns/new" search={{ query: draft }} variant="default">
          {t('campaign')}
        </ButtonLink>
      }
    >
      <Section title={t('query')}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            change({ query: draft.trim(), after: undefined, page: undefined });
          }}
        >
          <QueryEditor value={draft} onChange={setDraft} />
          <div className="filters">
            <TextInput
              label={t('search')}
              leftSection={<IconSearch size={14} aria-hidden />}
              value={state.search ?? ''}
              maxLength={64}
              onChange={({ currentTarget }) => {
                change({ search: currentTarget.value, after: undefined, page: undefined }, true);
              }}
            />
            <Button type="submit" disabled={!isChanged}>
              {t('apply')}
            </Button>
          </div>
        </form>
      </Section>
      <Vehicles query={query} search={state.search} sort={sortOf(state.sort)} />
    </Page>
  );
}

function sortOf(text: string | undefined): Sort {
  return SORTS.find((one) => one === text) ?? 'vehicleId';
}

function Vehicles({
  query,
  search,
  sort,
}: {
  readonly query: string;
  readonly search: string | undefined;
  readonly sort: Sort;
}): ReactNode {
  const { t } = useTranslation('fleet');
  const [, change] = useUrlState<'sort' | 'after' | 'page'>();
  const paging = usePaging();
  const columns = useVehicleColumns();
  const asked = useMemo(
    () => ({
      sort,
      limit: paging.limit,
      ...(query === '' ? {} : { query }),
      ...(search === undefined ? {} : { search }),
      ...(paging.after === undefined ? {} : { after: paging.after }),
    }),
    [query, search, sort, paging.limit, paging.after],
  );
  const read = useRead('listFleet', { query: asked }, { keepsLast: true });
  const sorting: DataTableProps<Item<'listFleet'>>['sorting'] = {
    sort,
    setSort: (next) => {
      change({ sort: next === 'vehicleId' ? undefined : next, after: undefined, page: undefined });
    },
  };
  return (
    <DataTable
      label={t('title')}
      read={read}
      columns={columns}
      rowKey={({ vehicleId }) => vehicleId}
      paging={paging}
      sorting={sorting}
      empty={<Empty title={t('empty')}>{t('emptyHint')}</Empty>}
      exportAddress={addressOf('exportFleet', { query: query === '' ? {} : { query } })}
    />
  );
}
