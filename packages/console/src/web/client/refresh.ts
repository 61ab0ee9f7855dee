/** Which answers are old when something has happened. */
import type { RouteName } from './routes.ts';

const CAMPAIGN: readonly RouteName[] = [
  'listCampaigns',
  'getCampaign',
  'getLiveCampaign',
  'listMembers',
  'listFailures',
  'listConflicts',
  'getRehearsal',
  'getCockpit',
];
const VEHICLE: readonly RouteName[] = [
  'getVehicle',
  'listLanes',
  'listTimeline',
  'getConfiguration',
  'explainVehicle',
  'listConsents',
];
const BY_BEGINNING: readonly (readonly [beginning: string, routes: readonly RouteName[]])[] = [
  ['campaign.', CAMPAIGN],
  ['update.', [...VEHICLE, 'getLiveCampaign', 'getCampaign', 'listMembers', 'listFailures']],
  ['vehicle.', [...VEHICLE, 'listFleet', 'getCockpit']],
  ['ecu.', [...VEHICLE, 'getLiveCampaign', 'getCockpit']],
  ['consent.', [...VEHICLE, 'getLiveCampaign']],
  ['client.', VEHICLE],
  ['manifest.', VEHICLE],
  ['report.', VEHICLE],
  ['release.', ['listReleases', 'getRelease', 'getDossier', 'listRxswins', 'getCockpit']],
  ['dossier.', ['getDossier', 'getRelease', 'getCockpit']],
  ['metadata.', ['getKeys', 'listMetadata', 'getCockpit']],
  ['certificate.', ['getKeys', 'listCertificates', 'getCockpit']],
  ['image.', ['listImages']],
  ['token.', ['listTokens', 'listAudit']],
  ['user.', ['listUsers', 'listAudit']],
  ['webhook.', ['listWebhooks', 'listDeliveries', 'listAudit']],
  ['signing-key.', ['listSigningKeys', 'listAudit']],
];

/**
 * Tells which reads an event makes old.
 *
 * @param kind - of the event, such as `campaign.held`.
 */
export function routesRefreshedBy(kind: string): readonly RouteName[] {
  return BY_BEGINNING.find(([beginning]) => kind.startsWith(beginning))?.[1] ?? [];
}
