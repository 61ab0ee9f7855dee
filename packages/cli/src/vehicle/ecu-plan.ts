/** What a vehicle is to be made of, as spelled on the command line. */
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  parseEcuIdentifier,
  parseHardwareIdentifier,
} from '@immota/uptane';
import {
  type BusPlan,
  type EcuPlacement,
  encodeTopology,
  FLASH_PARTS,
  type FlashPart,
  type ObdPlan,
  parseTopology,
  type StoragePlan,
  type VehicleTopology,
} from '@immota/vehicle';
import { CliFault } from '../fault.ts';

/** One ECU to be built in. */
export interface EcuPlan {
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly verification: 'full' | 'partial';
  readonly storage: StoragePlan;
  /** The CAN bus it is on; undefined on Ethernet. */
  readonly bus: string | undefined;
}

/** How ECUs are spelled, for help and for whoever got it wrong. */
export const ECU_SPELLING =
  'ID:HARDWARE[:full|partial][:file-system|two-bank[/PART]|one-bank[/PART]][@BUS]';

/** Six ECUs: two on Ethernet, one of them the gateway, and two on each of two CAN buses. */
export const DEFAULT_ECUS: readonly string[] = [
  'gateway:gateway-hw:full:two-bank/stm32h7',
  'ivi:ivi-hw',
  'brake:brake-hw@chassis',
  'battery:battery-hw@chassis',
  'door:door-hw:partial:one-bank@body',
  'light:light-hw:full:one-bank@body',
];
/** The buses of those. */
export const DEFAULT_BUSES: readonly string[] = ['chassis:500000/2000000', 'body:500000'];

const DEFAULT_PARTS: Readonly<Record<'two-bank' | 'one-bank', FlashPart>> = {
  'two-bank': 'stm32f4',
  'one-bank': 'stm32f0',
};
/** What a bus runs at that nobody has described: CAN FD, as new ones are. */
const USUAL_RATES = { nominalBps: 500_000, dataBps: 2_000_000 } as const;
/** Where the addresses of ECUs begin, and the identifiers of their diagnostics on each bus. */
const FIRST_ADDRESS = 0x1001;
const FIRST_REQUEST_ID = 0x700;
const RESPONSE_OFFSET = 0x80;
const TESTER_ADDRESS = 0x0e80;
/** The plug {15765-4:2021}: its speed, and the identifiers of the first eight ECUs. */
const OBD_BUS = 'obd';
const OBD_BPS = 500_000;
const OBD_REQUEST_ID = 0x7e0;
const OBD_RESPONSE_ID = 0x7e8;
const OBD_SHORT_MAX = 8;
/** Those behind them have addresses of one byte: above the usual ones, and below the tester's. */
const OBD_FIRST_ADDRESS = 0x40;
const OBD_LONG_MAX = 0xb0;
const GATEWAY = /(?:^|-)gateway$/;

/** Reads how an ECU is spelled. @throws CliFault USAGE; UptaneFault MALFORMED. */
export function parseEcuPlan(spelled: string, prefix = ''): EcuPlan {
  const [what = '', bus, ...more] = spelled.split('@');
  const [id, hardware, ...words] = what.split(':');
  const verification = words.find((word) => word === 'full' || word === 'partial') ?? 'full';
  const [storageWord, ...others] = words.filter((word) => word !== 'full' && word !== 'partial');
  const storage = storageOf(storageWord ?? (bus === undefined ? 'file-system' : 'two-bank'));
  const isReadable =
    hardware !== undefined && more.length === 0 && others.length === 0 && storage !== undefined;
  if (!isReadable) {
    throw new CliFault('USAGE', `Cannot read ECU "${spelled}": it is spelled ${ECU_SPELLING}`);
  }
  return {
    ecuIdentifier: parseEcuIdentifier(`${prefix}${id ?? ''}`),
    hardwareIdentifier: parseHardwareIdentifier(hardware),
    verification,
    storage,
    bus,
  };
}

