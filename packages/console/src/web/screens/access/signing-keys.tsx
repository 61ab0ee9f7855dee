import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';

/** Keys with which people sign decisions. */
export function SigningKeys(): ReactNode {
  const { t } = useTranslation('access');
  const paging = usePaging();
  const { limit, after } = paging;
  const query = { limit, ...(after === undefined ? {} : { after }) };
  const read = useRead('listSigningKeys', { query }, { keepsLast: true });
  return (
    <DataTable
      label={t('tab.keys')}
      read={read}
      paging={paging}
      rowKey={({ keyId }) => keyId}
      columns={[
        { key: 'owner', head: t('owner'), cell: ({ owner }) => <strong>{owner}</strong> },
        { key: 'name', head: t('name'), cell: ({ name }) => name },
        { key: 'algorithm', head: t('algorithm'), cell: ({ algorithm }) => algorithm },
        {
          key: 'keyId',
          head: t('keyId'),
          cell: ({ keyId }) => (
            <span title={keyId}>
              <CodeBadge code={keyId.slice(0, 16)} />
            </span>
          ),
        },
        { key: 'created', head: t('created'), cell: ({ createdAt }) => <TimeAgo at={createdAt} /> },
        { key: 'state', head: t('state'), cell: (key) => <KeyState of={key} /> },
      ]}
      empty={<Empty title={t('emptyKeys')}>{t('emptyKeysHint')}</Empty>}
    />
  );
}

function KeyState({ of }: { readonly of: Item<'listSigningKeys'> }): ReactNode {
  const { t } = useTranslation('access');
  const [isAsking, setAsking] = useState(false);
  const revoke = useChange('revokeSigningKey', ['listSigningKeys']);
  const { keyId, name, revokedAt } = of;
  if (revokedAt !== undefined) return <Badge tone="bad">{t('revoked')}</Badge>;
  return (
    <>
      <ActButton
        route="revokeSigningKey"
        size="compact-sm"
        variant="light"
        color="vermilion"
        onClick={() => {
          setAsking(true);
        }}
      >
        {t('revoke')}
      </ActButton>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={t('revoke')}
        action={t('revoke')}
        isDangerous
        effect={t('revokeKeyEffect', { name })}
        carryOut={async () => await revoke.mutateAsync({ params: { keyId } })}
      />
    </>
  );
}
