import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconHandStop,
  IconProgress,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { VehicleState } from '@immota/api';
import { CAMPAIGN_TONES, type CampaignState, type Tone, VEHICLE_TONES } from './tone.ts';

const SIGNS = {
  good: IconCircleCheck,
  bad: IconCircleX,
  warn: IconAlertTriangle,
  busy: IconProgress,
  calm: IconCircleDashed,
  held: IconHandStop,
} as const;

/** The sign of a tone, for eyes that see no colour. */
export function ToneSign({
  tone,
  size = 16,
}: {
  readonly tone: Tone;
  readonly size?: number;
}): ReactNode {
  const Sign = SIGNS[tone];
  return <Sign size={size} stroke={2} aria-hidden className={`tone-${tone}`} />;
}

/** A state: sign, colour and word. */
export function Badge({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className={`badge tone-${tone}`}>
      <ToneSign tone={tone} size={14} />
      {children}
    </span>
  );
}

/** The state of a campaign. */
export function CampaignBadge({ state }: { readonly state: CampaignState }): ReactNode {
  const { t } = useTranslation('states');
  return <Badge tone={CAMPAIGN_TONES[state]}>{t(`campaign.${state}`)}</Badge>;
}

/** The state of a vehicle in a campaign. */
export function VehicleBadge({ state }: { readonly state: VehicleState }): ReactNode {
  const { t } = useTranslation('states');
  return <Badge tone={VEHICLE_TONES[state]}>{t(`vehicle.${state}`)}</Badge>;
}

/** A stable code beside its sentence: for a ticket, a search, a colleague. */
export function CodeBadge({ code }: { readonly code: string }): ReactNode {
  return <code className="code">{code}</code>;
}
