import { type ReactNode, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge, CodeBadge } from '../../parts/badge.tsx';
import { nowMs } from '../../parts/browser-clock.ts';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import { expiryOf } from './expiry.ts';
import { PublishMetadata } from './publish-metadata.tsx';

type Overview = Answer<'getKeys'>;

/** What is typed: where the data folder is, where each key is, and where the data folder is again. */
const CEREMONY = [
  'immota image sign --request targets.request.json',
  'immota key sign targets.request.json --key NAME --out NAME.sig',
  'immota key import targets.request.json NAME.sig --out signed',
].join('\n');

/** Roles, keys and authorities, until when they hold, and how they are renewed. */
export function KeysScreen(): ReactNode {
  const { t } = useTranslation('keys');
  const read = useRead('getKeys', {});
  const renew = useChange('renewMetadata', ['getKeys']);
  const [isAsking, setAsking] = useState(false);
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <ActButton
          route="renewMetadata"
          variant="default"
          onClick={() => {
            setAsking(true);
          }}
        >
          {t('renew')}
        </ActButton>
      }
    >
      <Loaded read={read} lines={10}>
        {(overview) => <Whole overview={overview} />}
      </Loaded>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={t('renew')}
        action={t('renew')}
        effect={t('renewEffect')}
        carryOut={async () => await renew.mutateAsync({})}
      />
    </Page>
  );
}

function Whole({ overview }: { readonly overview: Overview }): ReactNode {
  const { t } = useTranslation('keys');
  return (
    <>
      <div className="columns">
        {(['director', 'image'] as const).map((repository) => (
          <Roles
            key={repository}
            title={t(repository)}
            roles={overview.roles.filter((role) => role.repository === repository)}
          />
        ))}
      </div>
      <div className="columns">
        <Section title={t('ceremony')} hint={t('ceremonyHint')}>
          <div className="stack">
            <code className="effect mono prewrap">{CEREMONY}</code>
            <p className="hint">{t('ceremonyEnd')}</p>
            <PublishMetadata />
          </div>
        </Section>
        <Certificates overview={overview} />
      </div>
    </>
  );
}

function Roles({
  title,
  roles,
}: {
  readonly title: string;
  readonly roles: Overview['roles'];
}): ReactNode {
  const { t } = useTranslation('keys');
  const now = nowMs();
  return (
    <Section title={title}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keys */}
      <div className="table-box short" role="region" aria-label={title} tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              {(['role', 'keys', 'threshold', 'kept', 'expires'] as const).map((name) => (
                <th key={name} scope="col">
                  {t(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {roles.map(({ role, version, keys, threshold, isOnline, expiresAt }) => {
              const { kind, tone } = expiryOf(expiresAt, now);
              return (
                <tr key={role}>
                  <td>
                    <strong>{role}</strong> <span className="hint">{`v${String(version)}`}</span>
                  </td>
                  <td>
                    {keys.map(({ keyId, algorithm }) => (
                      <div key={keyId} title={keyId}>
                        <CodeBadge code={`${algorithm} ${keyId.slice(0, 8)}`} />
                      </div>
                    ))}
                  </td>
                  <td>{t('of', { threshold, keys: keys.length })}</td>
                  <td>{isOnline ? t('online') : t('offline')}</td>
                  <td>
                    <TimeAgo at={expiresAt} />{' '}
                    {kind === 'far' ? null : <Badge tone={tone}>{t(kind)}</Badge>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Certificates({ overview }: { readonly overview: Overview }): ReactNode {
  const { t } = useTranslation('keys');
  const format = useFormat();
  const { certificates, authorities, revoked } = overview;
  const option = useCallback<ChartProps['option']>(
    (colours) => ({
      xAxis: {
        type: 'category',
        data: certificates.map(({ month }) => month),
        axisLabel: { color: colours.faint },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        splitLine: { lineStyle: { color: colours.line } },
        axisLabel: { color: colours.faint, formatter: (value: number) => format.number(value) },
      },
      series: [
        {
          type: 'bar',
          barMaxWidth: 42,
          itemStyle: { borderRadius: [4, 4, 0, 0] },
          data: certificates.map(({ count }) => count),
        },
      ],
    }),
    [certificates, format],
  );
  return (
    <Section title={t('certificates')} hint={`${t('revoked')}: ${format.number(revoked)}`}>
      <Chart
        label={t('certificatesLabel')}
        option={option}
        height={180}
        table={{
          head: [t('month'), t('count')],
          rows: certificates.map(({ month, count }) => [month, format.number(count)]),
        }}
      />
      <ul className="todo">
        {authorities.map(({ name, serial, notAfter }) => (
          <li key={serial}>
            <strong className="grow">{name}</strong>
            <CodeBadge code={serial} />
            <TimeAgo at={notAfter} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
