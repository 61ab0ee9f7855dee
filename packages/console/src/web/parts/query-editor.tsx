import { REASONS } from '@immota/api';
import { Select, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRead } from '../client/hooks.ts';
import { ask } from '../client/request.ts';
import type { Answer } from '../client/routes.ts';
import { addCondition, conditionFor, type Field, FIELDS } from './conditions.ts';
import { TextLink } from './links.tsx';
import { ProblemCard } from './states.tsx';
import { useFormat } from './time.tsx';
import { useQuery } from '@tanstack/react-query';

const WAIT_MS = 350;
const SAMPLE = 6;

/** A fleet query being written: conditions from lists, and at once how many vehicles it means. */
export function QueryEditor({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (query: string) => void;
}): ReactNode {
  const { t } = useTranslation('fleet');
  return (
    <div className="stack tight">
      <Conditions
        add={(condition) => {
          onChange(addCondition(value, condition));
        }}
      />
      <Textarea
        label={t('query')}
        description={t('queryHint')}
        placeholder={t('queryEmpty')}
        autosize
        minRows={2}
        maxRows={10}
        maxLength={4000}
        spellCheck={false}
        classNames={{ input: 'mono' }}
        value={value}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.value);
        }}
      />
      <QueryCount query={value} />
    </div>
  );
}

function Conditions({ add }: { readonly add: (condition: string) => void }): ReactNode {
  const { t } = useTranslation('fleet');
  const facets = useRead('listFacets', {});
  const [field, setField] = useState<Field>('model');
  const values = facets.data === undefined ? [] : valuesOf(facets.data, field);
  return (
    <div className="filters">
      <Select
        label={t('field')}
        size="xs"
        w={170}
        allowDeselect={false}
        data={FIELDS.map((one) => ({ value: one, label: t(`fields.${one}`) }))}
        value={field}
        onChange={(chosen) => {
          const found = FIELDS.find((one) => one === chosen);
          if (found !== undefined) setField(found);
        }}
      />
      <Select
        key={field}
        label={t('value')}
        size="xs"
        w={300}
        searchable
        limit={100}
        data={values}
        value={null}
        onChange={(chosen) => {
          if (chosen !== null) add(conditionFor(field, chosen));
        }}
      />
    </div>
  );
}

function valuesOf(facets: Answer<'listFacets'>, field: Field): readonly string[] {
  const { models, markets, hardware, images, tags, rxswins } = facets;
  const found = {
    model: () => models.map(({ value }) => value),
    market: () => markets.map(({ value }) => value),
    hardware: () => hardware.map(({ value }) => value),
    image: () => images.map(({ value }) => value),
    rxswin: () => rxswins.map(({ value }) => value),
    reason: () => Object.keys(REASONS),
    silent: () => ['1', '7', '30', '90'],
    tag: () =>
      tags.flatMap(({ name, values }) =>
        values.length === 0 ? [name] : values.map((value) => `${name}=${value}`),
      ),
  }[field]();
  return [...new Set(found)].filter((value) => value !== '');
}

/** How many vehicles a query means, while it is written. */
function QueryCount({ query }: { readonly query: string }): ReactNode {
  const { t } = useTranslation('fleet');
  const format = useFormat();
  const [asked] = useDebouncedValue(query.trim() === '' ? 'true' : query.trim(), WAIT_MS);
  const input = { body: { query: asked, sample: SAMPLE } };
  const count = useQuery({
    queryKey: ['countFleet', input],
    queryFn: async ({ signal }) => await ask('countFleet', input, signal),
    placeholderData: (before) => before,
    retry: false,
  });
  if (count.isError) return <ProblemCard error={count.error} />;
  if (count.data === undefined) return <span className="hint">{t('counting')}</span>;
  const { vehicles, isExact, sample, elapsedMs } = count.data;
  const shown = format.number(vehicles);
  return (
    <div className={count.isPlaceholderData ? 'row faint' : 'row'} aria-live="polite">
      <strong>
        {isExact ? t('matches', { count: vehicles, shown }) : t('atLeast', { shown })}
      </strong>
      <span className="hint">{t('took', { ms: format.number(Math.round(elapsedMs)) })}</span>
      {sample.length === 0 ? null : (
        <span className="hint">
          {t('sample')}{' '}
          {sample.map(({ vehicleId, vin }) => (
            <span key={vehicleId}>
              <TextLink to="/vehicles/$vehicleId" params={{ vehicleId }} size="xs">
                {vin ?? vehicleId}
              </TextLink>{' '}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}
