import type { Selectable } from 'kysely';
import type { CampaignRow } from '../schema/campaign-tables.ts';

/** A campaign as it is stored. */
export type StoredCampaign = Selectable<CampaignRow>;
