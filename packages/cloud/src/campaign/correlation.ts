/** How a campaign's name travels to the vehicle and back. */

const PREFIX = 'urn:immota:campaign:';

/** Names a campaign for a vehicle's metadata and reports. */
export function correlationOf(campaignId: string): string {
  return `${PREFIX}${campaignId}`;
}

/** Finds the campaign that a report belongs to; undefined when it belongs to none of ours. */
export function findCampaign(correlationId: string): string | undefined {
  return correlationId.startsWith(PREFIX) ? correlationId.slice(PREFIX.length) : undefined;
}
