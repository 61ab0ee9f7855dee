import { Button, TextInput } from '@mantine/core';
import type { ApiRole } from '@immota/api';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { NumberField } from '../../parts/number-field.tsx';
import { Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty, ProblemCard } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { RoleSelect } from './role-select.tsx';
import { ToldOnce } from './told-once.tsx';

const TTL_DAYS = 90;
const TTL_DAYS_MAX = 3650;

/** API tokens: made, told once, revoked. */
export function Tokens(): ReactNode {
  const { t } = useTranslation('access');
  const { t: states } = useTranslation('states');
  const paging = usePaging();
  const { limit, after } = paging;
  const query = { limit, ...(after === undefined ? {} : { after }) };
  const read = useRead('listTokens', { query }, { keepsLast: true });
  return (
    <div className="stack">
      <Section title={t('makeToken')}>
        <MakeToken />
      </Section>
      <DataTable
        label={t('tab.tokens')}
        read={read}
        paging={paging}
        rowKey={({ name, createdAt }) => `${name} ${createdAt}`}
        columns={[
          { key: 'name', head: t('name'), cell: ({ name }) => <strong>{name}</strong> },
          { key: 'role', head: t('role'), cell: ({ role }) => states(`role.${role}`) },
          { key: 'scope', head: t('scope'), cell: ({ scope }) => scope ?? t('allVehicles') },
          {
            key: 'created',
            head: t('created'),
            cell: ({ createdAt }) => <TimeAgo at={createdAt} />,
          },
          {
            key: 'expires',
            head: t('expires'),
            cell: ({ expiresAt }) => <TimeAgo at={expiresAt} />,
          },
          { key: 'state', head: t('state'), cell: (token) => <TokenState token={token} /> },
        ]}
        empty={<Empty title={t('emptyTokens')}>{t('emptyTokensHint')}</Empty>}
      />
    </div>
  );
}

function MakeToken(): ReactNode {
  const { t } = useTranslation('access');
  const create = useChange('createToken', ['listTokens']);
  const [name, setName] = useState('');
  const [role, setRole] = useState<ApiRole>('viewer');
  const [ttlDays, setTtlDays] = useState(TTL_DAYS);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ body: { name, role, ttlDays } });
      }}
    >
      <div className="filters">
        <TextInput
          size="xs"
          label={t('name')}
          required
          maxLength={100}
          value={name}
          onChange={({ currentTarget }) => {
            setName(currentTarget.value);
          }}
        />
        <RoleSelect value={role} onChange={setRole} />
        <NumberField
          label={t('days')}
          value={ttlDays}
          min={1}
          max={TTL_DAYS_MAX}
          onChange={setTtlDays}
        />
        <Button type="submit" size="xs" loading={create.isPending}>
          {t('makeToken')}
        </Button>
      </div>
      {create.isError ? <ProblemCard error={create.error} /> : null}
      {create.data === undefined ? null : <ToldOnce secret={create.data.token} />}
    </form>
  );
}

function TokenState({ token }: { readonly token: Item<'listTokens'> }): ReactNode {
  const { t } = useTranslation('access');
  const [isAsking, setAsking] = useState(false);
  const revoke = useChange('revokeToken', ['listTokens']);
  const { name, revokedAt } = token;
  if (revokedAt !== undefined) return <Badge tone="bad">{t('revoked')}</Badge>;
  return (
    <>
      <ActButton
        route="revokeToken"
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
        effect={t('revokeTokenEffect', { name })}
        carryOut={async () => await revoke.mutateAsync({ params: { name } })}
      />
    </>
  );
}
