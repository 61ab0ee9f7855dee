/** Runs one ECU of a wired vehicle alone, reached as its place in the vehicle asks, or as the tester wants. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EcuPlacement,
  loadSecondaryBundle,
  type LoneCarrier,
  parseTopology,
  type RefusedRequest,
  type SecondaryProgress,
  startLoneEcu,
  systemSurroundings,
  type VehicleTopology,
} from '@immota/vehicle';
import { CliFault } from '../fault.ts';
import { openCarrierBus } from './carrier.ts';
import { TOPOLOGY_FILE } from './factory.ts';

/** What the command was told. */
export interface LoneEcuOptions {
  /** The ECU's, below its vehicle's. */
  readonly folder: string;
  /** `doip`, `udp[:GROUP:PORT]`, `cannelloni:LOCAL_PORT:ADDRESS:PORT`, `socketcan:NAME`; its own place when left out. */
  readonly carrier: string | undefined;
  readonly host: string;
  readonly isStandardPorts: boolean;
  readonly onProgress: (progress: SecondaryProgress) => void;
  readonly onRefused: (refused: RefusedRequest) => void;
  readonly onFailure: (error: unknown) => void;
}

/** An ECU that runs, and how it is reached. */
export interface RunningLoneEcu {
  readonly ecuIdentifier: string;
  /** Where and how, as data. */
  readonly reach: Readonly<Record<string, string | number>>;
  close(): Promise<void>;
}

/** Where identifiers begin for an ECU that is on no bus by itself: those of the first engine ECU. */
const REQUEST_ID = 0x7e0;
const RESPONSE_ID = 0x7e8;

/** Tells whether an ECU's vehicle is wired. */
export function isWired(folder: string): boolean {
  return existsSync(topologyFile(folder));
}

/** Starts it. @throws CliFault USAGE, FILE; CanFault DRIVER_MISSING, DRIVER_FAILED. */
export async function runLoneEcu(options: LoneEcuOptions): Promise<RunningLoneEcu> {
  const { folder, onProgress, onRefused, onFailure } = options;
  const bundle = loadSecondaryBundle(folder);
  const { ecuIdentifier } = bundle.factory;
  const topology = parseTopology(readFileSync(topologyFile(folder)));
  const placement = topology.ecus.find(({ ecu }) => ecu === ecuIdentifier);
  if (placement === undefined) {
    throw new CliFault('FILE', `Cannot run ECU: "${ecuIdentifier}" is not in its ${TOPOLOGY_FILE}`);
  }
  const carrier = await openCarrier(options, placement, topology);
  const ecu = await startLoneEcu(
    {
      bundle,
      folder: join(folder, 'own'),
      storage: placement.storage,
      rxswin: placement.rxswin,
      surroundings: systemSurroundings(),
      onProgress,
      onRefused,
      onFailure,
    },
    carrier,
  );
  return { ecuIdentifier, reach: reachOf(carrier, ecu.entity), close: async () => ecu.close() };
}

async function openCarrier(
  options: LoneEcuOptions,
  { address, place }: EcuPlacement,
  { buses }: VehicleTopology,
): Promise<LoneCarrier> {
  const own = place.kind === 'ethernet' ? 'doip' : 'udp';
  const [kind, ...details] = (options.carrier ?? own).split(':');
  if (kind === 'doip' && details.length === 0) {
    const ports = options.isStandardPorts ? 'standard' : 'free';
    return { kind, host: options.host, ports, address };
  }
  const bus = await openCarrierBus(kind, details);
  if (bus === undefined) {
    throw new CliFault(
      'USAGE',
      `Cannot open "${options.carrier ?? own}": doip, udp[:GROUP:PORT], cannelloni:LOCAL_PORT:ADDRESS:PORT or socketcan:NAME`,
    );
  }
  if (place.kind === 'ethernet') {
    return { kind: 'can', bus, isFd: false, requestId: REQUEST_ID, responseId: RESPONSE_ID };
  }
  const { requestId, responseId } = place;
  const isFd = buses.find(({ name }) => name === place.bus)?.dataBps !== undefined;
  return { kind: 'can', bus, isFd, requestId, responseId };
}

function reachOf(
  carrier: LoneCarrier,
  entity: Awaited<ReturnType<typeof startLoneEcu>>['entity'],
): RunningLoneEcu['reach'] {
  if (carrier.kind === 'can') {
    const { requestId, responseId } = carrier;
    return { carrier: 'can', requestId, responseId };
  }
  return { carrier: 'doip', address: carrier.address, ...entity };
}

function topologyFile(folder: string): string {
  return join(folder, '..', '..', TOPOLOGY_FILE);
}