/** Reads `NAME:BPS` or `NAME:BPS/DATA_BPS`. @throws CliFault USAGE. */
export function parseBusPlan(spelled: string): BusPlan {
  const found = /^([a-z][a-z0-9-]{0,31}):(\d{1,8})(?:\/(\d{1,8}))?$/.exec(spelled);
  if (found === null) {
    throw new CliFault('USAGE', `Cannot read bus "${spelled}": it is spelled NAME:BPS[/DATA_BPS]`);
  }
  const [, name = '', nominal, data] = found;
  const dataBps = data === undefined ? {} : { dataBps: Number(data) };
  return { name, nominalBps: Number(nominal), ...dataBps };
}

/**
 * Wires ECUs: addresses and identifiers one after the other.
 *
 * @param buses - those that are described; others that ECUs are on get usual rates.
 * @throws CliFault USAGE without an ECU on Ethernet; VehicleFault BUNDLE_MALFORMED for rates that there
 *   are not, or more ECUs on a bus than identifiers.
 */
export function wire(ecus: readonly EcuPlan[], buses: readonly BusPlan[]): VehicleTopology {
  const onEthernet = ecus.filter(({ bus }) => bus === undefined);
  const gateway =
    onEthernet.find(({ ecuIdentifier }) => GATEWAY.test(ecuIdentifier)) ?? onEthernet[0];
  if (gateway === undefined) {
    throw new CliFault(
      'USAGE',
      'Cannot wire vehicle: one ECU must be without @BUS, on Ethernet, as the gateway to the buses',
    );
  }
  const used = new Set(ecus.flatMap(({ bus }) => bus ?? []));
  const described = [...used].map(
    (name) => buses.find((bus) => bus.name === name) ?? { name, ...USUAL_RATES },
  );
  const counts = new Map<string, number>();
  const placements = ecus.map(({ ecuIdentifier: ecu, storage, bus }, index): EcuPlacement => {
    const address = FIRST_ADDRESS + index;
    if (bus === undefined) return { ecu, address, storage, place: { kind: 'ethernet' } };
    const count = counts.get(bus) ?? 0;
    counts.set(bus, count + 1);
    const requestId = FIRST_REQUEST_ID + count;
    const responseId = requestId + RESPONSE_OFFSET;
    return { ecu, address, storage, place: { kind: 'can', bus, requestId, responseId } };
  });
  const topology = {
    tester: TESTER_ADDRESS,
    gateway: gateway.ecuIdentifier,
    buses: described,
    ecus: placements,
    // Without a bus there is nothing behind the gateway that a plug could lead to.
    ...(described.length === 0 ? {} : { obd: plugOf(gateway.ecuIdentifier, placements) }),
  };
  // What is written is what is read: by the same rules.
  return parseTopology(Buffer.from(encodeTopology(topology)));
}

/** The plug: eight ECUs by eleven bits, the gateway first, and all others by twenty-nine {15765-4:2021}. */
function plugOf(gateway: EcuIdentifier, ecus: readonly EcuPlacement[]): ObdPlan {
  const behind = ecus.filter(({ place }) => place.kind === 'can').map(({ ecu }) => ecu);
  const answering = [gateway, ...behind].slice(0, OBD_SHORT_MAX + OBD_LONG_MAX);
  return {
    bus: OBD_BUS,
    nominalBps: OBD_BPS,
    ecus: answering.map((ecu, index) => {
      if (index < OBD_SHORT_MAX) {
        return { ecu, requestId: OBD_REQUEST_ID + index, responseId: OBD_RESPONSE_ID + index };
      }
      const address = OBD_FIRST_ADDRESS + index - OBD_SHORT_MAX;
      return { ecu, requestId: 0x18da00f1 + address * 0x100, responseId: 0x18daf100 + address };
    }),
  };
}

function storageOf(spelled: string): StoragePlan | undefined {
  const [kind, part, ...more] = spelled.split('/');
  if (more.length > 0) return undefined;
  if (kind === 'file-system') return part === undefined ? { kind } : undefined;
  if (kind !== 'two-bank' && kind !== 'one-bank') return undefined;
  const found = part ?? DEFAULT_PARTS[kind];
  return isFlashPart(found) ? { kind, part: found } : undefined;
}

function isFlashPart(part: string): part is FlashPart {
  return Object.hasOwn(FLASH_PARTS, part);
}
