import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useChange } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { ActButton } from '../../parts/act.tsx';
import { Badge } from '../../parts/badge.tsx';
import { ConfirmWithReason } from '../../parts/confirm.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page.tsx';
import { Progress } from '../../parts/progress.tsx';
import { useFormat } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';

type Campaign = Answer<'getCampaign'>;
type Wave = Campaign['waves'][number];

const TONES: Readonly<Record<Wave['state'], Tone>> = {
  waiting: 'calm',
  open: 'busy',
  done: 'good',
};

/** The waves, and what each still waits for. */
export function Waves({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { t } = useTranslation('live');
  const { campaignId, waves, state } = campaign;
  const [isAsking, setAsking] = useState(false);
  const format = useFormat();
  const open = useChange('openWave', ['getCampaign', 'getLiveCampaign', 'listMembers']);
  const next = waves.find((wave) => wave.state === 'waiting');
  return (
    <Section
      title={t('waves.title')}
      actions={
        next === undefined || state !== 'running' ? undefined : (
          <ActButton
            route="openWave"
            size="compact-sm"
            variant="default"
            onClick={() => {
              setAsking(true);
            }}
          >
            {t('waves.open')}
          </ActButton>
        )
      }
    >
      <ul className="todo">
        {waves.map((wave) => (
          <WaveLine key={wave.number} wave={wave} campaignId={campaignId} />
        ))}
      </ul>
      {next === undefined ? null : (
        <ConfirmWithReason
          isOpen={isAsking}
          close={() => {
            setAsking(false);
          }}
          title={t('waves.open')}
          action={t('waves.open')}
          effect={t('waves.openEffect', {
            wave: next.number,
            name: next.name,
            vehicles: format.number(next.vehicles),
          })}
          carryOut={async () =>
            await open.mutateAsync({ params: { campaignId, wave: next.number } })
          }
        />
      )}
    </Section>
  );
}

function WaveLine({
  wave,
  campaignId,
}: {
  readonly wave: Wave;
  readonly campaignId: string;
}): ReactNode {
  const { t } = useTranslation('live');
  const { t: states } = useTranslation('states');
  const format = useFormat();
  const { number, name, state, vehicles, counts, waitsFor } = wave;
  return (
    <li>
      <div className="grow stack tight">
        <div className="row">
          <TextLink
            to="/campaigns/$campaignId"
            params={{ campaignId }}
            search={{ wave: String(number) }}
            fw={600}
          >
            {`${String(number)} · ${name}`}
          </TextLink>
          <Badge tone={TONES[state]}>{states(`wave.${state}`)}</Badge>
          <span className="hint">{t('waves.vehicles', { shown: format.number(vehicles) })}</span>
        </div>
        <Progress
          total={vehicles}
          parts={[
            { tone: 'good', value: counts['updated'] ?? 0 },
            { tone: 'bad', value: counts['failed'] ?? 0 },
            { tone: 'busy', value: (counts['offered'] ?? 0) + (counts['in-flight'] ?? 0) },
          ]}
        />
        {waitsFor === undefined ? null : <span className="hint">{waitsFor}</span>}
      </div>
    </li>
  );
}
