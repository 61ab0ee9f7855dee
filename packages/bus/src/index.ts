/** The protocols of the vehicle's own networks, without a socket: bytes and times in, bytes out. */
export type { CanBus, CanListener } from './can/can-bus.ts';
export { CanFault, type CanFaultCode } from './can/can-fault.ts';
export { canFrame, type CanFrame, type CanFrameParts } from './can/frame.ts';
