/** Who may do what on the operator API. */

/**
 * The roles of a person or an API token. `supplier` may upload for the delegated roles that its token
 * names, and nothing else; `approver` answers for campaigns that somebody else planned; `auditor` reads
 * all, the audit log and the evidence too, and changes nothing; `admin` may all in its tenant, and
 * nobody approves what is their own.
 */
export const API_ROLES = [
  'viewer',
  'supplier',
  'release-engineer',
  'operator',
  'approver',
  'auditor',
  'admin',
] as const;
/** One of them. */
export type ApiRole = (typeof API_ROLES)[number];

/** Everybody who may look at the fleet. */
export const READERS: readonly ApiRole[] = [
  'viewer',
  'release-engineer',
  'operator',
  'approver',
  'auditor',
  'admin',
];
/** Who uploads images. */
export const UPLOADERS: readonly ApiRole[] = ['supplier', 'release-engineer', 'admin'];
/** Who publishes metadata and releases. */
export const RELEASERS: readonly ApiRole[] = ['release-engineer', 'admin'];
/** Who runs campaigns and acts on vehicles. */
export const OPERATORS: readonly ApiRole[] = ['operator', 'admin'];
/** Who hands out tokens. */
export const ADMINS: readonly ApiRole[] = ['admin'];
/** Who approves or rejects: never the author. */
export const APPROVERS: readonly ApiRole[] = ['approver', 'admin'];
/** Who reads the audit log and takes evidence away. */
export const AUDITORS: readonly ApiRole[] = ['auditor', 'admin'];
