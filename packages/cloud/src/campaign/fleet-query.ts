/** Which vehicles a campaign is for; the language is the fleet's. */
export { type FleetQuery, parseFleetQuery } from '../fleet/query/fleet-query.ts';
