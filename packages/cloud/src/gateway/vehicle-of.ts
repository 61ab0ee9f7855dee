import { assert } from '@immota/base';
import type { Exchange } from './exchange.ts';

/** The vehicle that a request comes from; the route's audience has made sure that there is one. */
export function vehicleOf({ peer }: Exchange): string {
  assert(peer !== undefined, 'a route for vehicles has a peer');
  return peer.deviceId;
}
