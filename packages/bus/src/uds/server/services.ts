/** What each service does with a request that was let in. */
import { P2_SERVER_MS, P2_STAR_SERVER_MS } from '../limits.ts';
import { RESPONSE_CODES } from '../response-code.ts';
import { encodeTiming } from '../service/0x10-diagnostic-session-control.ts';
import { findReset } from '../service/0x11-ecu-reset.ts';
import { readClearDtcs } from '../service/0x14-clear-diagnostic-information.ts';
import { readDtcQuery } from '../service/0x19-read-dtc-information.ts';
import { readDataIdentifiers } from '../service/0x22-read-data-by-identifier.ts';
import {
  findCommunicationControl,
  readCommunicationType,
} from '../service/0x28-communication-control.ts';
import { readDataToWrite } from '../service/0x2e-write-data-by-identifier.ts';
import { findDtcSetting } from '../service/0x85-control-dtc-setting.ts';
import { findSession, SERVICES } from '../service-id.ts';
import { type AdmittedRequest, checkAccess, checkLength } from './access.ts';
import type { UdsDescription } from './description.ts';
import { answer, performThenEcho, type Reaction, refusal, resultOf } from './reaction.ts';
import { serveRoutine } from './routines.ts';
import type { SessionState } from './session-state.ts';

/** Bytes of a request that is its service and its sub-function. */
const BARE_BYTES = 2;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * Serves a request.
 *
 * @throws UdsFault REFUSED with what the standard has for it, MESSAGE_MALFORMED, VALUE_RANGE.
 */
export function serveRequest(
  description: UdsDescription,
  state: SessionState,
  request: AdmittedRequest,
  atMs: number,
): Reaction {
  switch (request.serviceId) {
    case SERVICES.diagnosticSessionControl:
      return startSession(state, request);
    case SERVICES.ecuReset:
      return reset(description, request);
    case SERVICES.testerPresent:
      checkLength(request, BARE_BYTES);
      return answer(echoOf(request));
    case SERVICES.clearDiagnosticInformation:
      return performThenEcho({ kind: 'clearDtcs', group: readClearDtcs(request.bytes) }, NOTHING);
    case SERVICES.readDtcInformation:
      return readDtcs(request);
    case SERVICES.readDataByIdentifier:
      return readData(description, request);
    case SERVICES.writeDataByIdentifier:
      return writeData(description, request);
    case SERVICES.securityAccess:
      return state.keys.serve(request, atMs);
    case SERVICES.authentication:
      return authenticate(state, request);
    case SERVICES.communicationControl:
      return controlCommunication(request);
    case SERVICES.controlDtcSetting:
      return controlDtcs(request);
    case SERVICES.routineControl:
      return serveRoutine(description, state, request);
    case SERVICES.requestDownload:
      return state.transfer.openDownload(request);
    case SERVICES.transferData:
      return state.transfer.carry(request);
    case SERVICES.requestTransferExit:
      return state.transfer.exit(request);
    case SERVICES.requestFileTransfer:
      return state.transfer.openFile(request);
    default:
      throw refusal(RESPONSE_CODES.serviceNotSupported);
  }
}

function startSession(state: SessionState, request: AdmittedRequest): Reaction {
  checkLength(request, BARE_BYTES);
  const session = findSession(request.subFunction);
  if (session === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  const timing = encodeTiming({ p2Ms: P2_SERVER_MS, p2StarMs: P2_STAR_SERVER_MS });
  const { tester } = request.context;
  if (state.isOpen && state.owner !== tester) {
    // Others cannot end the session that is open. One without rights gives way: a stranger who kept
    // it would keep everybody out; one with rights does not.
    if (session === 'default') return answer(echoOf(request), ...timing);
    if (state.hasRights) throw refusal(RESPONSE_CODES.busyRepeatRequest);
  }
  return {
    kind: 'perform',
    operation: { kind: 'enterSession', session, cause: 'request' },
    conclude: (outcome) => {
      resultOf(outcome, 'record');
      state.enter(session, tester);
      return answer(echoOf(request), ...timing);
    },
  };
}

/** What one role has begun no other goes on with: a change of roles begins from nothing. */
function authenticate(state: SessionState, request: AdmittedRequest): Reaction {
  const { role } = state.roles;
  try {
    return state.roles.serve(request);
  } finally {
    if (role !== undefined && state.roles.role === undefined) state.forgetWork();
  }
}

function reset({ powerDownSeconds = 0 }: UdsDescription, request: AdmittedRequest): Reaction {
  checkLength(request, BARE_BYTES);
  const kind = findReset(request.subFunction);
  if (kind === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  return {
    kind: 'perform',
    operation: { kind: 'prepareReset', reset: kind },
    conclude: (outcome) => {
      resultOf(outcome, 'record');
      const echo = echoOf(request);
      if (kind === 'enableRapidPowerShutDown') {
        return answer(echo, Uint8Array.of(powerDownSeconds));
      }
      if (kind === 'disableRapidPowerShutDown') return answer(echo);
      return { kind: 'answer', parts: [echo], resetAfter: kind };
    },
  };
}

function readDtcs(request: AdmittedRequest): Reaction {
  const query = readDtcQuery(request.bytes, request.subFunction);
  if (query === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  return performThenEcho({ kind: 'readDtcs', query }, echoOf(request));
}

/** {14229-1:2020 11.2.3}: what is not known is left out; refused when nothing is left. */
function readData({ data }: UdsDescription, request: AdmittedRequest): Reaction {
  const asked = readDataIdentifiers(request.bytes);
  const identifiers: number[] = [];
  for (const identifier of asked) {
    const rule = data.get(identifier)?.read;
    if (rule === undefined || !rule.sessions.includes(request.context.session)) continue;
    checkAccess(rule, request);
    identifiers.push(identifier);
  }
  if (identifiers.length === 0) throw refusal(RESPONSE_CODES.requestOutOfRange);
  return performThenEcho({ kind: 'readData', identifiers }, NOTHING);
}

function writeData({ data }: UdsDescription, request: AdmittedRequest): Reaction {
  const { identifier, record } = readDataToWrite(request.bytes);
  const rule = data.get(identifier)?.write;
  if (rule === undefined) throw refusal(RESPONSE_CODES.requestOutOfRange);
  checkAccess(rule, request);
  if (record.length < rule.lengthMinBytes || record.length > rule.lengthMaxBytes) {
    throw refusal(RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat);
  }
  const echo = request.bytes.slice(1, 3);
  return {
    kind: 'perform',
    operation: { kind: 'writeData', identifier, record },
    conclude: (outcome) => {
      resultOf(outcome, 'record');
      return answer(echo);
    },
  };
}

function controlCommunication(request: AdmittedRequest): Reaction {
  const control = findCommunicationControl(request.subFunction);
  if (control === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  const communicationType = readCommunicationType(request.bytes);
  return performThenEcho(
    { kind: 'controlCommunication', control, communicationType },
    echoOf(request),
  );
}

function controlDtcs(request: AdmittedRequest): Reaction {
  const isOn = findDtcSetting(request.subFunction);
  if (isOn === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  checkLength(request, BARE_BYTES);
  return performThenEcho({ kind: 'setDtcs', isOn }, echoOf(request));
}

function echoOf({ subFunction }: AdmittedRequest): Uint8Array {
  return Uint8Array.of(subFunction);
}
