/** How a campaign's name travels to the vehicle and back. */

const PREFIX = 'urn:immota:campaign:';
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Names a campaign for a vehicle's metadata and reports. */
export function correlationOf(campaignId: string): string {
  return `${PREFIX}${campaignId}`;
}

/** Finds the campaign that a report belongs to; undefined when it can be none of ours. */
export function findCampaign(correlationId: string): string | undefined {
  const campaignId = correlationId.slice(PREFIX.length);
  return correlationId.startsWith(PREFIX) && UUID.test(campaignId) ? campaignId : undefined;
}
