import type { Migration } from '@immota/store';
import { MAIN_JOB } from './0001-main-job.ts';
import { CAMPAIGN_PLACES } from './0002-campaign-places.ts';
import { UNRECORDED_CERTIFICATES } from './0003-unrecorded-certificates.ts';
import { DELTAS } from './0004-deltas.ts';
import { TENANTS } from './0005-tenants.ts';
import { CAMPAIGN_WAVES } from './0006-campaign-waves.ts';
import { RELEASE_DOSSIER } from './0007-release-dossier.ts';
import { FLEET_INDEX } from './0008-fleet-index.ts';
import { REHEARSAL } from './0009-rehearsal.ts';
import { ACCESS } from './0010-access.ts';
import { DELTA_PAGES } from './0011-delta-pages.ts';

const HISTORY: readonly Migration[] = [
  MAIN_JOB,
  CAMPAIGN_PLACES,
  UNRECORDED_CERTIFICATES,
  DELTAS,
  TENANTS,
  CAMPAIGN_WAVES,
  RELEASE_DOSSIER,
  FLEET_INDEX,
  REHEARSAL,
  ACCESS,
  DELTA_PAGES,
];

/**
 * The whole history of the cloud's schema, oldest first, numbered by its place. A migration that has shipped is
 * never edited.
 */
export const MIGRATIONS: readonly Migration[] = HISTORY.map((migration, index) => ({
  ...migration,
  number: index + 1,
}));
