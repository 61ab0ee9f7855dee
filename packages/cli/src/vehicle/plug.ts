/** Joins a vehicle's plug to a bus outside of this process: whoever is on that bus is at the plug. */
import { bridgeBuses, type ObdPlan, type VehicleNetwork } from '@immota/vehicle';
import { CliFault } from '../fault.ts';
import { BUS_SPELLING, openCarrierBus } from './carrier.ts';

/**
 * Plugs a bus in.
 *
 * @param spelled - see `BUS_SPELLING`; nothing is plugged in when it is left out.
 * @param plan - of the vehicle's wiring.
 * @returns what unplugs it.
 * @throws CliFault USAGE for a vehicle without a plug, or a bus in other words; CanFault DRIVER_MISSING,
 * DRIVER_FAILED.
 */
export async function plugIn(
  network: Pick<VehicleNetwork, 'buses'>,
  spelled: string | undefined,
  plan: ObdPlan | undefined,
): Promise<() => Promise<void>> {
  if (spelled === undefined) return () => Promise.resolve();
  const hub = plan && network.buses.get(plan.bus);
  if (hub === undefined) {
    throw new CliFault('USAGE', 'Cannot plug in: "obd" is missing in the vehicle’s topology.json');
  }
  const [kind, ...details] = spelled.split(':');
  const outside = await openCarrierBus(kind, details);
  if (outside === undefined) {
    throw new CliFault('USAGE', `Cannot plug in "${spelled}": ${BUS_SPELLING}`);
  }
  const part = bridgeBuses({ buses: [hub.connect(), outside] });
  return async () => {
    part();
    await outside.close();
  };
}
