import { ActionIcon, Button, Checkbox, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NumberField } from '../../parts/number-field.tsx';
import { Section } from '../../parts/page.tsx';
import type { FormPart } from './designer-screen.tsx';
import type { WaveDraft } from './draft.ts';

const WAVES_MAX = 16;
const OUTCOMES_MAX = 1_000_000;
const SOAK_HOURS_MAX = 720;

/** The waves: how much each takes, and what must hold before the next one opens. */
export function WavesForm({ draft, change }: FormPart): ReactNode {
  const { t } = useTranslation('campaigns');
  const { waves } = draft;
  const set = (at: number, next: Partial<WaveDraft>): void => {
    change({ waves: waves.map((wave, index) => (index === at ? { ...wave, ...next } : wave)) });
  };
  return (
    <Section
      title={t('design.waves')}
      hint={t('design.wavesHint')}
      actions={
        <Button
          size="compact-sm"
          variant="default"
          disabled={waves.length >= WAVES_MAX}
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => {
            change({ waves: insertWave(waves) });
          }}
        >
          {t('design.addWave')}
        </Button>
      }
    >
      <div className="stack">
        {waves.map((wave, index) => (
          <div key={index} className="filters">
            <TextInput
              label={`${String(index + 1)} · ${t('name')}`}
              size="xs"
              w={140}
              maxLength={60}
              value={wave.name}
              onChange={({ currentTarget }) => {
                set(index, { name: currentTarget.value });
              }}
            />
            <NumberField
              label={t('design.upTo')}
              value={wave.upToPercent}
              min={0.1}
              max={100}
              digits={1}
              onChange={(upToPercent) => {
                set(index, { upToPercent });
              }}
            />
            <NumberField
              label={t('design.success')}
              value={wave.successPercent}
              min={0}
              max={100}
              digits={1}
              onChange={(successPercent) => {
                set(index, { successPercent });
              }}
            />
            <NumberField
              label={t('design.outcomes')}
              value={wave.outcomesMin}
              min={0}
              max={OUTCOMES_MAX}
              onChange={(outcomesMin) => {
                set(index, { outcomesMin });
              }}
            />
            <NumberField
              label={t('design.soak')}
              value={wave.soakHours}
              min={0}
              max={SOAK_HOURS_MAX}
              digits={2}
              onChange={(soakHours) => {
                set(index, { soakHours });
              }}
            />
            <Checkbox
              label={t('design.manual')}
              checked={wave.isManual}
              pb={6}
              onChange={({ currentTarget }) => {
                set(index, { isManual: currentTarget.checked });
              }}
            />
            {waves.length === 1 ? null : (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('design.removeWave', { name: wave.name })}
                onClick={() => {
                  change({ waves: waves.filter((_, at) => at !== index) });
                }}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
        ))}
        {waves.at(-1)?.upToPercent === 100 ? null : (
          <p className="tone-warn">{t('design.lastWave')}</p>
        )}
      </div>
    </Section>
  );
}

/** A wave between the last but one and the last, half way. */
function insertWave(waves: readonly WaveDraft[]): readonly WaveDraft[] {
  const last = waves.at(-1);
  if (last === undefined) return waves;
  const before = waves.at(-2)?.upToPercent ?? 0;
  const upToPercent = Math.max(0.1, Math.round((before + last.upToPercent) * 5) / 10);
  return [
    ...waves.slice(0, -1),
    { ...last, name: String(waves.length), upToPercent, outcomesMin: 100, soakHours: 12 },
    last,
  ];
}
