/**
 * The services, their identifiers, and what the standard fixes about them.
 *
 * @source ISO 14229-1:2020, clauses 10 to 16
 */

/** Service identifiers of requests by name. */
export const SERVICES = {
  diagnosticSessionControl: 0x10,
  ecuReset: 0x11,
  clearDiagnosticInformation: 0x14,
  readDtcInformation: 0x19,
  readDataByIdentifier: 0x22,
  securityAccess: 0x27,
  communicationControl: 0x28,
  authentication: 0x29,
  writeDataByIdentifier: 0x2e,
  routineControl: 0x31,
  requestDownload: 0x34,
  transferData: 0x36,
  requestTransferExit: 0x37,
  requestFileTransfer: 0x38,
  testerPresent: 0x3e,
  securedDataTransmission: 0x84,
  controlDtcSetting: 0x85,
} as const;

/** What a positive response adds to the identifier of its request. */
export const POSITIVE_OFFSET = 0x40;
/** The first byte of each negative response. */
export const NEGATIVE = 0x7f;
/** In a sub-function: answer only when the answer is no {14229-1:2020 8.2.2}. */
export const SUPPRESS_BIT = 0x80;
/** Every byte of a request is below: bit 6 marks responses. */
const RESPONSE_BIT = 0x40;

/** Services whose first parameter is a sub-function with the suppress bit. */
const WITH_SUB_FUNCTION: ReadonlySet<number> = new Set([
  SERVICES.diagnosticSessionControl,
  SERVICES.ecuReset,
  SERVICES.readDtcInformation,
  SERVICES.securityAccess,
  SERVICES.communicationControl,
  SERVICES.authentication,
  SERVICES.routineControl,
  SERVICES.testerPresent,
  SERVICES.controlDtcSetting,
]);

/** Bytes of the shortest request of each service, the identifier included. */
const LENGTH_MIN_BYTES: ReadonlyMap<number, number> = new Map([
  [SERVICES.diagnosticSessionControl, 2],
  [SERVICES.ecuReset, 2],
  [SERVICES.clearDiagnosticInformation, 4],
  [SERVICES.readDtcInformation, 2],
  [SERVICES.readDataByIdentifier, 3],
  [SERVICES.securityAccess, 2],
  [SERVICES.communicationControl, 3],
  [SERVICES.authentication, 2],
  [SERVICES.writeDataByIdentifier, 4],
  [SERVICES.routineControl, 4],
  [SERVICES.requestDownload, 5],
  [SERVICES.transferData, 2],
  [SERVICES.requestTransferExit, 1],
  [SERVICES.requestFileTransfer, 5],
  [SERVICES.testerPresent, 2],
  [SERVICES.securedDataTransmission, 10],
  [SERVICES.controlDtcSetting, 2],
]);

/** Tells whether a service has a sub-function. */
export function hasSubFunction(serviceId: number): boolean {
  return WITH_SUB_FUNCTION.has(serviceId);
}

/** Tells how long a request of a service is at least; 1 for one that we do not know. */
export function lengthMinOf(serviceId: number): number {
  return LENGTH_MIN_BYTES.get(serviceId) ?? 1;
}

/** Tells whether a first byte is one of a response: two servers must not talk to each other. */
export function isResponseId(serviceId: number): boolean {
  return (serviceId & RESPONSE_BIT) !== 0;
}

/** The sessions {14229-1:2020 10.2}; makers' own are not among them. */
export type UdsSession = 'default' | 'programming' | 'extended';

const SESSION_CODES = { default: 1, programming: 2, extended: 3 } as const;

/** Encodes a session. */
export function sessionCode(session: UdsSession): number {
  return SESSION_CODES[session];
}

/** Finds the session of a code; undefined for one that we do not have. */
export function findSession(code: number): UdsSession | undefined {
  if (code === SESSION_CODES.default) return 'default';
  if (code === SESSION_CODES.programming) return 'programming';
  return code === SESSION_CODES.extended ? 'extended' : undefined;
}
