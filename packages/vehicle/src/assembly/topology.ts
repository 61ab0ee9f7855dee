/**
 * How a vehicle is wired: its buses, which ECU is where and under which addresses, and in what each
 * keeps its software. Data from the vehicle's maker; read once and believed from then on.
 */
import { InputFault, parseJson } from '@immota/base';
import { canBitRate, CanFault } from '@immota/bus';
import { type EcuIdentifier, parseEcuIdentifier, UptaneFault } from '@immota/uptane';
import { z } from 'zod';
import { FLASH_PARTS, type FlashPart } from '../flash/parts.ts';
import { type Rxswin, rxswinsSchema } from '../state/rxswins.ts';
import type { VehicleLayout } from '../transaction/layout.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { BUSES_MAX, ECUS_MAX, TOPOLOGY_MAX_BYTES } from './limits.ts';

/** A CAN bus. */
export interface BusPlan {
  readonly name: string;
  readonly nominalBps: number;
  /** Of the data phase of CAN FD; a bus without it speaks CAN 2.0. */
  readonly dataBps?: number | undefined;
}

/** In what an ECU keeps its software. */
export type StoragePlan =
  /** Two slots of a file system, as under Linux. */
  | { readonly kind: 'file-system' }
  /** Flash of a microcontroller, in two banks or in one. */
  | { readonly kind: 'two-bank' | 'one-bank'; readonly part: FlashPart };

/** Where an ECU is found. */
export type PlacePlan =
  | { readonly kind: 'ethernet' }
  /** Identifiers of its diagnostic requests and answers, of 11 bits. */
  | {
      readonly kind: 'can';
      readonly bus: string;
      readonly requestId: number;
      readonly responseId: number;
    };

/** The plug under the dashboard {15765-4:2021}, and who answers there. */
export interface ObdPlan extends Omit<BusPlan, 'name'> {
  /** The bus between plug and gateway; nobody else is on it. */
  readonly bus: string;
  readonly ecus: readonly {
    readonly ecu: EcuIdentifier;
    /** 0x7E0 to 0x7E7, or 0x18DAxxF1. */
    readonly requestId: number;
    /** 0x7E8 to 0x7EF, or 0x18DAF1xx. */
    readonly responseId: number;
  }[];
}

/** An ECU besides the T-BOX. */
export interface EcuPlacement {
  readonly ecu: EcuIdentifier;
  /** The address in DoIP and in the gateway's rules {13400-2:2019 table 13}. */
  readonly address: number;
  readonly storage: StoragePlan;
  readonly place: PlacePlan;
  /** RXSWIN from the factory: the regulated software that it is part of (UN R156), for testers or by regulation. */
  readonly rxswin?: string | readonly Rxswin[] | undefined;
  /** What people lose while it does not serve: a technician stands by when it is updated. */
  readonly serves?: readonly ('doors' | 'emergency-call')[] | undefined;
}

/** See the head of the file. Holding one tells you: names and addresses are unique, and refer to each other. */
export interface VehicleTopology {
  /** The T-BOX's address as a tester. */
  readonly tester: number;
  /** The ECU that stands between Ethernet and the buses; on Ethernet itself. */
  readonly gateway: EcuIdentifier;
  readonly buses: readonly BusPlan[];
  readonly ecus: readonly EcuPlacement[];
  /** None in vehicles that are reached by Ethernet alone. */
  readonly obd?: ObdPlan | undefined;
}

// Makers choose from 0x0001 to 0x0DFF and from 0x1000 to 0x7FFF {13400-2:2019 table 13}.
const ECU_ADDRESS = z.int().min(0x1000).max(0x7fff);
const TESTER_ADDRESS = z.int().min(0x0e00).max(0x0fff);
const CAN_ID = z.int().min(1).max(0x7ff);
const OBD_ID = z.int().min(0x7e0).max(0x1fffffff);
const NAME = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const PARTS = z.string().refine((part): part is FlashPart => Object.hasOwn(FLASH_PARTS, part));
const ECU = z.string().transform((text, context) => {
  try {
    return parseEcuIdentifier(text);
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    context.addIssue('no identifier of an ECU');
    return z.NEVER;
  }
});

const topologySchema = z.strictObject({
  tester: TESTER_ADDRESS,
  gateway: ECU,
  buses: z
    .array(
      z.strictObject({
        name: NAME,
        nominalBps: z.int(),
        dataBps: z.int().optional(),
      }),
    )
    .max(BUSES_MAX),
  ecus: z
    .array(
      z.strictObject({
        ecu: ECU,
        address: ECU_ADDRESS,
        rxswin: z.union([z.string().regex(/^[\u0020-\u007e]{1,64}$/), rxswinsSchema]).optional(),
        serves: z
          .array(z.enum(['doors', 'emergency-call']))
          .max(2)
          .optional(),
        storage: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('file-system') }),
          z.strictObject({ kind: z.enum(['two-bank', 'one-bank']), part: PARTS }),
        ]),
        place: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('ethernet') }),
          z.strictObject({
            kind: z.literal('can'),
            bus: NAME,
            requestId: CAN_ID,
            responseId: CAN_ID,
          }),
        ]),
      }),
    )
    .min(1)
    .max(ECUS_MAX),
  obd: z
    .strictObject({
      bus: NAME,
      nominalBps: z.int(),
      dataBps: z.int().optional(),
      ecus: z
        .array(z.strictObject({ ecu: ECU, requestId: OBD_ID, responseId: OBD_ID }))
        .max(ECUS_MAX),
    })
    .optional(),
});

