/**
 * The order in which a request is checked before its service looks at it {14229-1:2020 8.7}: service,
 * session, rights, length, sub-function, and the latter's session and rights. What comes after
 * (sequence, total length, ranges, conditions) is the service's own.
 */
import { RESPONSE_CODES } from '../response-code.ts';
import { hasSubFunction, lengthMinOf, SERVICES, SUPPRESS_BIT } from '../service-id.ts';
import type { AccessRule, UdsDescription } from './description.ts';
import type { UdsContext } from './operation.ts';
import { refusal } from './reaction.ts';

/** A request that was let in as far as its service. */
export interface AdmittedRequest {
  readonly context: UdsContext;
  readonly bytes: Uint8Array;
  readonly serviceId: number;
  /** Without the suppress bit; 0 for a service that has none. */
  readonly subFunction: number;
  /** It came within secured data transmission. */
  readonly isSecured: boolean;
}

/** What these leave behind belongs to a session and its one tester, whatever a table says. */
const NEEDS_SESSION: ReadonlySet<number> = new Set([
  SERVICES.securityAccess,
  SERVICES.communicationControl,
  SERVICES.authentication,
  SERVICES.requestDownload,
  SERVICES.transferData,
  SERVICES.requestTransferExit,
  SERVICES.requestFileTransfer,
  SERVICES.securedDataTransmission,
  SERVICES.controlDtcSetting,
]);

/**
 * Admits a request to its service.
 *
 * @throws UdsFault REFUSED with 0x11, 0x7f, 0x33, 0x34, 0x38, 0x13, 0x12 or 0x7e.
 */
export function admitRequest(
  { services }: UdsDescription,
  request: Omit<AdmittedRequest, 'subFunction'>,
): AdmittedRequest {
  const { context, bytes, serviceId } = request;
  const rule = services.get(serviceId);
  if (rule === undefined) throw refusal(RESPONSE_CODES.serviceNotSupported);
  const isHomeless = context.session === 'default' && NEEDS_SESSION.has(serviceId);
  if (isHomeless || !rule.sessions.includes(context.session)) {
    throw refusal(RESPONSE_CODES.serviceNotSupportedInActiveSession);
  }
  checkRights(rule, request);
  if (bytes.length < lengthMinOf(serviceId)) {
    throw refusal(RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat);
  }
  if (!hasSubFunction(serviceId)) return { ...request, subFunction: 0 };
  const subFunction = (bytes[1] ?? 0) & ~SUPPRESS_BIT;
  const subRule = rule.subFunctions?.get(subFunction);
  if (subRule === undefined) throw refusal(RESPONSE_CODES.subFunctionNotSupported);
  if (!subRule.sessions.includes(context.session)) {
    throw refusal(RESPONSE_CODES.subFunctionNotSupportedInActiveSession);
  }
  checkRights(subRule, request);
  return { ...request, subFunction };
}

/**
 * Checks a rule of something within a service: a data record, a routine.
 *
 * @throws UdsFault REFUSED with 0x31 in another session, 0x33, 0x34 or 0x38.
 */
export function checkAccess(
  rule: AccessRule,
  request: Pick<AdmittedRequest, 'context' | 'isSecured'>,
): void {
  if (!rule.sessions.includes(request.context.session)) {
    throw refusal(RESPONSE_CODES.requestOutOfRange);
  }
  checkRights(rule, request);
}

/** Checks that a message ends where its service does. @throws UdsFault REFUSED with 0x13. */
export function checkLength({ bytes }: AdmittedRequest, lengthBytes: number): void {
  if (bytes.length !== lengthBytes) {
    throw refusal(RESPONSE_CODES.incorrectMessageLengthOrInvalidFormat);
  }
}

function checkRights(
  { roles, levels, isSecuredOnly }: AccessRule,
  { context, isSecured }: Pick<AdmittedRequest, 'context' | 'isSecured'>,
): void {
  if (isSecuredOnly === true && !isSecured) {
    throw refusal(RESPONSE_CODES.secureDataTransmissionRequired);
  }
  if (roles === undefined && levels === undefined) return;
  if (context.role !== undefined && roles?.includes(context.role) === true) return;
  if (context.level !== undefined && levels?.includes(context.level) === true) return;
  throw refusal(
    roles === undefined
      ? RESPONSE_CODES.securityAccessDenied
      : RESPONSE_CODES.authenticationRequired,
  );
}
