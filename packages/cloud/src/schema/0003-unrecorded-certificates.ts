import type { Migration } from '@immota/store';

/** A certificate that was issued beside the database can be revoked by its serial number, which is all that is known. */
export const UNRECORDED_CERTIFICATES: Migration = {
  number: 3,
  name: 'unrecorded certificates',
  sql: `
alter table device_certificate
  alter column vehicle_id drop not null,
  alter column not_after drop not null,
  add constraint device_certificate_known check (
    (vehicle_id is null) = (not_after is null) and (vehicle_id is not null or revoked_at is not null));
`,
};
