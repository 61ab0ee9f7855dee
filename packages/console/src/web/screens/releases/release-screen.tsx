import { Alert } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge } from '../../parts/badge.tsx';
import { PlainTable } from '../../parts/chart.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { ButtonLink, TextLink } from '../../parts/links.tsx';
import { Facts, Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { TimeAgo, useFormat } from '../../parts/time.tsx';
import { Dossier } from './dossier.tsx';

type Release = Answer<'getRelease'>;

/** A release: what it is, what owners read, and its dossier. */
export function ReleaseScreen(): ReactNode {
  const { releaseId = '' } = useParams({ strict: false });
  const read = useRead('getRelease', { params: { releaseId } });
  return <Loaded read={read}>{(release) => <Whole release={release} />}</Loaded>;
}

function Whole({ release }: { readonly release: Release }): ReactNode {
  const { t } = useTranslation('releases');
  const format = useFormat();
  const { releaseId, name, version, createdBy, createdAt, isSecurity, unusableSeconds } = release;
  return (
    <Page
      title={`${name} · ${version}`}
      trail={<TextLink to="/releases">{t('title')}</TextLink>}
      badge={isSecurity ? <Badge tone="warn">{t('security')}</Badge> : null}
      actions={
        <>
          <ButtonLink to="/releases/$releaseId/graph" params={{ releaseId }} variant="default">
            {t('graph')}
          </ButtonLink>
          <Block release={release} />
          <ButtonLink to="/campaigns/new" search={{ releaseId }}>
            {t('campaign')}
          </ButtonLink>
        </>
      }
    >
      {release.blockedBecause === undefined ? null : (
        <Alert color="vermilion" variant="light" role="alert">
          {t('blocked', { reason: release.blockedBecause })}
        </Alert>
      )}
      <div className="card">
        <Facts
          items={[
            [t('author'), createdBy],
            [t('created'), <TimeAgo key="created" at={createdAt} />],
            [t('unusable'), format.minutes(unusableSeconds / 60)],
          ]}
        />
      </div>
      <Dossier releaseId={releaseId} />
      <Images release={release} />
      <div className="columns">
        <Texts release={release} />
        <Rxswins release={release} />
      </div>
    </Page>
  );
}

function Images({ release }: { readonly release: Release }): ReactNode {
  const { t } = useTranslation('releases');
  const format = useFormat();
  const say = (needs: Release['images'][number]['requires']): string =>
    needs.map(({ hardwareId, images }) => `${hardwareId}: ${images.join(', ')}`).join('; ');
  return (
    <Section title={t('images')}>
      <PlainTable
        label={t('images')}
        head={[
          t('hardware'),
          t('image'),
          t('version'),
          t('size'),
          t('over'),
          t('needs'),
          t('clashes'),
        ]}
        rows={release.images.map((image) => [
          image.hardwareId,
          image.isGoal ? `${image.name} (${t('isGoal')})` : image.name,
          image.version,
          format.bytes(image.lengthBytes),
          image.installsOver?.join(', ') ?? t('anyOver'),
          say(image.requires),
          say(image.conflicts),
        ])}
      />
    </Section>
  );
}

function Texts({ release }: { readonly release: Release }): ReactNode {
  const { t } = useTranslation('releases');
  return (
    <Section title={t('texts')}>
      <dl className="facts">
        {Object.entries(release.description).map(([locale, text]) => (
          <div key={locale}>
            <dt>{locale}</dt>
            <dd lang={locale}>{text}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function Rxswins({ release }: { readonly release: Release }): ReactNode {
  const { t } = useTranslation('releases');
  return (
    <Section title={t('rxswins')}>
      {release.rxswins.length === 0 ? (
        <p className="hint">{t('rxswinNone')}</p>
      ) : (
        <PlainTable
          label={t('rxswins')}
          head={[t('regulation'), t('hardware'), t('before'), t('after')]}
          rows={release.rxswins.map(({ regulation, hardwareId, before, rxswin }) => [
            regulation,
            hardwareId,
            before ?? '–',
            rxswin,
          ])}
        />
      )}
    </Section>
  );
}

function Block({ release }: { readonly release: Release }): ReactNode {
  const { t } = useTranslation('releases');
  const [isAsking, setAsking] = useState(false);
  const block = useChange('blockRelease', ['getRelease', 'listCampaigns', 'getCampaign']);
  const isBlocked = release.blockedBecause !== undefined;
  const label = isBlocked ? t('unblock') : t('block');
  return (
    <>
      <ActButton
        route="blockRelease"
        variant="light"
        color={isBlocked ? 'petrol' : 'vermilion'}
        onClick={() => {
          setAsking(true);
        }}
      >
        {label}
      </ActButton>
      <ConfirmWithReason
        isOpen={isAsking}
        close={() => {
          setAsking(false);
        }}
        title={label}
        action={label}
        isDangerous={!isBlocked}
        reason="required"
        effect={isBlocked ? t('unblockEffect') : t('blockEffect')}
        carryOut={async (reason) =>
          await block.mutateAsync({
            params: { releaseId: release.releaseId },
            body: { isBlocked: !isBlocked, reason },
          })
        }
      />
    </>
  );
}
