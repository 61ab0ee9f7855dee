/** Every message of DoIP, and its bytes. */
import { concatBytes, unreachable } from '@immota/base';
import { PAYLOAD_TYPES } from './codes.ts';
import { DoipFault } from './doip-fault.ts';
import { HEADER_BYTES, VERSION_2019, writeHeader } from './header.ts';

/** Who an entity is. */
export interface DoipIdentity {
  /** 17 characters; undefined while the vehicle has none yet. */
  readonly vin: string | undefined;
  readonly logicalAddress: number;
  /** Six bytes, mostly the MAC address. */
  readonly eid: Uint8Array;
  /** Six bytes that the entities of one vehicle share. */
  readonly gid: Uint8Array;
}

/** See the head of the file. Addresses have 16 bits; codes one byte. */
export type DoipMessage =
  | { readonly kind: 'genericNack'; readonly code: number }
  | { readonly kind: 'identificationRequest' }
  | { readonly kind: 'identificationRequestByEid'; readonly eid: Uint8Array }
  | { readonly kind: 'identificationRequestByVin'; readonly vin: string | undefined }
  | ({
      readonly kind: 'announcement';
      /** 0x10: routing activation for central security is needed; 0x00: nothing. */
      readonly furtherAction: number;
      /** 0x00: VIN and GID agree among the entities; 0x10: not yet. */
      readonly syncStatus?: number | undefined;
    } & DoipIdentity)
  | {
      readonly kind: 'routingActivationRequest';
      readonly source: number;
      readonly activationType: number;
      /** Four bytes of the car maker. */
      readonly oem?: Uint8Array | undefined;
    }
  | {
      readonly kind: 'routingActivationResponse';
      readonly tester: number;
      readonly entity: number;
      readonly code: number;
      readonly oem?: Uint8Array | undefined;
    }
  | { readonly kind: 'aliveCheckRequest' }
  | { readonly kind: 'aliveCheckResponse'; readonly source: number }
  | { readonly kind: 'entityStatusRequest' }
  | {
      readonly kind: 'entityStatusResponse';
      /** 0: a gateway; 1: a node. */
      readonly nodeType: number;
      readonly socketsMax: number;
      readonly socketsOpen: number;
      readonly dataMaxBytes?: number | undefined;
    }
  | { readonly kind: 'powerModeRequest' }
  /** 0: not ready; 1: ready; 2: not supported. */
  | { readonly kind: 'powerModeResponse'; readonly mode: number }
  | {
      readonly kind: 'diagnosticMessage';
      readonly source: number;
      readonly target: number;
      readonly userData: Uint8Array;
    }
  | {
      readonly kind: 'diagnosticAck' | 'diagnosticNack';
      readonly source: number;
      readonly target: number;
      readonly code: number;
      /** The beginning of the message it answers, if the sender likes. */
      readonly previous: Uint8Array;
    };

/** Bytes of the two addresses before the data of a diagnostic message. */
export const ADDRESSES_BYTES = 4;
const VIN_CHARACTERS = 17;
const VIN_PATTERN = /^[\x20-\x7e]{17}$/v;
const IDENTIFIER_BYTES = 6;
const OEM_BYTES = 4;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * Writes a message, header included.
 *
 * @param version - of the protocol.
 * @throws DoipFault FIELD_RANGE when a field does not fit.
 */
export function encodeMessage(
  message: DoipMessage,
  version: number = VERSION_2019,
): Uint8Array<ArrayBuffer> {
  const payload = encodePayload(message);
  const head = new Uint8Array(HEADER_BYTES);
  writeHeader(head, { version, type: PAYLOAD_TYPES[message.kind], lengthBytes: payload.length });
  return concatBytes([head, payload]);
}

/**
 * Writes header and addresses of a diagnostic message whose data is sent as it lies.
 *
 * @throws DoipFault FIELD_RANGE.
 */
