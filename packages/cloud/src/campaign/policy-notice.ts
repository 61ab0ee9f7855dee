/** What a vehicle must heed of a campaign's policy: signed with its plan, and carried out by itself. */
import type { JsonObject } from '@immota/base';
import type { CampaignPolicy } from './campaign-content.ts';

/**
 * Writes the policy for vehicles. `conditions` are in the form in which vehicles read their standing ones;
 * `window` is by the vehicle's own clock and place.
 *
 * @returns nothing at all where vehicles are free: what is signed stays as it was.
 */
export function policyNotice({
  precondition,
  window,
  network,
  endsAt,
}: CampaignPolicy): JsonObject {
  const policy = {
    ...(precondition === ''
      ? {}
      : {
          conditions: [
            { id: 'campaign', wanted: 'what the campaign asks for', expression: precondition },
          ],
        }),
    ...(window === undefined ? {} : { window: windowOf(window) }),
    ...(network === 'any' ? {} : { network }),
    ...(endsAt === undefined ? {} : { endsAt }),
  };
  return Object.keys(policy).length === 0 ? {} : { policy };
}

function windowOf({ from, to, days }: NonNullable<CampaignPolicy['window']>): JsonObject {
  return days === undefined ? { from, to } : { from, to, days };
}
