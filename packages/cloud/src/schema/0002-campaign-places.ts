import type { Migration } from '@immota/store';

/** A place in a campaign is one of the known ones, and whoever is not updated has a reason. */
export const CAMPAIGN_PLACES: Migration = {
  number: 2,
  name: 'campaign places',
  sql: `
alter table campaign_vehicle
  add constraint campaign_vehicle_state check (state in ('targeted', 'offered', 'in-flight',
    'updated', 'failed', 'not-needed', 'blocked', 'cancelled')),
  add constraint campaign_vehicle_reason check ((state = 'updated') = (reason is null));
create index campaign_by_time on campaign (created_at, campaign_id);
create index release_by_time on release (created_at, release_id);
`,
};
