import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Page } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';

/** All releases, the newest first. */
export function ReleasesScreen(): ReactNode {
  const { t } = useTranslation('releases');
  const paging = usePaging();
  const { limit, after } = paging;
  const query = { limit, ...(after === undefined ? {} : { after }) };
  const read = useRead('listReleases', { query }, { keepsLast: true });
  return (
    <Page title={t('title')} lead={t('lead')}>
      <DataTable
        label={t('title')}
        read={read}
        paging={paging}
        rowKey={({ releaseId }) => releaseId}
        columns={[
          {
            key: 'name',
            head: t('name'),
            cell: ({ releaseId, name }) => (
              <TextLink to="/releases/$releaseId" params={{ releaseId }} fw={600} size="sm">
                {name}
              </TextLink>
            ),
          },
          { key: 'version', head: t('version'), cell: ({ version }) => version },
          {
            key: 'goal',
            head: t('goal'),
            cell: ({ goal }) => (
              <span className="row">
                {Object.values(goal).map((image) => (
                  <CodeBadge key={image} code={image} />
                ))}
              </span>
            ),
          },
          { key: 'author', head: t('author'), cell: ({ createdBy }) => createdBy },
          {
            key: 'created',
            head: t('created'),
            cell: ({ createdAt }) => <TimeAgo at={createdAt} />,
          },
        ]}
        empty={<Empty title={t('empty')}>{t('emptyHint')}</Empty>}
      />
    </Page>
  );
}
