/** The screens that the side bar, the palette and the keys `g x` lead to. */
import {
  IconCar,
  IconCertificate,
  IconGauge,
  IconHistory,
  IconKey,
  IconPackage,
  IconRocket,
  IconUsers,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { RouteName } from '../client/routes.ts';

/** A place to go. */
export interface Place {
  readonly id:
    | 'cockpit'
    | 'fleet'
    | 'campaigns'
    | 'releases'
    | 'rxswin'
    | 'keys'
    | 'audit'
    | 'access';
  readonly to:
    | '/'
    | '/fleet'
    | '/campaigns'
    | '/releases'
    | '/rxswins'
    | '/keys'
    | '/audit'
    | '/access';
  /** Pressed after `g`. */
  readonly key: string;
  readonly group: 'run' | 'prove' | 'govern';
  readonly icon: ComponentType<{ readonly size?: number; readonly 'aria-hidden'?: boolean }>;
  /** Shown to whoever may use it. */
  readonly needs: RouteName;
}

/** In the order of the side bar. */
export const PLACES: readonly Place[] = [
  { id: 'cockpit', to: '/', key: 'h', group: 'run', icon: IconGauge, needs: 'getCockpit' },
  { id: 'fleet', to: '/fleet', key: 'f', group: 'run', icon: IconCar, needs: 'listFleet' },
  {
    id: 'campaigns',
    to: '/campaigns',
    key: 'c',
    group: 'run',
    icon: IconRocket,
    needs: 'listCampaigns',
  },
  {
    id: 'releases',
    to: '/releases',
    key: 'r',
    group: 'run',
    icon: IconPackage,
    needs: 'listReleases',
  },
  {
    id: 'rxswin',
    to: '/rxswins',
    key: 'x',
    group: 'prove',
    icon: IconCertificate,
    needs: 'listRxswins',
  },
  { id: 'audit', to: '/audit', key: 'a', group: 'prove', icon: IconHistory, needs: 'listAudit' },
  { id: 'keys', to: '/keys', key: 'k', group: 'govern', icon: IconKey, needs: 'getKeys' },
  { id: 'access', to: '/access', key: 'u', group: 'govern', icon: IconUsers, needs: 'getSession' },
];
