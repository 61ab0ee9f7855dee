/** The tables of the server machine, made from the ports that an ECU has. */
import {
  type AccessRule,
  type DataRule,
  ROUTINES,
  type RoutineRule,
  SERVICES,
  type ServiceRule,
  type UdsDescription,
} from '@immota/bus';
import { BLOCK_MAX_BYTES } from './limits.ts';
import type { DataPort, RoutinePort, UdsPorts } from './uds-ports.ts';

const EVERYWHERE: AccessRule = { sessions: ['default', 'programming', 'extended'] };
const OPENED: AccessRule = { sessions: ['programming', 'extended'] };
const EXTENDED: AccessRule = { sessions: ['extended'] };
const RESET_CODES = {
  hard: 1,
  keyOffOn: 2,
  soft: 3,
  enableRapidPowerShutDown: 4,
  disableRapidPowerShutDown: 5,
} as const;
/** `01 number` up to a range of eight bytes each, and a checksum or signature behind it. */
const BLOCK_OPTION_MIN_BYTES = 2;
const BLOCK_OPTION_MAX_BYTES = 17;
const CHECK_OPTION_MAX_BYTES = 4096;
const DEPENDENCIES_OPTION_MAX_BYTES = 64;

/** Makes them. */
export function describePorts(ports: UdsPorts): UdsDescription {
  return {
    services: new Map<number, ServiceRule>([
      [SERVICES.diagnosticSessionControl, withSubFunctions(EVERYWHERE, [1, 2, 3])],
      [SERVICES.testerPresent, withSubFunctions(EVERYWHERE, [0])],
      [SERVICES.readDataByIdentifier, EVERYWHERE],
      [SERVICES.writeDataByIdentifier, EVERYWHERE],
      ...routineServices(ports),
      ...guardServices(ports),
      ...stateServices(ports),
      ...transferServices(ports),
    ]),
    data: new Map([...ports.data].map(([identifier, port]) => [identifier, dataRule(port)])),
    routines: routineRules(ports),
    blocks: ports.memory?.blocks ?? new Map(),
    blockMaxBytes: ports.blockMaxBytes ?? BLOCK_MAX_BYTES,
    keyPolicy: ports.keys?.policy,
    secured: ports.secured,
  };
}

function routineServices({ routines, memory }: UdsPorts): readonly [number, ServiceRule][] {
  if (routines === undefined && memory === undefined) return [];
  return [[SERVICES.routineControl, withSubFunctions(EVERYWHERE, [1, 2, 3])]];
}

function guardServices({ authentication, keys, secured }: UdsPorts): [number, ServiceRule][] {
  const services: [number, ServiceRule][] = [];
  if (authentication !== undefined) {
    services.push([SERVICES.authentication, withSubFunctions(OPENED, [0, 1, 2, 3, 8])]);
  }
  if (keys !== undefined) {
    const numbers = keys.levels.flatMap((level) => [level, level + 1]);
    services.push([SERVICES.securityAccess, withSubFunctions(OPENED, numbers)]);
  }
  if (secured !== undefined) services.push([SERVICES.securedDataTransmission, OPENED]);
  return services;
}

function stateServices({ dtcs, resets, communication }: UdsPorts): [number, ServiceRule][] {
  const services: [number, ServiceRule][] = [];
  if (dtcs !== undefined) {
    services.push(
      [SERVICES.readDtcInformation, withSubFunctions(EVERYWHERE, [1, 2, 6, 0x0a])],
      [SERVICES.clearDiagnosticInformation, EVERYWHERE],
      [SERVICES.controlDtcSetting, withSubFunctions(EXTENDED, [1, 2])],
    );
  }
  if (resets !== undefined) {
    const numbers = resets.resets.map((reset) => RESET_CODES[reset]);
    services.push([SERVICES.ecuReset, withSubFunctions(resets.access, numbers)]);
  }
  if (communication !== undefined) {
    services.push([SERVICES.communicationControl, withSubFunctions(EXTENDED, [0, 1, 2, 3])]);
  }
  return services;
}

function transferServices({ memory, files }: UdsPorts): [number, ServiceRule][] {
  const services: [number, ServiceRule][] = [];
  if (memory !== undefined) services.push([SERVICES.requestDownload, memory.access]);
  if (files !== undefined) services.push([SERVICES.requestFileTransfer, files.access]);
  // Both kinds of transfer share these; what has no rights could not have opened one.
  const access = memory?.access ?? files?.access;
  if (access !== undefined) {
    const shared = memory === undefined || files === undefined ? access : OPENED;
    services.push([SERVICES.transferData, shared], [SERVICES.requestTransferExit, shared]);
  }
  return services;
}

function dataRule({ read, write }: DataPort): DataRule {
  return {
    read: read?.access,
    write:
      write === undefined
        ? undefined
        : {
            ...write.access,
            lengthMinBytes: write.lengthMinBytes,
            lengthMaxBytes: write.lengthMaxBytes,
          },
  };
}

function routineRules({ routines, memory }: UdsPorts): ReadonlyMap<number, RoutineRule> {
  const rules = new Map<number, RoutineRule>();
  for (const [routine, port] of routines ?? []) rules.set(routine, routineRule(port));
  if (memory === undefined) return rules;
  const bound = { ...memory.access, controls: ['start'] } as const;
  const option = {
    optionMinBytes: BLOCK_OPTION_MIN_BYTES,
    optionMaxBytes: BLOCK_OPTION_MAX_BYTES,
  };
  rules.set(ROUTINES.eraseMemory, { ...bound, ...option, purpose: 'erase' });
  rules.set(ROUTINES.checkMemory, {
    ...bound,
    ...option,
    optionMaxBytes: CHECK_OPTION_MAX_BYTES,
    purpose: 'check',
  });
  rules.set(ROUTINES.checkProgrammingDependencies, {
    ...bound,
    optionMinBytes: 0,
    optionMaxBytes: DEPENDENCIES_OPTION_MAX_BYTES,
    purpose: 'dependencies',
  });
  return rules;
}

function routineRule({
  access,
  controls,
  optionMinBytes,
  optionMaxBytes,
}: RoutinePort): RoutineRule {
  return { ...access, controls, optionMinBytes, optionMaxBytes };
}

function withSubFunctions(access: AccessRule, numbers: readonly number[]): ServiceRule {
  const open: AccessRule = { sessions: access.sessions };
  return { ...access, subFunctions: new Map(numbers.map((number) => [number, open])) };
}
