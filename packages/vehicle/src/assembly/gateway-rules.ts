/**
 * The rules of a vehicle's gateway, out of its wiring: the T-BOX may update, a workshop's tester may
 * read, and program only where the ECU has authenticated it and the vehicle is parked; no more.
 */
import { SERVICES } from '@immota/bus';
import { DOIP_SOURCE, type GatewayRules, parseGatewayRules, TBOX_ROLE } from '../gateway/rules.ts';
import type { Range } from '../gateway/guarded-services.ts';
import { OBD_TESTER } from './limits.ts';
import type { VehicleTopology } from './topology.ts';

/** Addresses of testers that come from outside {13400-2:2019 table 13}. */
const TESTERS = { first: 0x0e00, last: 0x0fff } as const;
/** Requests of the T-BOX: a block of an image each, as fast as Ethernet brings them. */
const UPDATE_RATE = { burst: 1000, perSecond: 20_000 } as const;
/** A person at a tester. */
const WORKSHOP_RATE = { burst: 50, perSecond: 100 } as const;

const READING = [
  { service: SERVICES.diagnosticSessionControl, subFunctions: [0x01, 0x03] },
  { service: SERVICES.readDataByIdentifier },
  { service: SERVICES.readDtcInformation },
  { service: SERVICES.testerPresent },
  { service: SERVICES.authentication },
];

const PROGRAMMING = [
  { service: SERVICES.diagnosticSessionControl },
  { service: SERVICES.ecuReset },
  { service: SERVICES.clearDiagnosticInformation },
  { service: SERVICES.communicationControl },
  { service: SERVICES.writeDataByIdentifier },
  { service: SERVICES.routineControl },
  { service: SERVICES.requestDownload },
  { service: SERVICES.transferData },
  { service: SERVICES.requestTransferExit },
  { service: SERVICES.requestFileTransfer },
  { service: SERVICES.controlDtcSetting },
];

/** Makes the rules of a gateway. */
export function gatewayRulesOf({ buses, ecus, tester, obd }: VehicleTopology): GatewayRules {
  const addresses = ecus.map(({ address }) => address);
  const targets = { first: Math.min(...addresses), last: Math.max(...addresses) };
  const plug = obd === undefined ? [] : plugRules(obd.bus, targets);
  return parseGatewayRules({
    buses: [...buses.map(({ name }) => name), ...(obd === undefined ? [] : [obd.bus])],
    diagnostics: [
      {
        name: 'updates by the T-BOX',
        from: [DOIP_SOURCE],
        testers: { first: tester, last: tester },
        targets,
        roles: [TBOX_ROLE],
        allow: [...READING, ...PROGRAMMING],
        rate: UPDATE_RATE,
      },
      {
        name: 'reading in the workshop',
        from: [DOIP_SOURCE],
        testers: TESTERS,
        targets,
        allow: READING,
        rate: WORKSHOP_RATE,
      },
      {
        name: 'programming in the workshop',
        from: [DOIP_SOURCE],
        testers: TESTERS,
        targets,
        allow: PROGRAMMING,
        requires: ['authenticated', 'parked'],
        rate: UPDATE_RATE,
      },
      ...plug,
    ],
  });
}

/** The same for whoever is at the plug: no certificate comes with a wire, so the ECU's word alone counts. */
function plugRules(bus: string, targets: Range): readonly object[] {
  const common = { from: [bus], testers: { first: OBD_TESTER, last: OBD_TESTER }, targets };
  return [
    { ...common, name: 'reading at the plug', allow: READING, rate: WORKSHOP_RATE },
    {
      ...common,
      name: 'programming at the plug',
      allow: PROGRAMMING,
      requires: ['authenticated', 'parked'],
      rate: UPDATE_RATE,
    },
  ];
}
