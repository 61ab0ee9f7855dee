import { Button, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Item } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { CodeBadge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Section } from '../../parts/page.tsx';
import { usePaging } from '../../parts/paging.ts';
import { Empty, Loaded, ProblemCard } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import { ToldOnce } from './told-once.tsx';

/** Webhooks: whom the cloud tells of what happens. */
export function Webhooks(): ReactNode {
  const { t } = useTranslation('access');
  const format = useFormat();
  const paging = usePaging();
  const { limit, after } = paging;
  const query = { limit, ...(after === undefined ? {} : { after }) };
  const read = useRead('listWebhooks', { query }, { keepsLast: true });
  return (
    <div className="stack">
      <Section title={t('makeWebhook')} hint={t('eventsHint')}>
        <MakeWebhook />
      </Section>
      <DataTable
        label={t('tab.webhooks')}
        read={read}
        paging={paging}
        rowKey={({ webhookId }) => webhookId}
        columns={[
          { key: 'url', head: t('url'), cell: ({ url }) => <strong>{url}</strong> },
          {
            key: 'events',
            head: t('events'),
            cell: ({ events }) => (
              <span className="row">
                {events.map((event) => (
                  <CodeBadge key={event} code={event} />
                ))}
              </span>
            ),
          },
          {
            key: 'last',
            head: t('last'),
            cell: ({ lastDeliveryAt, lastStatus }) => (
              <span className="row">
                <TimeAgo at={lastDeliveryAt} />
                {lastStatus === undefined ? null : <CodeBadge code={lastStatus} />}
              </span>
            ),
          },
          {
            key: 'waiting',
            head: t('waiting'),
            isNumber: true,
            cell: ({ waiting }) => format.number(waiting),
          },
          { key: 'act', head: '', cell: (webhook) => <WebhookActs webhook={webhook} /> },
        ]}
        empty={<Empty title={t('emptyWebhooks')}>{t('emptyWebhooksHint')}</Empty>}
      />
    </div>
  );
}

function MakeWebhook(): ReactNode {
  const { t } = useTranslation('access');
  const create = useChange('createWebhook', ['listWebhooks']);
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState('campaign.*');
  const kinds = events.split(',').flatMap((kind) => (kind.trim() === '' ? [] : [kind.trim()]));
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ body: { url, events: kinds } });
      }}
    >
      <div className="filters">
        <TextInput
          size="xs"
          miw={300}
          type="url"
          label={t('url')}
          required
          maxLength={2000}
          value={url}
          onChange={({ currentTarget }) => {
            setUrl(currentTarget.value);
          }}
        />
        <TextInput
          size="xs"
          miw={220}
          label={t('events')}
          required
          value={events}
          onChange={({ currentTarget }) => {
            setEvents(currentTarget.value);
          }}
        />
        <Button type="submit" size="xs" disabled={kinds.length === 0} loading={create.isPending}>
          {t('makeWebhook')}
        </Button>
      </div>
      {create.isError ? <ProblemCard error={create.error} /> : null}
      {create.data?.secret === undefined ? null : <ToldOnce secret={create.data.secret} />}
    </form>
  );
}

function WebhookActs({ webhook }: { readonly webhook: Item<'listWebhooks'> }): ReactNode {
  const { t } = useTranslation('access');
  const [asked, setAsked] = useState<'remove' | 'deliveries'>();
  const test = useChange('testWebhook', ['listDeliveries', 'listWebhooks']);
  const remove = useChange('deleteWebhook', ['listWebhooks']);
  const { webhookId, url } = webhook;
  const params = { webhookId };
  const close = (): void => {
    setAsked(undefined);
  };
  return (
    <span className="row">
      <ActButton
        route="testWebhook"
        size="compact-sm"
        variant="default"
        loading={test.isPending}
        onClick={() => {
          test.mutate({ params });
        }}
      >
        {test.data === undefined ? t('test') : t('tested', { state: test.data.state })}
      </ActButton>
      <ActButton
        route="listDeliveries"
        size="compact-sm"
        variant="default"
        onClick={() => {
          setAsked('deliveries');
        }}
      >
        {t('deliveries')}
      </ActButton>
      <ActButton
        route="deleteWebhook"
        size="compact-sm"
        variant="light"
        color="vermilion"
        onClick={() => {
          setAsked('remove');
        }}
      >
        {t('remove')}
      </ActButton>
      <ConfirmWithReason
        isOpen={asked === 'remove'}
        close={close}
        title={t('remove')}
        action={t('remove')}
        isDangerous
        effect={t('removeEffect', { url })}
        carryOut={async () => await remove.mutateAsync({ params })}
      />
      <ConfirmWithReason
        isOpen={asked === 'deliveries'}
        close={close}
        title={t('deliveries')}
        action={t('test')}
        effect={<Deliveries webhookId={webhookId} />}
        carryOut={async () => await test.mutateAsync({ params })}
      />
    </span>
  );
}

function Deliveries({ webhookId }: { readonly webhookId: string }): ReactNode {
  const read = useRead('listDeliveries', { params: { webhookId }, query: { limit: 50 } });
  return (
    <Loaded read={read}>
      {({ items }) => (
        <ul className="todo">
          {items.map(({ deliveryId, eventKind, state, status, problem, attempts, at }) => (
            <li key={deliveryId}>
              <CodeBadge code={eventKind} />
              <span className="grow">
                {`${state} · ${String(status ?? '–')} · ${String(attempts)}×`}{' '}
                {problem === undefined ? null : <span className="tone-bad">{problem}</span>}
              </span>
              <TimeAgo at={at} />
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
