import type { Migration } from '@immota/store';

/** Rehearsals: what a campaign would do, bound to the content that was rehearsed. */
export const REHEARSAL: Migration = {
  number: 9,
  name: 'rehearsal',
  sql: `
create table rehearsal (
  rehearsal_id text primary key,
  campaign_id text not null references campaign on delete cascade,
  tenant text not null default 'main' references tenant,
  content_sha256 text not null,
  state text not null check (state in ('running', 'done', 'failed')),
  seen bigint not null default 0,
  total bigint not null default 0,
  -- So that the same fleet gives the same forecast.
  seed text not null,
  created_by text not null,
  started_at timestamptz not null,
  -- Whoever runs it says so now and then; one that nobody runs any more is taken up again.
  beat_at timestamptz not null,
  is_cancelled boolean not null default false,
  ended_at timestamptz,
  problem text,
  result jsonb,
  check ((state = 'done') = (result is not null)),
  check ((state = 'running') = (ended_at is null))
);
create unique index rehearsal_running on rehearsal (campaign_id) where state = 'running';
create index rehearsal_by_campaign on rehearsal (campaign_id, started_at);
`,
};
