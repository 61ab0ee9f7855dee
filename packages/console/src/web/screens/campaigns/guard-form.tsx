import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NumberField } from '../../parts/number-field.tsx';
import { Section } from '../../parts/page.tsx';
import type { FormPart } from './designer-screen.tsx';

/** When the campaign holds by itself. */
export function GuardForm({ draft, change }: FormPart): ReactNode {
  const { t } = useTranslation('campaigns');
  return (
    <Section title={t('design.guard')} hint={t('design.guardHint')}>
      <div className="stack tight">
        <NumberField
          label={t('design.failureMax')}
          value={draft.failurePercentMax}
          min={0.1}
          max={100}
          digits={1}
          onChange={(failurePercentMax) => {
            change({ failurePercentMax });
          }}
        />
        <NumberField
          label={t('design.falseHold')}
          value={draft.falseHoldPercent}
          min={0.1}
          max={20}
          digits={1}
          onChange={(falseHoldPercent) => {
            change({ falseHoldPercent });
          }}
        />
        <NumberField
          label={t('design.control')}
          value={draft.controlPercent}
          min={0}
          max={50}
          digits={1}
          onChange={(controlPercent) => {
            change({ controlPercent });
          }}
        />
        <NumberField
          label={t('design.harm')}
          value={draft.harmPercentMax}
          min={0.1}
          max={100}
          digits={1}
          onChange={(harmPercentMax) => {
            change({ harmPercentMax });
          }}
        />
      </div>
    </Section>
  );
}