export function encodeDiagnosticHead(
  route: { readonly source: number; readonly target: number; readonly version: number },
  dataLengthBytes: number,
): Uint8Array<ArrayBuffer> {
  const { source, target, version } = route;
  const head = new Uint8Array(HEADER_BYTES + ADDRESSES_BYTES);
  const lengthBytes = ADDRESSES_BYTES + dataLengthBytes;
  writeHeader(head, { version, type: PAYLOAD_TYPES.diagnosticMessage, lengthBytes });
  const view = new DataView(head.buffer);
  view.setUint16(HEADER_BYTES, checkRange(source, 2));
  view.setUint16(HEADER_BYTES + 2, checkRange(target, 2));
  return head;
}

function encodePayload(message: DoipMessage): Uint8Array {
  switch (message.kind) {
    case 'identificationRequest':
    case 'aliveCheckRequest':
    case 'entityStatusRequest':
    case 'powerModeRequest':
      return NOTHING;
    case 'genericNack':
      return number(message.code, 1);
    case 'identificationRequestByEid':
      return exactly(message.eid, IDENTIFIER_BYTES);
    case 'identificationRequestByVin':
      return vinBytes(message.vin);
    case 'announcement':
      return concatBytes([
        vinBytes(message.vin),
        number(message.logicalAddress, 2),
        exactly(message.eid, IDENTIFIER_BYTES),
        exactly(message.gid, IDENTIFIER_BYTES),
        number(message.furtherAction, 1),
        optionalNumber(message.syncStatus, 1),
      ]);
    case 'routingActivationRequest':
      return concatBytes([
        number(message.source, 2),
        number(message.activationType, 1),
        number(0, 4),
        message.oem === undefined ? NOTHING : exactly(message.oem, OEM_BYTES),
      ]);
    case 'routingActivationResponse':
      return concatBytes([
        number(message.tester, 2),
        number(message.entity, 2),
        number(message.code, 1),
        number(0, 4),
        message.oem === undefined ? NOTHING : exactly(message.oem, OEM_BYTES),
      ]);
    case 'aliveCheckResponse':
      return number(message.source, 2);
    case 'entityStatusResponse':
      return concatBytes([
        number(message.nodeType, 1),
        number(message.socketsMax, 1),
        number(message.socketsOpen, 1),
        optionalNumber(message.dataMaxBytes, 4),
      ]);
    case 'powerModeResponse':
      return number(message.mode, 1);
    case 'diagnosticMessage':
      return concatBytes([number(message.source, 2), number(message.target, 2), message.userData]);
    case 'diagnosticAck':
    case 'diagnosticNack':
      return concatBytes([
        number(message.source, 2),
        number(message.target, 2),
        number(message.code, 1),
        message.previous,
      ]);
    default:
      return unreachable(message);
  }
}

/** A vehicle without a VIN says zeros. */
function vinBytes(vin: string | undefined): Uint8Array {
  if (vin === undefined) return new Uint8Array(VIN_CHARACTERS);
  if (!VIN_PATTERN.test(vin)) {
    throw new DoipFault('FIELD_RANGE', 'Cannot write DoIP message: the VIN has not 17 characters');
  }
  return new TextEncoder().encode(vin);
}

function number(value: number, lengthBytes: 1 | 2 | 4): Uint8Array {
  checkRange(value, lengthBytes);
  const bytes = new Uint8Array(lengthBytes);
  for (let index = 0; index < lengthBytes; index += 1) {
    bytes[index] = Math.floor(value / 2 ** (8 * (lengthBytes - 1 - index)));
  }
  return bytes;
}

function optionalNumber(value: number | undefined, lengthBytes: 1 | 4): Uint8Array {
  return value === undefined ? NOTHING : number(value, lengthBytes);
}

function exactly(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  if (bytes.length === lengthBytes) return bytes;
  throw new DoipFault(
    'FIELD_RANGE',
    `Cannot write DoIP message: ${bytes.length} bytes instead of ${lengthBytes}`,
  );
}

function checkRange(value: number, lengthBytes: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** (8 * lengthBytes)) return value;
  throw new DoipFault(
    'FIELD_RANGE',
    `Cannot write DoIP message: ${value} has not ${lengthBytes} bytes`,
  );
}
