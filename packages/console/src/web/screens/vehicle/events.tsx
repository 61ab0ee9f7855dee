import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { EventWords } from '../../parts/event-words.tsx';
import { Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty } from '../../parts/states.tsx';
import { Instant } from '../../parts/time.tsx';
import { showValue } from '../../parts/why-not-card.tsx';

/** Every event of the vehicle, as the record has them. */
export function Events({ vehicleId }: { readonly vehicleId: string }): ReactNode {
  const { t } = useTranslation('vehicle');
  const paging = usePaging();
  const { limit, after } = paging;
  const read = useRead(
    'listTimeline',
    { params: { vehicleId }, query: { limit, ...(after === undefined ? {} : { after }) } },
    { keepsLast: true },
  );
  return (
    <Section title={t('tab.events')}>
      <DataTable
        label={t('tab.events')}
        read={read}
        paging={paging}
        rowKey={({ sequence }) => String(sequence)}
        columns={[
          { key: 'at', head: t('event.at'), cell: ({ at }) => <Instant at={at} /> },
          { key: 'kind', head: t('event.kind'), cell: ({ kind }) => <EventWords kind={kind} /> },
          {
            key: 'body',
            head: t('event.body'),
            cell: ({ body }) => (
              <span className="row">
                {Object.entries(body).map(([name, value]) => (
                  <CodeBadge key={name} code={`${name}: ${showValue(value)}`} />
                ))}
              </span>
            ),
          },
        ]}
        empty={<Empty title={t('event.empty')} />}
      />
    </Section>
  );
}
