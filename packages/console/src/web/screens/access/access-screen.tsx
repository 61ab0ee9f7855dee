import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../../app/session.tsx';
import { useUrlState } from '../../app/url-state.ts';
import type { RouteName } from '../../client/routes.ts';
import { CodeBadge } from '../../parts/badge.tsx';
import { Facts, Page, Section } from '../../parts/page.tsx';
import { Instant } from '../../parts/time.tsx';
import { People } from './people.tsx';
import { SigningKeys } from './signing-keys.tsx';
import { Tokens } from './tokens.tsx';
import { Webhooks } from './webhooks.tsx';

const TABS: readonly {
  readonly id: 'me' | 'people' | 'tokens' | 'keys' | 'webhooks';
  readonly needs: RouteName;
}[] = [
  { id: 'people', needs: 'listUsers' },
  { id: 'tokens', needs: 'listTokens' },
  { id: 'keys', needs: 'listSigningKeys' },
  { id: 'webhooks', needs: 'listWebhooks' },
  { id: 'me', needs: 'getSession' },
];

/** People, tokens, signing keys and webhooks of the tenant, and what I may myself. */
export function AccessScreen(): ReactNode {
  const { t } = useTranslation('access');
  const { operations, tenantName } = useSession();
  const [{ tab }, change] = useUrlState<'tab' | 'after' | 'page'>();
  const shown = TABS.filter(({ needs }) => operations.includes(needs));
  const current = (shown.find(({ id }) => id === tab) ?? shown[0])?.id ?? 'me';
  return (
    <Page title={t('title')} lead={t('lead', { tenant: tenantName })}>
      <Tabs
        value={current}
        keepMounted={false}
        onChange={(next) => {
          change({ tab: next ?? undefined, after: undefined, page: undefined }, true);
        }}
      >
        <Tabs.List mb="md">
          {shown.map(({ id }) => (
            <Tabs.Tab key={id} value={id}>
              {t(`tab.${id}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="people">
          <People />
        </Tabs.Panel>
        <Tabs.Panel value="tokens">
          <Tokens />
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <SigningKeys />
        </Tabs.Panel>
        <Tabs.Panel value="webhooks">
          <Webhooks />
        </Tabs.Panel>
        <Tabs.Panel value="me">
          <Me />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Me(): ReactNode {
  const { t } = useTranslation('access');
  const { t: states } = useTranslation('states');
  const session = useSession();
  return (
    <Section title={t('tab.me')}>
      <div className="stack">
        <Facts
          items={[
            [t('name'), session.name],
            [t('email'), session.email ?? '–'],
            [t('role'), states(`role.${session.role}`)],
            [t('tenant'), session.tenantName],
            [t('scope'), session.scope ?? t('allVehicles')],
            [t('sessionEnds'), <Instant key="ends" at={session.expiresAt} />],
          ]}
        />
        <div>
          <div className="hint">{t('operations')}</div>
          <div className="chips">
            {session.operations.map((operation) => (
              <CodeBadge key={operation} code={operation} />
            ))}
          </div>
        </div>
      </div>
    </Section>
  );
}
