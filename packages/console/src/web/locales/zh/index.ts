/** All words of the console in one language; see `shape.ts`. */
import { access } from './access.ts';
import { audit } from './audit.ts';
import { campaigns } from './campaigns.ts';
import { cockpit } from './cockpit.ts';
import { common } from './common.ts';
import { failures } from './failures.ts';
import { fleet } from './fleet.ts';
import { graph } from './graph.ts';
import { keys } from './keys.ts';
import { live } from './live.ts';
import { problems } from './problems.ts';
import { reasons } from './reasons.ts';
import { releases } from './releases.ts';
import { rxswin } from './rxswin.ts';
import { states } from './states.ts';
import { vehicle } from './vehicle.ts';
import type { EN } from '../en/index.ts';
import type { Shape } from '../shape.ts';

/** Namespaces by screen. */
export const ZH: Shape<typeof EN> = {
  access,
  audit,
  campaigns,
  cockpit,
  common,
  failures,
  fleet,
  graph,
  keys,
  live,
  problems,
  reasons,
  releases,
  rxswin,
  states,
  vehicle,
};
