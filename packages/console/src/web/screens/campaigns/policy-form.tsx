import { Checkbox, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NumberField } from '../../parts/number-field.tsx';
import { Section } from '../../parts/page.tsx';
import type { FormPart } from './designer-screen.tsx';

/** Of `2026-12-31T23:59`; some browsers add seconds. */
const MINUTE_LENGTH = 16;
const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const NETWORKS = ['any', 'unmetered', 'wifi'] as const;

/** When and how a vehicle may carry the update out. */
export function PolicyForm({ draft, change }: FormPart): ReactNode {
  const { t } = useTranslation('campaigns');
  return (
    <Section title={t('design.policy')}>
      <div className="stack tight">
        <div className="filters">
          <TextInput
            type="time"
            size="xs"
            label={t('design.from')}
            value={draft.windowFrom}
            onChange={({ currentTarget }) => {
              change({ windowFrom: currentTarget.value });
            }}
          />
          <TextInput
            type="time"
            size="xs"
            label={t('design.to')}
            value={draft.windowTo}
            onChange={({ currentTarget }) => {
              change({ windowTo: currentTarget.value });
            }}
          />
          <span className="hint">{t('design.windowHint')}</span>
        </div>
        <Weekdays draft={draft} change={change} />
        <TextInput
          type="datetime-local"
          size="xs"
          maw={260}
          label={t('design.endsAt')}
          value={draft.endsAt}
          onChange={({ currentTarget }) => {
            change({ endsAt: currentTarget.value.slice(0, MINUTE_LENGTH) });
          }}
        />
        <SegmentedControl
          size="xs"
          aria-label={t('design.network')}
          data={NETWORKS.map((one) => ({ value: one, label: t(`design.networks.${one}`) }))}
          value={draft.network}
          onChange={(chosen) => {
            const network = NETWORKS.find((one) => one === chosen);
            if (network !== undefined) change({ network });
          }}
        />
        <Textarea
          label={t('design.precondition')}
          size="xs"
          autosize
          minRows={1}
          spellCheck={false}
          maxLength={2000}
          classNames={{ input: 'mono' }}
          placeholder="Vehicle.Speed == 0.0"
          value={draft.precondition}
          onChange={({ currentTarget }) => {
            change({ precondition: currentTarget.value });
          }}
        />
        <div className="filters">
          <NumberField
            label={t('design.priority')}
            value={draft.priority}
            min={0}
            max={1000}
            onChange={(priority) => {
              change({ priority });
            }}
          />
          <NumberField
            label={t('design.attempts')}
            value={draft.attemptsMax}
            min={1}
            max={10}
            onChange={(attemptsMax) => {
              change({ attemptsMax });
            }}
          />
          <NumberField
            label={t('design.penalty')}
            value={draft.penaltyHours}
            min={0}
            max={720}
            onChange={(penaltyHours) => {
              change({ penaltyHours });
            }}
          />
          <NumberField
            label={t('design.spread')}
            value={draft.spreadMinutes}
            min={0}
            max={10_080}
            onChange={(spreadMinutes) => {
              change({ spreadMinutes });
            }}
          />
          <NumberField
            label={t('design.rate')}
            value={draft.vehiclesPerHour}
            min={0}
            max={10_000_000}
            onChange={(vehiclesPerHour) => {
              change({ vehiclesPerHour });
            }}
          />
        </div>
        <Checkbox
          label={t('design.joins')}
          checked={draft.joins}
          onChange={({ currentTarget }) => {
            change({ joins: currentTarget.checked });
          }}
        />
      </div>
    </Section>
  );
}

/** Days of the window, which there must be first. */
function Weekdays({ draft, change }: FormPart): ReactNode {
  const { t, i18n } = useTranslation('campaigns');
  const format = new Intl.DateTimeFormat(i18n.language, { weekday: 'short', timeZone: 'UTC' });
  return (
    <Checkbox.Group
      size="xs"
      label={t('design.days')}
      value={draft.days.map(String)}
      onChange={(chosen) => {
        change({ days: chosen.map(Number) });
      }}
    >
      <span className="row">
        {DAYS.map((day) => (
          <Checkbox
            key={day}
            size="xs"
            value={String(day)}
            // The first of January 2024 was a Monday.
            label={format.format(Date.UTC(2024, 0, day))}
            disabled={draft.windowFrom === '' || draft.windowTo === ''}
          />
        ))}
      </span>
    </Checkbox.Group>
  );
}
