/** Who may do what on the operator API. */

/**
 * The roles of an API token. `supplier` may upload for the delegated roles that its token names, and
 * nothing else; `admin` may all.
 */
export const API_ROLES = ['viewer', 'supplier', 'release-engineer', 'operator', 'admin'] as const;
/** One of them. */
export type ApiRole = (typeof API_ROLES)[number];

/** Everybody who may look at the fleet. */
export const READERS: readonly ApiRole[] = ['viewer', 'release-engineer', 'operator', 'admin'];
/** Who uploads images. */
export const UPLOADERS: readonly ApiRole[] = ['supplier', 'release-engineer', 'admin'];
/** Who publishes metadata and releases. */
export const RELEASERS: readonly ApiRole[] = ['release-engineer', 'admin'];
/** Who runs campaigns and acts on vehicles. */
export const OPERATORS: readonly ApiRole[] = ['operator', 'admin'];
/** Who hands out tokens. */
export const ADMINS: readonly ApiRole[] = ['admin'];
