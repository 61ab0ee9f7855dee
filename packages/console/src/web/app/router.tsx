/** Where each screen lies; every screen is a chunk of its own. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouteComponent,
} from '@tanstack/react-router';
import { LoadingPage, ProblemCard } from '../parts/states.tsx';
import { NotFound } from './not-found.tsx';
import { Shell } from './shell.tsx';
import { parseSearch, stringifySearch } from './url-state.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type of a route is its path, and only inference can write it
const screen = <const Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component });

const tree = root.addChildren([
  screen(
    '/',
    lazyRouteComponent(() => import('../screens/cockpit/cockpit-screen.tsx'), 'CockpitScreen'),
  ),
  screen(
    '/fleet',
    lazyRouteComponent(() => import('../screens/fleet/fleet-screen.tsx'), 'FleetScreen'),
  ),
  screen(
    '/vehicles/$vehicleId',
    lazyRouteComponent(() => import('../screens/vehicle/vehicle-screen.tsx'), 'VehicleScreen'),
  ),
  screen(
    '/campaigns',
    lazyRouteComponent(
      () => import('../screens/campaigns/campaigns-screen.tsx'),
      'CampaignsScreen',
    ),
  ),
  screen(
    '/campaigns/new',
    lazyRouteComponent(
      () => import('../screens/campaigns/designer-screen.tsx'),
      'NewCampaignScreen',
    ),
  ),
  screen(
    '/campaigns/$campaignId/design',
    lazyRouteComponent(
      () => import('../screens/campaigns/designer-screen.tsx'),
      'ChangeCampaignScreen',
    ),
  ),
  screen(
    '/campaigns/$campaignId/rehearsal',
    lazyRouteComponent(
      () => import('../screens/campaigns/rehearsal-screen.tsx'),
      'RehearsalScreen',
    ),
  ),
  screen(
    '/campaigns/$campaignId',
    lazyRouteComponent(() => import('../screens/live/live-screen.tsx'), 'LiveScreen'),
  ),
  screen(
    '/campaigns/$campaignId/failures',
    lazyRouteComponent(() => import('../screens/failures/failures-screen.tsx'), 'FailuresScreen'),
  ),
  screen(
    '/releases',
    lazyRouteComponent(() => import('../screens/releases/releases-screen.tsx'), 'ReleasesScreen'),
  ),
  screen(
    '/releases/$releaseId',
    lazyRouteComponent(() => import('../screens/releases/release-screen.tsx'), 'ReleaseScreen'),
  ),
  screen(
    '/releases/$releaseId/graph',
    lazyRouteComponent(() => import('../screens/graph/graph-screen.tsx'), 'GraphScreen'),
  ),
  screen(
    '/rxswins',
    lazyRouteComponent(() => import('../screens/rxswin/rxswin-screen.tsx'), 'RxswinScreen'),
  ),
  screen(
    '/keys',
    lazyRouteComponent(() => import('../screens/keys/keys-screen.tsx'), 'KeysScreen'),
  ),
  screen(
    '/audit',
    lazyRouteComponent(() => import('../screens/audit/audit-screen.tsx'), 'AuditScreen'),
  ),
  screen(
    '/access',
    lazyRouteComponent(() => import('../screens/access/access-screen.tsx'), 'AccessScreen'),
  ),
]);

/** The router. */
export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPendingComponent: LoadingPage,
  defaultErrorComponent: ({ error, reset }) => <ProblemCard error={error} retry={reset} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
