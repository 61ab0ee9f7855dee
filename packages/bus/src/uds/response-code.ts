/**
 * The negative response codes {14229-1:2020 A.1}. One table: name, value, meaning; a reader with the
 * standard checks it line by line.
 *
 * @source ISO 14229-1:2020, Table A.1
 */

/** The codes by name. */
export const RESPONSE_CODES = {
  generalReject: 0x10,
  serviceNotSupported: 0x11,
  subFunctionNotSupported: 0x12,
  incorrectMessageLengthOrInvalidFormat: 0x13,
  responseTooLong: 0x14,
  busyRepeatRequest: 0x21,
  conditionsNotCorrect: 0x22,
  requestSequenceError: 0x24,
  noResponseFromSubnetComponent: 0x25,
  failurePreventsExecutionOfRequestedAction: 0x26,
  requestOutOfRange: 0x31,
  securityAccessDenied: 0x33,
  authenticationRequired: 0x34,
  invalidKey: 0x35,
  exceededNumberOfAttempts: 0x36,
  requiredTimeDelayNotExpired: 0x37,
  secureDataTransmissionRequired: 0x38,
  secureDataTransmissionNotAllowed: 0x39,
  secureDataVerificationFailed: 0x3a,
  certificateInvalidTimePeriod: 0x50,
  certificateInvalidSignature: 0x51,
  certificateInvalidChainOfTrust: 0x52,
  certificateInvalidType: 0x53,
  certificateInvalidFormat: 0x54,
  certificateInvalidContent: 0x55,
  certificateInvalidScope: 0x56,
  certificateInvalid: 0x57,
  ownershipVerificationFailed: 0x58,
  challengeCalculationFailed: 0x59,
  settingAccessRightsFailed: 0x5a,
  sessionKeyCreationFailed: 0x5b,
  configurationDataUsageFailed: 0x5c,
  deAuthenticationFailed: 0x5d,
  uploadDownloadNotAccepted: 0x70,
  transferDataSuspended: 0x71,
  generalProgrammingFailure: 0x72,
  wrongBlockSequenceCounter: 0x73,
  requestCorrectlyReceivedResponsePending: 0x78,
  subFunctionNotSupportedInActiveSession: 0x7e,
  serviceNotSupportedInActiveSession: 0x7f,
  rpmTooHigh: 0x81,
  rpmTooLow: 0x82,
  engineIsRunning: 0x83,
  engineIsNotRunning: 0x84,
  engineRunTimeTooLow: 0x85,
  temperatureTooHigh: 0x86,
  temperatureTooLow: 0x87,
  vehicleSpeedTooHigh: 0x88,
  vehicleSpeedTooLow: 0x89,
  throttlePedalTooHigh: 0x8a,
  throttlePedalTooLow: 0x8b,
  transmissionRangeNotInNeutral: 0x8c,
  transmissionRangeNotInGear: 0x8d,
  brakeSwitchesNotClosed: 0x8f,
  shifterLeverNotInPark: 0x90,
  torqueConverterClutchLocked: 0x91,
  voltageTooHigh: 0x92,
  voltageTooLow: 0x93,
  resourceTemporarilyNotAvailable: 0x94,
} as const;

/** The name of a code. */
export type ResponseCodeName = keyof typeof RESPONSE_CODES;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RESPONSE_CODES).map(([name, value]) => [value, name]),
);

/** What a functional request is not told: most of a group cannot serve it {14229-1:2020 7.5.6}. */
const SILENT: ReadonlySet<number> = new Set([
  RESPONSE_CODES.serviceNotSupported,
  RESPONSE_CODES.subFunctionNotSupported,
  RESPONSE_CODES.requestOutOfRange,
  RESPONSE_CODES.subFunctionNotSupportedInActiveSession,
  RESPONSE_CODES.serviceNotSupportedInActiveSession,
]);

/** Names a code; its value in hex when the standard has no name for it. */
export function nameResponseCode(value: number): string {
  return NAMES.get(value) ?? `0x${value.toString(16).padStart(2, '0')}`;
}

/** Tells whether a functional request gets no answer rather than this one. */
export function isSilentToGroup(value: number): boolean {
  return SILENT.has(value);
}
