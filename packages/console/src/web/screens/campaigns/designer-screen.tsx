import { Button, Select, TextInput } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useChange, useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { QueryEditor } from '../../parts/query-editor.tsx';
import { Loaded, ProblemCard } from '../../parts/states.tsx';
import { beginDraft, type Draft, draftOf, planOf } from './draft.ts';
import { GuardForm } from './guard-form.tsx';
import { PolicyForm } from './policy-form.tsx';
import { WavesForm } from './waves-form.tsx';

type Campaign = Answer<'getCampaign'>;

/** A new campaign; query and release may come with the address. */
export function NewCampaignScreen(): ReactNode {
  const { t } = useTranslation('campaigns');
  const [given] = useUrlState<'query' | 'releaseId'>();
  return <Designer title={t('design.new')} begin={beginDraft(given)} campaign={undefined} />;
}

/** A draft that is changed. */
export function ChangeCampaignScreen(): ReactNode {
  const { t } = useTranslation('campaigns');
  const { campaignId = '' } = useParams({ strict: false });
  const read = useRead('getCampaign', { params: { campaignId } });
  return (
    <Loaded read={read}>
      {(campaign) => (
        <Designer
          title={t('design.change', { name: campaign.name })}
          begin={draftOf(campaign)}
          campaign={campaign}
        />
      )}
    </Loaded>
  );
}

function Designer({
  title,
  begin,
  campaign,
}: {
  readonly title: string;
  readonly begin: Draft;
  readonly campaign: Campaign | undefined;
}): ReactNode {
  const { t } = useTranslation('campaigns');
  const [draft, setDraft] = useState(begin);
  const { save, error, isSaving } = useSave(draft, campaign);
  const change = (next: Partial<Draft>): void => {
    setDraft((before) => ({ ...before, ...next }));
  };
  const isWhole = draft.name.trim() !== '' && draft.releaseId !== '' && draft.query.trim() !== '';
  return (
    <Page
      title={title}
      lead={t('design.lead')}
      trail={<TextLink to="/campaigns">{t('title')}</TextLink>}
      actions={
        <>
          <Button
            variant="default"
            disabled={!isWhole}
            loading={isSaving}
            onClick={() => void save('')}
          >
            {t('design.save')}
          </Button>
          <ActButton
            route="rehearseCampaign"
            disabled={!isWhole}
            loading={isSaving}
            onClick={() => void save('rehearse')}
          >
            {t('design.saveRehearse')}
          </ActButton>
        </>
      }
    >
      {error === undefined ? null : <ProblemCard error={error} />}
      <What draft={draft} change={change} />
      <WavesForm draft={draft} change={change} />
      <div className="columns">
        <GuardForm draft={draft} change={change} />
        <PolicyForm draft={draft} change={change} />
      </div>
    </Page>
  );
}

/** Saves, and goes on to the rehearsal or to the campaign. */
function useSave(
  draft: Draft,
  campaign: Campaign | undefined,
): {
  readonly save: (then: 'rehearse' | '') => Promise<void>;
  readonly error: unknown;
  readonly isSaving: boolean;
} {
  const navigate = useNavigate();
  const create = useChange('createCampaign', ['listCampaigns', 'getCockpit']);
  const replace = useChange('changeCampaign', ['listCampaigns', 'getCampaign', 'getRehearsal']);
  const rehearse = useChange('rehearseCampaign', ['getRehearsal', 'getCampaign']);
  const save = async (then: 'rehearse' | ''): Promise<void> => {
    const body = planOf(draft, campaign?.policy);
    const { campaignId } =
      campaign === undefined
        ? await create.mutateAsync({ body })
        : await replace.mutateAsync({ params: { campaignId: campaign.campaignId }, body });
    const params = { campaignId };
    if (then === 'rehearse') await rehearse.mutateAsync({ params });
    await navigate({
      to: then === 'rehearse' ? '/campaigns/$campaignId/rehearsal' : '/campaigns/$campaignId',
      params,
    });
  };
  return {
    // A refusal is shown by the card above the form; there is nothing else to do with it.
    save: async (then) => {
      await save(then).catch(() => undefined);
    },
    error: create.error ?? replace.error ?? rehearse.error ?? undefined,
    isSaving: create.isPending || replace.isPending || rehearse.isPending,
  };
}

/** The part of a form that one section holds. */
export interface FormPart {
  readonly draft: Draft;
  readonly change: (next: Partial<Draft>) => void;
}

function What({ draft, change }: FormPart): ReactNode {
  const { t } = useTranslation('campaigns');
  const releases = useRead('listReleases', { query: { limit: 1000 } });
  const items = releases.data?.items ?? [];
  return (
    <Section title={t('design.what')}>
      <div className="stack">
        <div className="columns three">
          <TextInput
            label={t('name')}
            required
            maxLength={200}
            value={draft.name}
            onChange={({ currentTarget }) => {
              change({ name: currentTarget.value });
            }}
          />
          <Select
            label={t('design.release')}
            required
            searchable
            data={items.map(({ releaseId, name, version }) => ({
              value: releaseId,
              label: `${name} · ${version}`,
            }))}
            description={
              releases.data !== undefined && items.length === 0 ? t('design.noRelease') : undefined
            }
            value={draft.releaseId === '' ? null : draft.releaseId}
            onChange={(releaseId) => {
              change({ releaseId: releaseId ?? '' });
            }}
          />
          <TextInput
            label={t('design.filing')}
            maxLength={100}
            value={draft.filingNumber}
            onChange={({ currentTarget }) => {
              change({ filingNumber: currentTarget.value });
            }}
          />
        </div>
        <QueryEditor
          value={draft.query}
          onChange={(query) => {
            change({ query });
          }}
        />
      </div>
    </Section>
  );
}