/**
 * Reads a topology.
 *
 * @param bytes - of `topology.json`.
 * @throws VehicleFault BUNDLE_MALFORMED when it is none, or contradicts itself.
 */
export function parseTopology(bytes: Uint8Array): VehicleTopology {
  const parsed = topologySchema.safeParse(readJson(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is none'}`);
  }
  checkTopology(parsed.data);
  return parsed.data;
}

/** Writes a topology, for {@link parseTopology}. */
export function encodeTopology(topology: VehicleTopology): string {
  return `${JSON.stringify(topology, undefined, 2)}\n`;
}

/** What the transaction has to know of it: which ECUs share a bus, and what the buses carry. */
export function layoutOf({ buses, ecus, gateway }: VehicleTopology): VehicleLayout {
  const busLayouts = buses.map(
    (bus) => [bus.name, { bytesPerSecond: bytesPerSecond(bus) }] as const,
  );
  const places = ecus.map(({ ecu, place, serves }) => {
    const bus = place.kind === 'can' ? place.bus : `ethernet ${ecu}`;
    return [ecu, { bus, serves }] as const;
  });
  return {
    buses: new Map(busLayouts),
    ecus: new Map(places),
    gateways: ecus.some(({ place }) => place.kind === 'can') ? [gateway] : [],
    gatewayBytesPerSecond: undefined,
  };
}

/** What ISO-TP brings over a bus: 7 of 120 bits a frame are a byte of ours, 63 of one with FD. */
function bytesPerSecond({ nominalBps, dataBps }: BusPlan): number {
  const CLASSIC_SHARE = 7 / 120;
  // A frame of 64 bytes: about 30 bits at the slow rate and 560 at the fast one.
  if (dataBps === undefined) return Math.floor(nominalBps * CLASSIC_SHARE);
  return Math.floor(63 / (30 / nominalBps + 560 / dataBps));
}

function checkTopology({ buses, ecus, gateway, obd }: VehicleTopology): void {
  checkUnique('bus', buses, ({ name }) => name);
  checkUnique('ECU', ecus, ({ ecu }) => ecu);
  checkUnique('address', ecus, ({ address }) => String(address));
  for (const bus of buses) checkRate(bus);
  if (ecus.find(({ ecu }) => ecu === gateway)?.place.kind !== 'ethernet') {
    throw malformed(`its gateway "${gateway}" is no ECU on Ethernet`);
  }
  const ids = ecus.flatMap(({ place }) => {
    if (place.kind === 'ethernet') return [];
    if (!buses.some(({ name }) => name === place.bus)) throw malformed(`no bus "${place.bus}"`);
    return [place.requestId, place.responseId].map((id) => `${id} on ${place.bus}`);
  });
  checkUnique('identifier', ids, (id) => id);
  if (obd === undefined) return;
  checkUnique('bus', [...buses.map(({ name }) => name), obd.bus], (name) => name);
  checkRate({ ...obd, name: obd.bus });
  checkUnique('ECU at the plug', obd.ecus, ({ ecu }) => ecu);
  checkUnique('identifier at the plug', obd.ecus, ({ requestId }) => String(requestId));
  for (const { ecu, requestId, responseId } of obd.ecus) {
    const place = ecus.find((one) => one.ecu === ecu)?.place;
    // One with an entity of its own is reached by Ethernet: the gateway is not before it.
    if (place === undefined || (place.kind === 'ethernet' && ecu !== gateway)) {
      throw malformed(`"${ecu}" cannot be reached from the plug`);
    }
    if (!isObdPair(requestId, responseId)) {
      throw malformed(`"${ecu}" has identifiers at the plug that testers do not ask with`);
    }
  }
}

/** {15765-4:2021 tables 5 and 6}. */
function isObdPair(requestId: number, responseId: number): boolean {
  if (requestId <= 0x7ff) return requestId <= 0x7e7 && responseId === requestId + 8;
  const ecu = (requestId >>> 8) & 0xff;
  return requestId === 0x18da00f1 + ecu * 0x100 && responseId === 0x18daf100 + ecu;
}

function checkRate({ name, nominalBps, dataBps }: BusPlan): void {
  try {
    canBitRate(nominalBps, dataBps);
  } catch (error) {
    if (!(error instanceof CanFault)) throw error;
    throw malformed(`bus "${name}" has a rate that there is not`, error);
  }
}

function checkUnique<Item>(
  what: string,
  items: readonly Item[],
  keyOf: (item: Item) => string,
): void {
  const seen = new Set<string>();
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key)) throw malformed(`${what} ${key} stands twice`);
    seen.add(key);
  }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, TOPOLOGY_MAX_BYTES);
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
    throw malformed('it is no JSON', error);
  }
}

function malformed(why: string, cause?: unknown): VehicleFault {
  return new VehicleFault('BUNDLE_MALFORMED', `Cannot read topology: ${why}`, { cause });
}
