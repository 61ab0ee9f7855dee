/** Which tone a state has. Five tones that all kinds of colour sight tell apart, each with its own sign. */
import type { VehicleState } from '@immota/api';

/** `good` and `bad` are petrol and vermilion: blue against orange, never green against red. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'calm' | 'held';

/** States of a campaign. */
export type CampaignState = 'planned' | 'running' | 'paused' | 'held' | 'finished' | 'cancelled';

/** How a campaign's state looks. */
export const CAMPAIGN_TONES: Readonly<Record<CampaignState, Tone>> = {
  planned: 'calm',
  running: 'busy',
  paused: 'warn',
  held: 'held',
  finished: 'good',
  cancelled: 'calm',
};

/** How a vehicle's state looks. */
export const VEHICLE_TONES: Readonly<Record<VehicleState, Tone>> = {
  targeted: 'calm',
  offered: 'busy',
  'in-flight': 'busy',
  updated: 'good',
  failed: 'bad',
  'not-needed': 'calm',
  blocked: 'warn',
  cancelled: 'calm',
};

/** How severe an event is. */
export const SEVERITY_TONES: Readonly<Record<'info' | 'notice' | 'warning' | 'alert', Tone>> = {
  info: 'calm',
  notice: 'busy',
  warning: 'warn',
  alert: 'bad',
};
