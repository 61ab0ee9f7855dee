import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Page } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty } from '../../parts/states.tsx';
import { Instant, useFormat } from '../../parts/time.tsx';

type Entry = Item<'listRxswins'>;

/** The register: which software stands behind each RXSWIN, before and after. */
export function RxswinScreen(): ReactNode {
  const { t } = useTranslation('rxswin');
  const [{ regulation, rxswin }, change] = useUrlState<
    'regulation' | 'rxswin' | 'after' | 'page'
  >();
  const paging = usePaging();
  const { limit, after } = paging;
  const columns = useColumns();
  const query = {
    limit,
    ...(after === undefined ? {} : { after }),
    ...(regulation === undefined ? {} : { regulation }),
    ...(rxswin === undefined ? {} : { rxswin }),
  };
  const read = useRead('listRxswins', { query }, { keepsLast: true });
  const set = (next: { readonly regulation?: string; readonly rxswin?: string }): void => {
    change({ ...next, after: undefined, page: undefined }, true);
  };
  return (
    <Page title={t('title')} lead={t('lead')}>
      <div className="filters">
        <TextInput
          size="xs"
          label={t('regulation')}
          maxLength={20}
          value={regulation ?? ''}
          onChange={({ currentTarget }) => {
            set({ regulation: currentTarget.value });
          }}
        />
        <TextInput
          size="xs"
          label={t('rxswin')}
          maxLength={100}
          value={rxswin ?? ''}
          onChange={({ currentTarget }) => {
            set({ rxswin: currentTarget.value });
          }}
        />
      </div>
      <DataTable
        label={t('title')}
        read={read}
        columns={columns}
        paging={paging}
        rowKey={({ sequence }) => String(sequence)}
        empty={<Empty title={t('empty')}>{t('emptyHint')}</Empty>}
      />
    </Page>
  );
}

function useColumns(): readonly Column<Entry>[] {
  const { t } = useTranslation('rxswin');
  const format = useFormat();
  return [
    { key: 'regulation', head: t('regulation'), cell: ({ regulation }) => regulation },
    { key: 'rxswin', head: t('rxswin'), cell: ({ rxswin }) => <strong>{rxswin}</strong> },
    { key: 'before', head: t('before'), cell: ({ before }) => before ?? '–' },
    {
      key: 'release',
      head: t('release'),
      cell: ({ releaseId, releaseName }) => (
        <TextLink to="/releases/$releaseId" params={{ releaseId }} size="sm">
          {releaseName}
        </TextLink>
      ),
    },
    { key: 'approval', head: t('approval'), cell: ({ approvalNumber }) => approvalNumber ?? '–' },
    {
      key: 'softwareBefore',
      head: t('softwareBefore'),
      cell: ({ softwareBefore }) => <Software of={softwareBefore} />,
    },
    { key: 'software', head: t('software'), cell: ({ software }) => <Software of={software} /> },
    {
      key: 'vehicles',
      head: t('vehicles'),
      isNumber: true,
      cell: ({ vehicles }) => format.number(vehicles),
    },
    {
      key: 'disagreeing',
      head: t('disagreeing'),
      isNumber: true,
      cell: ({ disagreeing }) => (
        <span className={disagreeing > 0 ? 'tone-bad' : ''}>{format.number(disagreeing)}</span>
      ),
    },
    { key: 'since', head: t('since'), cell: ({ since }) => <Instant at={since} /> },
  ];
}

function Software({ of }: { readonly of: Entry['software'] }): ReactNode {
  return (
    <span className="stack tight">
      {of.map(({ hardwareId, image, version, sha256 }) => (
        <span key={`${hardwareId} ${image}`} title={sha256}>
          <CodeBadge code={`${image} · ${version}`} />
        </span>
      ))}
    </span>
  );
}
