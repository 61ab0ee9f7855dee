/** The two repositories of Uptane {uptane A4}. */
export type RepositoryName = 'director' | 'image';

/** The four roles that Root names keys for. */
export const TOP_LEVEL_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
/** One of the four top-level roles. */
export type TopLevelRole = (typeof TOP_LEVEL_ROLES)[number];

/** Tells whether a name is one of the four top-level roles. */
export function isTopLevelRole(name: string): name is TopLevelRole {
  return TOP_LEVEL_ROLES.some((role) => role === name);
}
