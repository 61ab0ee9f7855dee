import type { Migration } from '@immota/store';

/**
 * Tenants share an installation and its trust, and see nothing of each other. What was there before
 * belongs to the first one.
 */
export const TENANTS: Migration = {
  number: 5,
  name: 'tenants',
  sql: `
create table tenant (
  tenant_id text primary key check (tenant_id ~ '^[a-z][a-z0-9-]{0,62}$'),
  name text not null,
  created_at timestamptz not null default now()
);
insert into tenant (tenant_id, name) values ('main', 'Main');

alter table vehicle add column tenant text not null default 'main' references tenant;
alter table image add column tenant text not null default 'main' references tenant;
alter table upload add column tenant text not null default 'main' references tenant;
alter table release add column tenant text not null default 'main' references tenant;
alter table campaign add column tenant text not null default 'main' references tenant;
alter table api_token add column tenant text not null default 'main' references tenant;
-- A fleet query that bounds what its holder sees; all of the tenant when null.
alter table api_token add column scope text;

create index vehicle_by_tenant on vehicle (tenant, vehicle_id);
create index release_by_tenant on release (tenant, created_at, release_id);
create index campaign_by_tenant on campaign (tenant, created_at, campaign_id);
`,
};
