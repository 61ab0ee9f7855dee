/** Which vehicles a campaign is for; the language is the fleet's. */
export { parseFleetQuery } from '../fleet/query/fleet-query.ts';
