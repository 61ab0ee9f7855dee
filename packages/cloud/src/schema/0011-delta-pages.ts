import type { Migration } from '@immota/store';

/** A delta for a bank that is rewritten in place is one for each length of its pages; 0 is for another slot. */
export const DELTA_PAGES: Migration = {
  number: 11,
  name: 'delta-pages',
  sql: `
alter table delta add column page_bytes integer not null default 0 check (page_bytes >= 0);
alter table delta drop constraint delta_pkey;
alter table delta add primary key (base_sha256, image_name, page_bytes);
`,
};
