/**
 * The numbers of DoIP. Codes that a receiver cannot know (reserved, or of a car maker) stay numbers.
 *
 * @source ISO 13400-2:2019; payload types, codes of routing activation and of both kinds of NACK
 */

/** Payload types. */
export const PAYLOAD_TYPES = {
  genericNack: 0x0000,
  identificationRequest: 0x0001,
  identificationRequestByEid: 0x0002,
  identificationRequestByVin: 0x0003,
  announcement: 0x0004,
  routingActivationRequest: 0x0005,
  routingActivationResponse: 0x0006,
  aliveCheckRequest: 0x0007,
  aliveCheckResponse: 0x0008,
  entityStatusRequest: 0x4001,
  entityStatusResponse: 0x4002,
  powerModeRequest: 0x4003,
  powerModeResponse: 0x4004,
  diagnosticMessage: 0x8001,
  diagnosticAck: 0x8002,
  diagnosticNack: 0x8003,
} as const;

/** Why a header was refused. */
export const GENERIC_NACK = {
  incorrectPattern: 0x00,
  unknownPayloadType: 0x01,
  messageTooLarge: 0x02,
  outOfMemory: 0x03,
  invalidLength: 0x04,
} as const;

/** How a request for routing ended. */
export const DOIP_ACTIVATION = {
  unknownSource: 0x00,
  noSocketFree: 0x01,
  sourceDiffers: 0x02,
  sourceActiveElsewhere: 0x03,
  authenticationMissing: 0x04,
  confirmationRejected: 0x05,
  unsupportedType: 0x06,
  tlsRequired: 0x07,
  activated: 0x10,
  confirmationPending: 0x11,
} as const;

/** What a tester wants to be routed for. */
export const DOIP_ACTIVATION_TYPES = {
  default: 0x00,
  wwhObd: 0x01,
  centralSecurity: 0xe0,
} as const;

/** Why a diagnostic message was refused. */
export const DOIP_NACK = {
  invalidSource: 0x02,
  unknownTarget: 0x03,
  messageTooLarge: 0x04,
  outOfMemory: 0x05,
  targetUnreachable: 0x06,
  unknownNetwork: 0x07,
  transportProtocolError: 0x08,
} as const;

/** The code of a refused diagnostic message. */
export type DoipNackCode = (typeof DOIP_NACK)[keyof typeof DOIP_NACK];

/** The code of a refused header. */
export type GenericNackCode = (typeof GENERIC_NACK)[keyof typeof GENERIC_NACK];
