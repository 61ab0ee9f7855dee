import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../../client/hooks.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Section } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { Instant } from '../../parts/time.tsx';
import { useActor } from '../../parts/why-not-card.tsx';

/** What the owner answered, bound to the exact text by its hash. */
export function Consents({ vehicleId }: { readonly vehicleId: string }): ReactNode {
  const { t } = useTranslation('vehicle');
  const actorName = useActor();
  const read = useRead('listConsents', { params: { vehicleId } });
  return (
    <Section title={t('tab.consents')}>
      <DataTable
        label={t('tab.consents')}
        read={read}
        rowKey={({ correlationId, step, decidedAt }) => `${correlationId} ${step} ${decidedAt}`}
        columns={[
          {
            key: 'at',
            head: t('consent.decided'),
            cell: ({ decidedAt }) => <Instant at={decidedAt} />,
          },
          { key: 'step', head: t('consent.step'), cell: ({ step }) => step },
          {
            key: 'decision',
            head: t('consent.decision'),
            cell: ({ decision }) => <strong>{decision}</strong>,
          },
          { key: 'actor', head: t('consent.actor'), cell: ({ actor }) => actorName(actor) },
          { key: 'locale', head: t('consent.locale'), cell: ({ locale }) => locale },
          {
            key: 'text',
            head: t('consent.text'),
            cell: ({ textSha256 }) => <CodeBadge code={textSha256.slice(0, 16)} />,
          },
        ]}
        empty={<Empty title={t('consent.empty')}>{t('consent.emptyHint')}</Empty>}
      />
    </Section>
  );
}
