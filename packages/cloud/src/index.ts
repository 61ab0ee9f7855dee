/** The cloud: repositories, Director, inventory, campaigns and the gateways to vehicles and operators. */
export {
  type EcuInventory,
  type InstalledState,
  NO_OBSERVER,
  NO_PLANS,
  type Observation,
  type Offer,
  type Planner,
  PLANS_CHANNEL,
  type ReportObserver,
  type UpdatePlan,
  type VehicleInventory,
} from './director/ports.ts';
export { type EventSink, FLEET_STREAM, type NewEvent } from './event-log/event-sink.ts';
export { CloudFault, type CloudFaultCode } from './fault.ts';
export { MIGRATIONS } from './schema/migrations.ts';
export type { CloudSchema } from './schema/tables.ts';
