/** What of the fleet somebody sees and touches: a tenant, and perhaps less than all of it. */

/** The tenant that is there from the beginning. */
export const FIRST_TENANT = 'main';

/** See the head of the file. Every query of the operator API carries it out. */
export interface FleetScope {
  readonly tenant: string;
  /** A fleet query in CEL that bounds it further; all vehicles of the tenant when left out. */
  readonly query?: string | undefined;
}
