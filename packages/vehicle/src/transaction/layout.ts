/** How the ECUs of a vehicle are connected: what decides which of them can be programmed at once. */

/** A bus, or the line of an ECU of its own. */
export interface BusLayout {
  /** Bytes of images per second that it carries when nothing else uses it. */
  readonly bytesPerSecond: number;
}

/** One ECU. */
export interface EcuLayout {
  readonly bus: string;
  /** Bytes per second that it can take, erasing and writing included; undefined when not known. */
  readonly bytesPerSecond?: number | undefined;
  /** What people lose while it does not serve: a technician stands by when it is touched. */
  readonly serves?: readonly ('doors' | 'emergency-call')[] | undefined;
  /** How long it takes to check an image and boot; undefined when not known. */
  readonly bootMs?: number | undefined;
}

/** See the head of the file. */
export interface VehicleLayout {
  readonly buses: ReadonlyMap<string, BusLayout>;
  readonly ecus: ReadonlyMap<string, EcuLayout>;
  /** ECUs that others are reached through: they are activated behind those. */
  readonly gateways: readonly string[];
  /** Bytes per second that the gateway passes on to all buses together; undefined when not limited. */
  readonly gatewayBytesPerSecond: number | undefined;
}

/** Knows of no bus. */
export const NO_LAYOUT: VehicleLayout = {
  buses: new Map(),
  ecus: new Map(),
  gateways: [],
  gatewayBytesPerSecond: undefined,
};
