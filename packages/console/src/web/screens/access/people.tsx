import { Button, TextInput } from '@mantine/core';
import type { ApiRole } from '@immota/api';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty, ProblemCard } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { RoleSelect } from './role-select.tsx';
import { ToldOnce } from './told-once.tsx';

type Person = Item<'listUsers'>;

/** The people of the tenant. */
export function People(): ReactNode {
  const { t } = useTranslation('access');
  const { t: states } = useTranslation('states');
  const paging = usePaging();
  const { limit, after } = paging;
  const query = { limit, ...(after === undefined ? {} : { after }) };
  const read = useRead('listUsers', { query }, { keepsLast: true });
  return (
    <div className="stack">
      <Section title={t('invite')} hint={t('inviteHint')}>
        <Invite />
      </Section>
      <DataTable
        label={t('tab.people')}
        read={read}
        paging={paging}
        rowKey={({ userId }) => userId}
        columns={[
          {
            key: 'name',
            head: t('name'),
            cell: ({ name, email }) => (
              <>
                <strong>{name}</strong>
                <div className="hint">{email}</div>
              </>
            ),
          },
          { key: 'role', head: t('role'), cell: ({ role }) => states(`role.${role}`) },
          {
            key: 'scope',
            head: t('scope'),
            cell: ({ scope }) =>
              scope === undefined ? t('allVehicles') : <CodeBadge code={scope} />,
          },
          {
            key: 'state',
            head: t('state'),
            cell: ({ isDisabled }) => (
              <Badge tone={isDisabled ? 'bad' : 'good'}>
                {isDisabled ? t('barred') : t('active')}
              </Badge>
            ),
          },
          { key: 'seen', head: t('seen'), cell: ({ lastSeenAt }) => <TimeAgo at={lastSeenAt} /> },
          { key: 'act', head: '', cell: (person) => <PersonActs person={person} /> },
        ]}
        empty={<Empty title={t('emptyPeople')} />}
      />
    </div>
  );
}

function Invite(): ReactNode {
  const { t } = useTranslation('access');
  const create = useChange('createUser', ['listUsers']);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [scope, setScope] = useState('');
  const [role, setRole] = useState<ApiRole>('viewer');
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        const given = scope.trim() === '' ? {} : { scope: scope.trim() };
        create.mutate({ body: { name, email, role, ...given } });
      }}
    >
      <TextInput
        size="xs"
        label={t('name')}
        required
        maxLength={200}
        value={name}
        onChange={({ currentTarget }) => {
          setName(currentTarget.value);
        }}
      />
      <TextInput
        size="xs"
        type="email"
        label={t('email')}
        required
        maxLength={320}
        value={email}
        onChange={({ currentTarget }) => {
          setEmail(currentTarget.value);
        }}
      />
      <RoleSelect value={role} onChange={setRole} />
      <TextInput
        size="xs"
        miw={220}
        label={t('scope')}
        placeholder={t('allVehicles')}
        maxLength={4000}
        value={scope}
        onChange={({ currentTarget }) => {
          setScope(currentTarget.value);
        }}
      />
      <Button type="submit" size="xs" loading={create.isPending}>
        {t('invite')}
      </Button>
      {create.isError ? <ProblemCard error={create.error} /> : null}
      {create.data?.invitation === undefined ? null : <ToldOnce secret={create.data.invitation} />}
    </form>
  );
}

function PersonActs({ person }: { readonly person: Person }): ReactNode {
  const { t } = useTranslation('access');
  const [asked, setAsked] = useState<'change' | 'bar'>();
  const change = useChange('changeUser', ['listUsers']);
  const [role, setRole] = useState<ApiRole>(person.role);
  const [scope, setScope] = useState(person.scope ?? '');
  const { userId, name, isDisabled } = person;
  const params = { userId };
  const label = isDisabled ? t('unbar') : t('bar');
  const close = (): void => {
    setAsked(undefined);
  };
  return (
    <span className="row">
      <ActButton
        route="changeUser"
        size="compact-sm"
        variant="default"
        onClick={() => {
          setAsked('change');
        }}
      >
        {t('change')}
      </ActButton>
      <ActButton
        route="changeUser"
        size="compact-sm"
        variant="light"
        color={isDisabled ? 'petrol' : 'vermilion'}
        onClick={() => {
          setAsked('bar');
        }}
      >
        {label}
      </ActButton>
      <ConfirmWithReason
        isOpen={asked === 'bar'}
        close={close}
        title={label}
        action={label}
        isDangerous={!isDisabled}
        effect={isDisabled ? t('unbarEffect', { name }) : t('barEffect', { name })}
        carryOut={async () =>
          await change.mutateAsync({ params, body: { isDisabled: !isDisabled } })
        }
      />
      <ConfirmWithReason
        isOpen={asked === 'change'}
        close={close}
        title={`${t('change')}: ${name}`}
        action={t('change')}
        effect={
          <div className="stack tight">
            <RoleSelect value={role} onChange={setRole} />
            <TextInput
              size="xs"
              label={t('scope')}
              placeholder={t('allVehicles')}
              maxLength={4000}
              value={scope}
              onChange={({ currentTarget }) => {
                setScope(currentTarget.value);
              }}
            />
          </div>
        }
        carryOut={async () =>
          await change.mutateAsync({
            params,
            body: { role, scope: scope.trim() === '' ? null : scope.trim() },
          })
        }
      />
    </span>
  );
}
