import type { Migration } from '@immota/store';

/** A delta is known by the image that it starts from and the name of the image that it gives. */
export const DELTAS: Migration = {
  number: 4,
  name: 'deltas',
  sql: `
create table delta (
  base_sha256 text not null check (base_sha256 ~ '^[0-9a-f]{64}$'),
  image_name text not null references image (name) on delete cascade,
  -- Null where a delta would save too little: the full image is served then, and nothing is made again.
  blob_sha256 text check (blob_sha256 ~ '^[0-9a-f]{64}$'),
  length_bytes bigint not null check (length_bytes >= 0),
  used_at timestamptz not null,
  primary key (base_sha256, image_name)
);
create index delta_by_use on delta (used_at) where blob_sha256 is not null;
`,
};
