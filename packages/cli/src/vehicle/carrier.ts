/** CAN buses outside of this process, as they are spelled on the command line. */
import type { CanBus } from '@immota/bus';
import {
  openCannelloni,
  openSocketCan,
  openUdpMulticast,
  systemSurroundings,
} from '@immota/vehicle';
import { CliFault } from '../fault.ts';

/** How a bus is spelled, for help and for whoever got it wrong. */
export const BUS_SPELLING =
  'udp[:GROUP:PORT] (as python-can), cannelloni:LOCAL_PORT:ADDRESS:PORT or socketcan:NAME';

/**
 * Opens a bus that others are on.
 *
 * @param kind - `udp`, `cannelloni` or `socketcan`.
 * @param details - what follows it, one part each.
 * @returns undefined when it is spelled in another way.
 * @throws CliFault USAGE for a port that is none; CanFault DRIVER_MISSING, DRIVER_FAILED.
 */
export async function openCarrierBus(
  kind: string | undefined,
  details: readonly string[],
): Promise<CanBus | undefined> {
  const [first, second, third] = details;
  if (kind === 'udp' && (details.length === 0 || details.length === 2)) {
    return await openUdpMulticast(
      first === undefined ? {} : { group: first, port: portOf(second) },
    );
  }
  if (kind === 'cannelloni' && second !== undefined && details.length === 3) {
    const peer = { address: second, port: portOf(third) };
    return await openCannelloni({ peer, local: { port: portOf(first) } });
  }
  if (kind === 'socketcan' && first !== undefined && details.length === 1) {
    return await openSocketCan({ interfaceName: first, timer: systemSurroundings().timer });
  }
  return undefined;
}

function portOf(spelled: string | undefined): number {
  const port = Number(spelled);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CliFault('USAGE', `Cannot open carrier: "${spelled ?? ''}" is no port`);
}
