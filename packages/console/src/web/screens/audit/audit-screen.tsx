import { Alert, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { addressOf } from '../../client/address.ts';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { CodeBadge } from '../../parts/badge.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { EventWords } from '../../parts/event-words.tsx';
import { Page } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty, ProblemCard } from '../../parts/states.tsx';
import { Instant, useFormat } from '../../parts/time.tsx';
import { showValue } from '../../parts/why-not-card.tsx';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
type Filter = 'kind' | 'by' | 'from' | 'to';

/** Who changed what, and whether the log is as it was written. */
export function AuditScreen(): ReactNode {
  const { t } = useTranslation('audit');
  const [state, change] = useUrlState<Filter | 'after' | 'page'>();
  const paging = usePaging();
  const columns = useColumns();
  const { limit, after } = paging;
  const { kind, by, from, to } = state;
  const query = {
    limit,
    ...(after === undefined ? {} : { after }),
    // The label says how it is meant: whatever begins so.
    ...(kind === undefined ? {} : { kind: kind.endsWith('*') ? kind : `${kind}*` }),
    ...(by === undefined ? {} : { by }),
    ...(from !== undefined && DATE.test(from) ? { from: `${from}T00:00:00Z` } : {}),
    ...(to !== undefined && DATE.test(to) ? { to: `${to}T23:59:59Z` } : {}),
  };
  const read = useRead('listAudit', { query }, { keepsLast: true });
  const set = (name: Filter, value: string): void => {
    change({ [name]: value, after: undefined, page: undefined }, true);
  };
  return (
    <Page title={t('title')} lead={t('lead')} actions={<Verify />}>
      <div className="filters">
        <TextInput
          size="xs"
          label={t('kind')}
          maxLength={100}
          value={kind ?? ''}
          onChange={({ currentTarget }) => {
            set('kind', currentTarget.value);
          }}
        />
        <TextInput
          size="xs"
          label={t('by')}
          maxLength={200}
          value={by ?? ''}
          onChange={({ currentTarget }) => {
            set('by', currentTarget.value);
          }}
        />
        <TextInput
          size="xs"
          type="date"
          label={`${t('from')} (UTC)`}
          value={from ?? ''}
          onChange={({ currentTarget }) => {
            set('from', currentTarget.value);
          }}
        />
        <TextInput
          size="xs"
          type="date"
          label={`${t('to')} (UTC)`}
          value={to ?? ''}
          onChange={({ currentTarget }) => {
            set('to', currentTarget.value);
          }}
        />
      </div>
      <DataTable
        label={t('title')}
        read={read}
        columns={columns}
        paging={paging}
        rowKey={({ stream, sequence }) => `${stream} ${String(sequence)}`}
        exportAddress={addressOf('exportAudit', { query: { format: 'csv' } })}
        empty={<Empty title={t('empty')}>{t('emptyHint')}</Empty>}
      />
    </Page>
  );
}

function Verify(): ReactNode {
  const { t } = useTranslation('audit');
  const format = useFormat();
  const verify = useChange('verifyAudit', []);
  const verdict = verify.data;
  return (
    <>
      {verify.isError ? <ProblemCard error={verify.error} /> : null}
      {verdict === undefined ? null : (
        <Alert
          py={6}
          variant="light"
          role="status"
          color={verdict.isIntact ? 'petrol' : 'vermilion'}
          title={verdict.isIntact ? undefined : t('broken')}
        >
          {verdict.isIntact
            ? t('intact', {
                checked: format.number(verdict.checked),
                head: verdict.head.slice(0, 12),
              })
            : verdict.problem}
        </Alert>
      )}
      <ActButton
        route="verifyAudit"
        loading={verify.isPending}
        onClick={() => {
          verify.mutate({});
        }}
      >
        {t('verify')}
      </ActButton>
    </>
  );
}

function useColumns(): readonly Column<Item<'listAudit'>>[] {
  const { t } = useTranslation('audit');
  return [
    { key: 'at', head: t('at'), cell: ({ at }) => <Instant at={at} /> },
    { key: 'what', head: t('what'), cell: ({ kind }) => <EventWords kind={kind} /> },
    { key: 'by', head: t('by'), cell: ({ body }) => showValue(body['by'] ?? '') },
    {
      key: 'details',
      head: t('details'),
      cell: ({ body }) => (
        <span className="row">
          {Object.entries(body)
            .filter(([name]) => name !== 'by')
            .map(([name, value]) => (
              <CodeBadge key={name} code={`${name}: ${showValue(value)}`} />
            ))}
        </span>
      ),
    },
    { key: 'hash', head: t('hash'), cell: ({ hash }) => <CodeBadge code={hash.slice(0, 12)} /> },
  ];
}
