/** Whether people may be asked: reading and deciding ask for less than a change-over, no brake, no hood. */
import { findUnmetConditions, parseConditions } from '../conditions/condition.ts';
import { PARK_GEAR } from '../conditions/signal-catalogue.ts';
import type { VehicleSignals } from '../conditions/vehicle-signals.ts';
import type { Timer } from '../ports.ts';

const STANDING = parseConditions([
  { id: 'standing-still', wanted: 'the vehicle stands still', expression: 'Vehicle.Speed == 0.0' },
  {
    id: 'gear-park',
    wanted: 'the gear is in park',
    expression: `Vehicle.Powertrain.Transmission.SelectedGear == ${PARK_GEAR}`,
  },
]);

/** Tells whether a vehicle stands in park. A signal that is missing or old says nothing: it may be moving. */
export function isStanding(signals: VehicleSignals, timer: Timer): boolean {
  return findUnmetConditions(STANDING, signals, timer.elapsedMs()).length === 0;
}
