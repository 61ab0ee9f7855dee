import { Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { CampaignBadge } from '../../parts/badge.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { ButtonLink, TextLink } from '../../parts/links.tsx';
import { Page } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Progress } from '../../parts/progress.tsx';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';

const STATES = ['planned', 'running', 'held', 'paused', 'finished', 'cancelled'] as const;

/** All campaigns, the newest first. */
export function CampaignsScreen(): ReactNode {
  const { t } = useTranslation('campaigns');
  const { t: states } = useTranslation('states');
  const [{ state }, change] = useUrlState<'state' | 'after' | 'page'>();
  const paging = usePaging();
  const { limit, after } = paging;
  const query = {
    limit,
    ...(state === undefined ? {} : { state }),
    ...(after === undefined ? {} : { after }),
  };
  const read = useRead('listCampaigns', { query }, { keepsLast: true });
  const plan = <ButtonLink to="/campaigns/new">{t('plan')}</ButtonLink>;
  return (
    <Page title={t('title')} lead={t('lead')} actions={plan}>
      <div className="filters">
        <Select
          label={t('state')}
          placeholder={t('any')}
          size="xs"
          clearable
          data={STATES.map((one) => ({ value: one, label: states(`campaign.${one}`) }))}
          value={state ?? null}
          onChange={(next) => {
            change({ state: next ?? undefined, after: undefined, page: undefined });
          }}
        />
      </div>
      <DataTable
        label={t('title')}
        read={read}
        paging={paging}
        rowKey={({ campaignId }) => campaignId}
        columns={[
          {
            key: 'name',
            head: t('name'),
            cell: ({ campaignId, name }) => (
              <TextLink to="/campaigns/$campaignId" params={{ campaignId }} fw={600} size="sm">
                {name}
              </TextLink>
            ),
          },
          { key: 'state', head: t('state'), cell: (row) => <CampaignBadge state={row.state} /> },
          { key: 'progress', head: t('progress'), cell: (row) => <Reached row={row} /> },
          { key: 'author', head: t('author'), cell: ({ createdBy }) => createdBy },
          {
            key: 'created',
            head: t('created'),
            cell: ({ createdAt }) => <TimeAgo at={createdAt} />,
          },
        ]}
        empty={
          <Empty title={t('empty')} action={plan}>
            {t('emptyHint')}
          </Empty>
        }
      />
    </Page>
  );
}

function Reached({ row }: { readonly row: Item<'listCampaigns'> }): ReactNode {
  const { t } = useTranslation('campaigns');
  const format = useFormat();
  const total = Object.values(row.counts).reduce((sum, one) => sum + one, 0);
  const updated = row.counts['updated'] ?? 0;
  const failed = row.counts['failed'] ?? 0;
  return (
    <div className="stack tight">
      <Progress
        total={total}
        parts={[
          { tone: 'good', value: updated },
          { tone: 'bad', value: failed },
        ]}
      />
      <span className="hint">
        {`${format.number(updated)} / ${format.number(total)}`}
        {failed === 0 ? '' : ` · ${t('failed')} ${format.number(failed)}`}
      </span>
    </div>
  );
}
